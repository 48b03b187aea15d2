-- One row per ticket and attempt to write to it, up to this build.
{{ config(materialized='view') }}

select * from {{ ref('stg_crm_sync') }}
