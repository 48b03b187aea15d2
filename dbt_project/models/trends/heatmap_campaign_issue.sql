-- One row per campaign, issue type, period and basis.
{{ config(materialized='view') }}

with trend_iqs as (
    select * from {{ ref('trend_iqs') }}
    where dimension = 'campaign_issue_type' and period in ('week', 'month')
)

select
    first_of_pair as campaign,
    second_of_pair as issue_type,
    period,
    period_start,
    basis,
    received,
    n,
    score_sum,
    iqs
from trend_iqs
