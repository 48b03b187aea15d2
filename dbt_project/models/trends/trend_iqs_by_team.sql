-- One row per team, period and basis.
{{ config(materialized='view') }}

{{ trend_iqs_of('team') }}
