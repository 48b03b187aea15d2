-- One row per interaction that came in, with what became of it.
{{ config(materialized='incremental', incremental_strategy='append', pre_hook="{{ drop_days() }}") }}

with interactions as (select * from {{ ref('stg_interactions') }} where {{ in_days('call_date') }}),

outcomes as (select * from {{ ref('stg_outcomes') }} where {{ in_days('call_date') }}),

issue_types as (select * from {{ ref('stg_issue_types') }} where {{ in_days('call_date') }}),

recordings as (select * from {{ ref('stg_recordings') }} where {{ in_days('call_date') }}),

joined as (
    select
        interactions.* exclude (language, issue_type),
        outcomes.outcome,
        outcomes.reason,
        outcomes.detail,
        outcomes.duration_s,
        outcomes.n_words,
        outcomes.layout,
        outcomes.speaker_source,
        outcomes.speaker_confidence,
        coalesce(outcomes.language, interactions.language) as language,
        coalesce(issue_types.issue_type, interactions.issue_type) as issue_type,
        coalesce(issue_types.issue_type_source, if(interactions.issue_type is null, null, 'crm')) as issue_type_source,
        coalesce(recordings.outcome = 'accepted', false) as is_recorded,
        outcomes.n_words is not null as is_transcribed
    from interactions
    left join outcomes
        on interactions.interaction_id = outcomes.interaction_id and interactions.call_date = outcomes.call_date
    left join issue_types
        on interactions.interaction_id = issue_types.interaction_id and interactions.call_date = issue_types.call_date
    left join recordings
        on interactions.interaction_id = recordings.interaction_id and interactions.call_date = recordings.call_date
)

select * from joined
