-- One row per outcome of a data quality check: of Python's, of dbt's tests, and of the publishing gate's rules.
{{ config(materialized='view') }}

select
    run_id,
    checked_at,
    stage,
    table_name,
    call_date,
    check_name,
    blocking,
    if(blocking, 'error', 'warning') as severity,
    passed,
    failing_rows,
    total_rows,
    detail,
    fingerprint
from {{ ref('stg_dq_results') }}
