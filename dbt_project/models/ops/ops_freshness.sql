-- One row per call date.
{{ config(materialized='view') }}

with partitions as (select * from {{ ref('stg_partitions') }}),

interactions as (
    select
        call_date,
        max(started_at) as newest_started_at
    from {{ ref('fct_interactions') }}
    group by call_date
),

written as (
    select
        call_date,
        max(written_at) filter (where table_name = 'landing/interactions') as landed_at,
        max(written_at) filter (where table_name = 'metrics/outcomes') as measured_at
    from partitions
    group by call_date
)

select
    interactions.call_date,
    interactions.newest_started_at,
    written.landed_at,
    written.measured_at
from interactions
left join written on interactions.call_date = written.call_date
