-- One row per campaign, period and basis.
{{ config(materialized='view') }}

{{ trend_iqs_of('campaign') }}
