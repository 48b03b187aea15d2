-- One row per interaction that was read, metric and party.
-- A view: the lake holds these rows already, checked, in a file a day. What later days change (resolution, repeat
-- contacts) is int_resolution's.
{{ config(materialized='view') }}

with metrics as (select * from {{ ref('stg_metrics') }} where metric not in ('resolved', 'repeat_within_7d')),

resolution as (select * from {{ ref('int_resolution') }}),

measured as (
    select
        interaction_id,
        call_date,
        metric,
        party,
        value,
        unit,
        reason,
        extractor_version
    from metrics
),

resolved as (
    select
        interaction_id,
        call_date,
        'resolved' as metric,
        'call' as party,
        cast(resolved as double) as value,
        '0/1' as unit,
        reason,
        'resolution/1' as extractor_version
    from resolution
),

counted as (
    select
        interaction_id,
        call_date,
        'repeat_within_7d' as metric,
        'call' as party,
        cast(repeats as double) as value,
        'count' as unit,
        if(repeats is null, 'not_supplied', null) as reason,
        'repeat_contacts/1' as extractor_version
    from resolution
)

select * from measured
union all
select * from resolved
union all
select * from counted
