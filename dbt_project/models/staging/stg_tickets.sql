-- One row per ticket of the CRM.
with source as (select * from {{ source('landing', 'tickets') }})

select
    ticket_id,
    interaction_id,
    customer_key,
    issue_type,
    lower(trim(status)) as status,
    {{ utc('opened_at') }} as opened_at,
    {{ utc('resolved_at') }} as resolved_at,
    {{ utc('reopened_at') }} as reopened_at
from source
