-- One row per ticket, as the resolutions that stand know it. It is written when they stand, so a run that dies before
-- leaves what differs to the next one.
-- depends_on: {{ ref('int_changed_days') }}
{{ config(materialized='table') }}

select
    ticket_id,
    interaction_id,
    customer_key,
    issue_type,
    status,
    opened_at,
    resolved_at,
    reopened_at
from {{ ref('stg_tickets') }}
