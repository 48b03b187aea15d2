-- One row per client, period and basis.
{{ config(materialized='view') }}

{{ trend_iqs_of('client') }}
