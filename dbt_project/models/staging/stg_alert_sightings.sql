-- One row per alert and time that it was written down as new.
with source as (select * from {{ source('ops', 'alert_sightings') }})

select
    dedupe_key,
    rule,
    version,
    first_seen
from source
