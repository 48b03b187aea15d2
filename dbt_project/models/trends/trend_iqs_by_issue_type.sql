-- One row per issue type, period and basis.
{{ config(materialized='view') }}

{{ trend_iqs_of('issue_type') }}
