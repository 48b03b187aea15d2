-- One row per agent, parameter, period and basis.
{{ config(materialized='view') }}

with trend_parameters as (select * from {{ ref('trend_parameters') }} where period in ('week', 'month')),

agents as (select * from {{ ref('dim_agents') }}),

by_agent as (select * from trend_parameters where dimension = 'agent'),

overall as (select * from trend_parameters where dimension = 'all')

select
    by_agent.value as agent_id,
    agents.team,
    by_agent.parameter,
    by_agent.period,
    by_agent.period_start,
    by_agent.basis,
    by_agent.n,
    by_agent.score,
    overall.score as peer_score,
    cast(by_agent.score - overall.score as decimal(9, 4)) as difference
from by_agent
inner join overall
    on
        by_agent.period = overall.period
        and by_agent.period_start = overall.period_start
        and by_agent.basis = overall.basis
        and by_agent.parameter = overall.parameter
left join agents on by_agent.value = agents.agent_id
