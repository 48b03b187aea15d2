-- One row per interaction that was read: resolved by the best knowledge so far, and its handling time against the
-- median.
-- depends_on: {{ ref('int_changed_days') }}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ drop_scored_days() }}"
) }}

with truth as (select * from {{ ref('int_resolution_truth') }} where {{ in_scored_days('call_date') }}),

handling_times as (select * from {{ ref('int_measures') }} where {{ in_scored_days('call_date') }}),

medians as (select * from {{ ref('int_aht_medians') }} where {{ in_scored_days('call_date') }}),

enough as (select value as n from {{ ref('settings') }} where setting = 'aht_median_at_least'),

joined as (
    select
        truth.interaction_id,
        truth.call_date,
        truth.repeats,
        truth.is_mature,
        handling_times.resolved_evidence,
        coalesce(truth.truth, handling_times.resolved_evidence) as resolved,
        if(resolved is null, coalesce(handling_times.evidence_reason, 'not_supplied'), null) as reason,
        coalesce(truth.truth_source, if(handling_times.resolved_evidence is null, null, 'evidence')) as resolved_source,
        handling_times.aht_s,
        handling_times.aht_without_acw_s,
        -- With after-call work where it is supplied, else without it: each against the median of its own kind.
        case
            when handling_times.aht_s is not null and medians.n >= enough.n
                then handling_times.aht_s * 1000 / nullif(medians.median_aht_ms, 0)
            when handling_times.aht_without_acw_s is not null and medians.n_without_acw >= enough.n
                then handling_times.aht_without_acw_s * 1000 / nullif(medians.median_without_acw_ms, 0)
        end as aht_ratio
    from truth
    cross join enough
    inner join handling_times
        on truth.interaction_id = handling_times.interaction_id and truth.call_date = handling_times.call_date
    left join medians
        on
            handling_times.call_date = medians.call_date
            and handling_times.channel = medians.channel
            and handling_times.issue_type = medians.issue_type
)

select * from joined
