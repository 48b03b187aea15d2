-- One row per shift, period and basis.
{{ config(materialized='view') }}

{{ trend_iqs_of('shift') }}
