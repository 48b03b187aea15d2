-- One row per outcome of a check.
with source as (select * from {{ source('ops', 'dq_results') }})

select
    run_id,
    checked_at,
    stage,
    table_name,
    call_date,
    check_name,
    blocking,
    passed,
    failing_rows,
    total_rows,
    detail,
    fingerprint
from source
