-- One row per issue type of the centre's own.
with source as (select * from {{ source('landing', 'issue_types') }})

select
    issue_type,
    driver,
    sub_driver
from source
