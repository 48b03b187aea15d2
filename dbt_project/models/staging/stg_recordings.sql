-- One row per interaction with a recording.
with source as (select * from {{ source('recordings', 'recordings') }})

select
    interaction_id,
    date as call_date,
    outcome
from source
