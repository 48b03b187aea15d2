-- One row per agent who is listed or answered an interaction.
{{ config(materialized='view') }}

with agents as (select * from {{ ref('stg_agents') }}),

interactions as (select distinct agent_id from {{ ref('int_interactions') }} where agent_id is not null)

select
    coalesce(agents.agent_id, interactions.agent_id) as agent_id,
    agents.name,
    agents.team,
    agents.supervisor_id,
    agents.hired_on,
    agents.region,
    agents.site,
    agents.agent_id is not null as is_listed
from agents
full outer join interactions on agents.agent_id = interactions.agent_id
