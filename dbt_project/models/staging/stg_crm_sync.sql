-- One row per ticket and attempt to write to it.
with source as (select * from {{ source('ops', 'crm_sync') }})

select
    synced_at,
    target,
    ticket_id,
    interaction_id,
    status,
    http_status,
    answer,
    tries,
    sent,
    sent_hash,
    from_publish_id
from source
