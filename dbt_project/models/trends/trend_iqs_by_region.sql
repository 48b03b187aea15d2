-- One row per region, period and basis.
{{ config(materialized='view') }}

{{ trend_iqs_of('region') }}
