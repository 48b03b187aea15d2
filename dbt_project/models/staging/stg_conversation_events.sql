-- One row per event heard in the conversation.
with source as (select * from {{ source('conversation', 'events') }})

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
