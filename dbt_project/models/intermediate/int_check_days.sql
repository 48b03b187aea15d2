-- One row per call date that was checked: by the last outcome of each check, passed, warning or failed.
{{ config(materialized='table') }}

with dq_results as (select * from {{ ref('stg_dq_results') }} where call_date is not null),

last_results as (
    select *
    from dq_results
    qualify
        row_number() over (
            partition by table_name, call_date, check_name order by checked_at desc, passed asc
        ) = 1
)

select
    call_date,
    case
        when bool_or(blocking and not passed) then 'failed'
        when bool_or(not passed) then 'warning'
        else 'passed'
    end as check_status
from last_results
group by call_date
