-- One row per turn.
with source as (select * from {{ source('conversation', 'turns') }})

select
    interaction_id,
    date as call_date,
    cast(turn as bigint) as turn,
    party,
    start_s,
    end_s
from source
