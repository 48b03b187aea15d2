-- One row per language, period and basis.
{{ config(materialized='view') }}

{{ trend_iqs_of('language') }}
