-- One row per dimension, value, call date, basis, issue type, channel and extractor: what the interactions add up to.
-- All trends are sums of these rows. With them the day is complete: int_changed_days is told what it was scored from.
-- So it waits for all else that is built by scored days.
-- depends_on: {{ ref('fct_metrics') }}
-- depends_on: {{ ref('int_fact_days') }}
-- depends_on: {{ ref('int_parameter_days') }}
-- depends_on: {{ ref('int_interaction_alerts') }}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ drop_scored_days() }}",
    post_hook="update {{ ref('int_changed_days') }} set scored_from = takes"
) }}

with interactions as (select * from {{ ref('fct_interactions') }} where {{ in_scored_days('call_date') }}),

call_scores as (select * from {{ ref('fct_call_scores') }} where {{ in_scored_days('call_date') }}),

bases as (select unnest(['as_scored', 'restated']) as basis),

scored as (
    select
        interactions.*,
        bases.basis,
        {{ to_e4('call_scores.iqs') }} as iqs_e4,
        {{ to_e4('call_scores.iqs_unfailed') }} as unfailed_e4,
        call_scores.is_failed as fails,
        cast(1000000 * (1 - call_scores.measured_weight) as bigint) as missing_e6,
        {{ to_e4('call_scores.measured_weight') }} as weight_e4,
        call_scores.scorecard || ' v' || call_scores.scorecard_version as card
    from interactions
    cross join bases
    left join call_scores
        on
            interactions.interaction_id = call_scores.interaction_id
            and interactions.call_date = call_scores.call_date
            and bases.basis = call_scores.basis
)

{% for dimension, columns in dimensions().items() %}
select
    '{{ dimension }}' as dimension,
    {{ dimension_value(columns) }} as value,
    {{ part_of_pair(columns, 0) }} as first_of_pair,
    {{ part_of_pair(columns, 1) }} as second_of_pair,
    call_date,
    basis,
    coalesce(issue_type, 'unknown') as stratum,
    coalesce(channel, 'unknown') as through,
    coalesce(extractor_versions, 'none') as measured_by,
    count(*) as received,
    count(*) filter (where status = 'excluded') as excluded,
    count(*) filter (where status = 'quarantined') as quarantined,
    count(*) filter (where is_recorded) as recorded,
    count(*) filter (where is_recorded and layout in ('mono', 'dual_mono')) as mono,
    count(*) filter (where is_transcribed) as transcribed,
    count(iqs_e4) as n,
    count(iqs_e4) filter (where not is_mature) as immature,
    cast(coalesce(sum(iqs_e4), 0) as bigint) as score_e4,
    coalesce(sum(iqs_e4 * iqs_e4), 0) as squares_e8,
    cast(coalesce(sum(unfailed_e4), 0) as bigint) as unfailed_e4,
    coalesce(sum(unfailed_e4 * unfailed_e4), 0) as unfailed_squares_e8,
    cast(coalesce(sum(weight_e4), 0) as bigint) as weight_e4,
    coalesce(sum(weight_e4 * unfailed_e4), 0) as points_e8,
    count(*) filter (where fails) as failed,
    cast(coalesce(sum(missing_e6), 0) as bigint) as missing_e6,
    list(distinct card) filter (where card is not null) as cards
from scored
group by all
{% if not loop.last %}union all{% endif %}
{% endfor %}
