-- One row per interaction that came in.
with source as (select * from {{ source('landing', 'interactions') }})

select
    interaction_id,
    date as call_date,
    channel,
    {{ utc('started_at') }} as started_at,
    {{ utc('ended_at') }} as ended_at,
    agent_id,
    campaign,
    customer_key,
    direction,
    call_type,
    language,
    issue_type,
    hold_s,
    acw_s,
    {{ utc('transferred_at') }} as transferred_at,
    ticket_id,
    client,
    queue,
    region,
    shift
from source
