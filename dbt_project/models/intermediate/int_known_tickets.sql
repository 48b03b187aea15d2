-- One row per ticket, as the resolutions that stand know it. It is written when they stand, so a run that dies before
-- leaves what differs to the next one.
-- depends_on: {{ ref('int_changed_days') }}
{{ config(materialized='table') }}

{{ tickets_of_resolutions() }}
