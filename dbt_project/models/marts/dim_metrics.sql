-- One row per metric, as the measuring code declares it.
{{ config(materialized='view') }}

select * from {{ ref('stg_metric_catalogue') }}
