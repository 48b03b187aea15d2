-- One row per acknowledgement of an alert, by file or by command.
with delivered as (select * from {{ source('landing', 'alert_acks') }}),

typed_in as (select * from {{ source('ops', 'alert_acks') }})

select
    dedupe_key,
    acknowledged_by,
    {{ utc('acknowledged_at') }} as acknowledged_at
from delivered
union all
select
    dedupe_key,
    acknowledged_by,
    acknowledged_at
from typed_in
