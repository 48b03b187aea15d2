-- One row per driver, period and basis.
{{ config(materialized='view') }}

{{ trend_iqs_of('driver') }}
