-- One row per channel, period and basis.
{{ config(materialized='view') }}

{{ trend_iqs_of('channel') }}
