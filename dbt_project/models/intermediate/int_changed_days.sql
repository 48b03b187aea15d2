-- One row per call date: a fingerprint of what its scores take from elsewhere (later contacts, tickets, handling times
-- of the days before, which day is the newest), and whether that differs from what they were computed from.
-- int_group_days sets scored_from when the scores are there, so a run that dies in between leaves the day changed.
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='call_date',
    pre_hook=[
        "{{ drop_days('call_date not in (select call_date from ' ~ ref('int_interactions') ~ ')') }}",
        "{% if is_incremental() %}update {{ this }} set is_changed = coalesce(takes <> scored_from, true){% endif %}"
    ]
) }}

with before as (
    {% if is_incremental() %}
    select * from {{ this }}
    {% else %}
    select
        cast(null as date) as call_date,
        cast(null as ubigint) as scored_from
    where false
    {% endif %}
),

interactions as (select * from {{ ref('int_interactions') }}),

truth as (select * from {{ ref('int_resolution_truth') }} where {{ in_taking_days('call_date') }}),

medians as (select * from {{ ref('int_aht_medians') }} where {{ in_taking_days('call_date') }}),

days as (select distinct call_date from interactions where {{ in_taking_days('call_date') }}),

newest as (select max(call_date) as known_until from interactions),

of_interactions as (
    select
        call_date,
        bit_xor(hash(interaction_id, repeats, truth, truth_source, is_mature)) as print
    from truth
    group by call_date
),

of_medians as (
    select
        call_date,
        bit_xor(
            hash(channel, issue_type, n, median_aht_ms, n_without_acw, median_without_acw_ms)
        ) as print
    from medians
    group by call_date
),

together as (
    select
        days.call_date,
        hash(of_interactions.print, of_medians.print, days.call_date + 7 <= newest.known_until) as takes
    from days
    cross join newest
    left join of_interactions on days.call_date = of_interactions.call_date
    left join of_medians on days.call_date = of_medians.call_date
)

select
    together.call_date,
    together.takes,
    before.scored_from,
    coalesce(together.takes <> before.scored_from, true) as is_changed
from together
left join before on together.call_date = before.call_date
