-- One row per publication, refusal or rollback up to this build.
{{ config(materialized='view') }}

select * from {{ ref('stg_publications') }}
