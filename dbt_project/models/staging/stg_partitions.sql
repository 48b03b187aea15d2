-- One row per call date and table.
with source as (select * from {{ source('ops', 'partitions') }})

select
    source.table as table_name,
    source.day as call_date,
    source.rows as n_rows,
    {{ utc('source.written_at') }} as written_at
from source
