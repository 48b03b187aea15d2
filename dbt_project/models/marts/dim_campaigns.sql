-- One row per campaign that had interactions.
{{ config(materialized='view') }}

with interactions as (select * from {{ ref('int_interactions') }})

select
    campaign,
    min(call_date) as first_call_date,
    max(call_date) as last_call_date,
    count(*) as received
from interactions
where campaign is not null
group by campaign
