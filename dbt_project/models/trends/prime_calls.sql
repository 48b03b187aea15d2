-- One row per interaction that serves as a good example.
with interactions as (select * from {{ ref('fct_interactions') }} where status = 'scored'),

parameter_scores as (select * from {{ ref('fct_parameter_scores') }} where basis = 'as_scored'),

settings as (select * from {{ ref('settings') }}),

best as (
    select
        *,
        row_number() over (
            partition by coalesce(campaign, 'unknown')
            order by iqs desc, measured_weight desc, call_date desc, interaction_id asc
        ) as position
    from interactions
    where
        iqs >= (select value from settings where setting = 'prime_at_least')
        and measured_weight >= (select value from settings where setting = 'prime_measured_at_least')
        and call_date
        > (select max(call_date) from interactions)
        - cast((select value from settings where setting = 'prime_days') as integer)
),

listed as (
    select * from best
    where position <= (select value from settings where setting = 'prime_calls')
),

strongest as (
    select
        parameter_scores.interaction_id,
        parameter_scores.parameter
    from parameter_scores
    inner join listed
        on
            parameter_scores.interaction_id = listed.interaction_id
            and parameter_scores.call_date = listed.call_date
    where parameter_scores.contribution is not null
    qualify
        row_number() over (
            partition by parameter_scores.interaction_id
            order by parameter_scores.contribution desc, parameter_scores.parameter asc
        ) = 1
)

select
    coalesce(listed.campaign, 'unknown') as campaign,
    listed.position,
    listed.interaction_id,
    listed.call_date,
    listed.agent_id,
    listed.team,
    listed.issue_type,
    listed.iqs,
    listed.measured_weight,
    strongest.parameter as strongest_parameter,
    listed.duration_s
from listed
left join strongest on listed.interaction_id = strongest.interaction_id
