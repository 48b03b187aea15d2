-- One row per scorecard, version, channel and call type.
{{ config(materialized='view') }}

with scorecards as (select * from {{ ref('scorecards') }}),

dated as (
    select
        *,
        lead(valid_from) over following as next_valid_from
    from scorecards
    window following as (partition by channel, call_type order by valid_from, version)
)

select
    scorecard,
    version,
    channel,
    call_type,
    valid_from,
    next_valid_from - 1 as valid_to,
    next_valid_from is null as is_newest
from dated
