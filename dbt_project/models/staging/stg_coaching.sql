-- One row per agent, date of a coaching and parameter.
with source as (select * from {{ source('landing', 'coaching') }})

select
    agent_id,
    coached_on,
    parameter,
    coach_id
from source
