-- One row per agent, period and basis.
{{ config(materialized='view') }}

{{ trend_iqs_of('agent') }}
