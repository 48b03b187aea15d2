-- One row per interaction whose survey says the opposite of its IQS.
{{ config(materialized='view') }}

with interactions as (select * from {{ ref('fct_interactions') }}),

limits as (
    select
        max(value) filter (where setting = 'gap_iqs_high') as iqs_high,
        max(value) filter (where setting = 'gap_iqs_low') as iqs_low
    from {{ ref('settings') }}
)

select
    interactions.interaction_id,
    interactions.call_date,
    interactions.agent_id,
    interactions.team,
    interactions.campaign,
    interactions.issue_type,
    interactions.iqs,
    interactions.iqs_unfailed,
    interactions.fail_reason,
    interactions.csat,
    interactions.nps,
    if(interactions.iqs >= limits.iqs_high, 'scored high, customer unhappy', 'scored low, customer happy') as gap
from interactions
cross join limits
where {{ survey_disagrees('interactions.iqs', 'interactions.csat', 'interactions.nps') }}
