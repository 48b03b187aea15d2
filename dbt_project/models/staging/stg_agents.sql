-- One row per agent that the centre lists.
with source as (select * from {{ source('landing', 'agents') }})

select
    agent_id,
    name,
    team,
    supervisor_id,
    hired_on,
    region,
    site
from source
