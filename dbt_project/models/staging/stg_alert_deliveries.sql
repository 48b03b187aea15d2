-- One row per alert, channel and attempt to deliver it.
with source as (select * from {{ source('ops', 'alert_attempts') }})

select
    dedupe_key,
    rule,
    version,
    channel,
    route,
    status,
    attempted_at,
    tries,
    answer,
    from_publish_id
from source
