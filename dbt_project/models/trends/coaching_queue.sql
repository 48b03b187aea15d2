-- One row per agent, parameter and interaction worth listening to.
with interactions as (select * from {{ ref('fct_interactions') }} where status = 'scored'),

parameter_scores as (select * from {{ ref('fct_parameter_scores') }} where basis = 'as_scored'),

parameters as (select * from {{ ref('dim_parameters') }}),

agents as (select * from {{ ref('dim_agents') }}),

events as (select * from {{ ref('fct_events') }}),

settings as (select * from {{ ref('settings') }}),

lowest as (
    select
        interactions.agent_id,
        scores.parameter,
        interactions.interaction_id,
        interactions.call_date,
        interactions.campaign,
        interactions.issue_type,
        scores.score,
        scores.metric_value,
        scores.points_lost,
        interactions.iqs,
        row_number() over (
            partition by interactions.agent_id, scores.parameter
            order by
                scores.score asc, scores.points_lost desc, interactions.call_date desc, interactions.interaction_id asc
        ) as position
    from parameter_scores as scores
    inner join interactions
        on scores.interaction_id = interactions.interaction_id and scores.call_date = interactions.call_date
    where
        interactions.agent_id is not null
        and scores.score < (select value from settings where setting = 'coaching_below')
        and (scores.weight > 0 or scores.fails_call)
        and scores.call_date
        > (select max(call_date) from interactions)
        - cast((select value from settings where setting = 'coaching_days') as integer)
),

queued as (
    select
        lowest.*,
        parameters.party,
        parameters.event_kind
    from lowest
    inner join parameters on lowest.parameter = parameters.parameter
    where lowest.position <= (select value from settings where setting = 'coaching_calls')
),

shown as (
    select
        queued.interaction_id,
        queued.parameter,
        events.start_s,
        events.end_s,
        events.evidence,
        count(*) over evidence_of as n_events,
        row_number() over (
            partition by queued.interaction_id, queued.parameter
            order by events.end_s - events.start_s desc nulls last, events.event asc
        ) as place
    from queued
    inner join events
        on
            queued.interaction_id = events.interaction_id
            and queued.call_date = events.call_date
            and queued.event_kind = events.kind
            and (queued.party = 'call' or events.party in (queued.party, 'call'))
    window evidence_of as (partition by queued.interaction_id, queued.parameter)
)

select
    queued.agent_id,
    agents.team,
    agents.supervisor_id,
    queued.parameter,
    queued.position,
    queued.interaction_id,
    queued.call_date,
    queued.campaign,
    queued.issue_type,
    queued.score,
    queued.metric_value,
    queued.points_lost,
    queued.iqs,
    queued.event_kind,
    coalesce(shown.n_events, 0) as n_events,
    shown.start_s as clip_start_s,
    shown.end_s as clip_end_s,
    shown.evidence
from queued
left join agents on queued.agent_id = agents.agent_id
left join shown
    on queued.interaction_id = shown.interaction_id and queued.parameter = shown.parameter and shown.place = 1
