-- One row per intent, period and basis.
{{ config(materialized='view') }}

{{ trend_iqs_of('intent') }}
