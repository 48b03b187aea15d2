-- One row per outcome of a data quality check.
{{ config(materialized='view') }}

select * from {{ ref('stg_dq_results') }}
