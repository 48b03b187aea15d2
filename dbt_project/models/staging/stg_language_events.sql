-- One row per event heard in the language.
with source as (select * from {{ source('language', 'events') }})

select
    interaction_id,
    date as call_date,
    cast(event as bigint) as event,
    kind,
    party,
    start_s,
    end_s,
    evidence
from source
