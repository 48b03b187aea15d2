-- One row per agent, issue type, period and basis.
{{ config(materialized='view') }}

with trend_iqs as (
    select * from {{ ref('trend_iqs') }}
    where dimension = 'agent_issue_type' and period in ('week', 'month')
),

agents as (select * from {{ ref('dim_agents') }})

select
    trend_iqs.first_of_pair as agent_id,
    agents.team,
    trend_iqs.second_of_pair as issue_type,
    trend_iqs.period,
    trend_iqs.period_start,
    trend_iqs.basis,
    trend_iqs.received,
    trend_iqs.n,
    trend_iqs.score_sum,
    trend_iqs.iqs,
    trend_iqs.iqs_shrunk
from trend_iqs
left join agents on trend_iqs.first_of_pair = agents.agent_id
