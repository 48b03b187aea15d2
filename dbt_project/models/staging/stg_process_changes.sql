-- One row per dated change of a process.
with source as (select * from {{ source('landing', 'process_changes') }})

select
    changed_on,
    name,
    campaign,
    issue_type
from source
