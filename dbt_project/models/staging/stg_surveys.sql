-- One row per interaction with a survey.
with source as (select * from {{ source('landing', 'surveys') }})

select
    interaction_id,
    cast(csat as bigint) as csat,
    cast(nps as bigint) as nps
from source
