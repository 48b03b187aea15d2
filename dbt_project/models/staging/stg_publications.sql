-- One row per publication, refusal or rollback.
with source as (select * from {{ source('ops', 'publications') }})

select
    publish_id,
    published_at,
    status,
    if(json_type(days) = 'ARRAY', array_to_string(cast(days as varchar[]), ','), days ->> '$') as days,
    rows as n_rows,
    note
from source
