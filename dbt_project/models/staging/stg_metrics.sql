-- One row per interaction that was read, metric and party.
with source as (select * from {{ source('metrics', 'interaction_metrics') }})

select
    interaction_id,
    date as call_date,
    metric,
    party,
    value,
    unit,
    reason,
    extractor_version
from source
