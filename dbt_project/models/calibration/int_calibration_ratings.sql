-- One row per session, interaction, parameter and rater. The machine rates whatever people rated, as scored.
-- It is read by the stage calibration of the lake; nothing that is scored reads it.
{{ config(schema='intermediate') }}

with reviews as (select * from {{ ref('stg_reviews') }} where not not_applicable),

interactions as (select * from {{ ref('fct_interactions') }}),

agents as (select * from {{ ref('dim_agents') }}),

parameters as (select * from {{ ref('dim_parameters') }}),

scores as (select * from {{ ref('fct_parameter_scores') }} where basis = 'as_scored'),

reviewed as (
    select distinct
        session_id,
        interaction_id,
        parameter
    from reviews
),

people as (
    select
        session_id,
        interaction_id,
        parameter,
        reviewer_id,
        false as is_machine,
        department,
        is_expert,
        rating,
        max_rating,
        cast(null as varchar) as reason,
        rated_at
    from reviews
),

machine as (
    select
        reviewed.session_id,
        reviewed.interaction_id,
        reviewed.parameter,
        'machine' as reviewer_id,
        true as is_machine,
        'machine' as department,
        false as is_expert,
        cast(scores.score as double) as rating,
        cast(100 as double) as max_rating,
        case
            when parameters.parameter is null then 'not_a_parameter'
            when scores.parameter is null then 'not_scored'
            when scores.score is null then 'not_applicable'
        end as reason,
        cast(null as timestamp) as rated_at
    from reviewed
    left join parameters on reviewed.parameter = parameters.parameter
    left join scores
        on reviewed.interaction_id = scores.interaction_id and reviewed.parameter = scores.parameter
),

raters as (
    select * from people
    union all
    select * from machine
)

select
    raters.session_id,
    raters.interaction_id,
    raters.parameter,
    raters.reviewer_id,
    raters.is_machine,
    raters.department,
    raters.is_expert,
    raters.rating,
    raters.max_rating,
    100 * raters.rating / raters.max_rating as points,
    raters.reason,
    raters.rated_at,
    interactions.call_date,
    interactions.agent_id,
    agents.hired_on
from raters
inner join interactions on raters.interaction_id = interactions.interaction_id
left join agents on interactions.agent_id = agents.agent_id
