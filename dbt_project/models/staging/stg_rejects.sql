-- One row per rejected landing row or file.
with source as (select * from {{ source('landing', 'rejects') }})

select
    source_file,
    row_number,
    kind,
    interaction_id,
    reason,
    detail
from source
