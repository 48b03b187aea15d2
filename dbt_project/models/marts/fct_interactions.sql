-- One row per interaction that came in, whatever became of it. What else it shows of an interaction (agent, survey,
-- issue types, later contacts) either is in what came in for its day, or int_changed_days looks at it.
{{ config(materialized='incremental', incremental_strategy='append', pre_hook="{{ drop_scored_days() }}") }}

with interactions as (select * from {{ ref('int_interactions') }} where {{ in_scored_days('call_date') }}),

cards as (
    select * from {{ ref('int_interaction_scorecards') }}
    where basis = 'as_scored' and {{ in_scored_days('call_date') }}
),

scores as (
    select * from {{ ref('fct_call_scores') }}
    where basis = 'as_scored' and {{ in_scored_days('call_date') }}
),

agents as (select * from {{ ref('stg_agents') }}),

surveys as (select * from {{ ref('stg_surveys') }}),

measures as (select * from {{ ref('int_measures') }} where {{ in_scored_days('call_date') }}),

resolution as (select * from {{ ref('int_resolution') }} where {{ in_scored_days('call_date') }}),

issue_types as (select * from {{ ref('dim_issue_types') }}),

newest as (select max(call_date) as known_until from {{ ref('int_interactions') }}),

joined as (
    select
        interactions.interaction_id,
        interactions.call_date,
        interactions.started_at,
        interactions.ended_at,
        interactions.channel,
        interactions.agent_id,
        agents.team,
        interactions.campaign,
        interactions.client,
        interactions.queue,
        coalesce(interactions.region, agents.region) as region,
        interactions.shift,
        interactions.direction,
        interactions.call_type,
        interactions.language,
        interactions.issue_type,
        interactions.issue_type_source,
        issue_types.driver,
        issue_types.sub_driver as intent,
        interactions.customer_key,
        interactions.ticket_id,
        case
            when interactions.outcome <> 'eligible' then interactions.outcome
            when scores.interaction_id is not null then 'scored'
            when interactions.outcome = 'eligible' then 'excluded'
        end as status,
        case
            when interactions.outcome <> 'eligible' then interactions.reason
            when scores.interaction_id is not null or interactions.outcome is null then null
            when cards.interaction_id is null then 'no_scorecard'
            else 'nothing_measured'
        end as reason,
        if(interactions.outcome <> 'eligible', interactions.detail, null) as reason_detail,
        scores.iqs,
        scores.iqs_unfailed,
        scores.fail_reason,
        scores.is_failed,
        scores.scorecard,
        scores.scorecard_version,
        scores.measured_weight,
        interactions.duration_s,
        interactions.n_words,
        interactions.layout,
        interactions.speaker_source,
        interactions.speaker_confidence,
        measures.asr_confidence,
        measures.snr_db,
        measures.extractor_versions,
        interactions.is_recorded,
        interactions.is_transcribed,
        interactions.hold_s,
        interactions.acw_s,
        resolution.aht_s,
        resolution.aht_without_acw_s,
        resolution.aht_ratio,
        surveys.csat,
        surveys.nps,
        cast(resolution.resolved as bigint) as resolved,
        resolution.resolved_source,
        cast(resolution.resolved_evidence as bigint) as resolved_evidence,
        cast(resolution.repeats as bigint) as repeats_within_7d,
        interactions.call_date + 7 as mature_on,
        mature_on <= newest.known_until as is_mature,
        if(resolution.repeats is null and resolution.resolved_source is distinct from 'ticket', null, mature_on)
            as resolved_on
    from interactions
    cross join newest
    left join cards
        on interactions.interaction_id = cards.interaction_id and interactions.call_date = cards.call_date
    left join scores
        on interactions.interaction_id = scores.interaction_id and interactions.call_date = scores.call_date
    left join agents on interactions.agent_id = agents.agent_id
    left join issue_types on interactions.issue_type = issue_types.issue_type
    left join measures
        on interactions.interaction_id = measures.interaction_id and interactions.call_date = measures.call_date
    left join resolution
        on
            interactions.interaction_id = resolution.interaction_id
            and interactions.call_date = resolution.call_date
    left join surveys on interactions.interaction_id = surveys.interaction_id
)

select * from joined
