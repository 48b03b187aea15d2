-- One row per interaction, party and keyword.
with source as (select * from {{ source('language', 'keywords') }})

select
    interaction_id,
    date as call_date,
    party,
    keyword,
    cast(n as bigint) as n
from source
