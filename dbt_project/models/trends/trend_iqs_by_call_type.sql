-- One row per call type, period and basis.
{{ config(materialized='view') }}

{{ trend_iqs_of('call_type') }}
