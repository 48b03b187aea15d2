-- One row per alert, channel and attempt to deliver it, up to this build.
{{ config(materialized='view') }}

select * from {{ ref('stg_alert_deliveries') }}
