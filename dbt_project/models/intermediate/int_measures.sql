-- One row per interaction that was read: the measures that other tables look up by interaction.
{{ config(materialized='incremental', incremental_strategy='append', pre_hook="{{ drop_days() }}") }}

with interactions as (
    select * from {{ ref('int_interactions') }} where {{ in_days('call_date') }} and outcome in ('eligible', 'excluded')
),

metrics as (select * from {{ ref('stg_metrics') }} where {{ in_days('call_date') }}),

measured as (
    select
        interaction_id,
        call_date,
        max(value) filter (where metric = 'conversation_s') as conversation_s,
        max(value) filter (where metric = 'hold_s') as measured_hold_s,
        max(value) filter (where metric = 'aht_s') as aht_s,
        max(value) filter (where metric = 'resolved_evidence') as resolved_evidence,
        max(reason) filter (where metric = 'resolved_evidence') as evidence_reason,
        avg(value) filter (where metric = 'asr_confidence') as asr_confidence,
        max(value) filter (where metric = 'snr_db' and party = 'agent') as snr_db,
        string_agg(distinct extractor_version, ', ' order by extractor_version) as extractor_versions
    from metrics
    group by interaction_id, call_date
),

handled as (
    select
        interactions.interaction_id,
        interactions.call_date,
        interactions.channel,
        interactions.issue_type,
        measured.aht_s,
        -- The talk holds what was heard of a hold; only what the platform counted beyond that is added.
        case
            when interactions.channel = 'call'
                then
                    measured.conversation_s
                    + greatest(coalesce(interactions.hold_s, 0) - coalesce(measured.measured_hold_s, 0), 0)
            when interactions.channel = 'chat' and interactions.ended_at >= interactions.started_at
                then (epoch_ms(interactions.ended_at) - epoch_ms(interactions.started_at)) / 1000
        end as aht_without_acw_s,
        measured.resolved_evidence,
        measured.evidence_reason,
        measured.asr_confidence,
        measured.snr_db,
        measured.extractor_versions
    from interactions
    left join measured
        on interactions.interaction_id = measured.interaction_id and interactions.call_date = measured.call_date
)

select * from handled
