-- One row per interaction with words.
with source as (select * from {{ source('language', 'issue_types') }})

select
    interaction_id,
    date as call_date,
    issue_type,
    source as issue_type_source
from source
