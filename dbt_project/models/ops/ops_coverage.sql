-- One row per call date.
{{ config(materialized='incremental', incremental_strategy='append', pre_hook="{{ drop_scored_days() }}") }}

with interactions as (select * from {{ ref('fct_interactions') }} where {{ in_scored_days('call_date') }}),

metrics as (
    select * from {{ ref('fct_metrics') }}
    where metric = 'asr_confidence' and {{ in_scored_days('call_date') }}
),

counted as (
    select
        call_date,
        count(*) as received,
        count(*) filter (where is_recorded) as recorded,
        count(*) filter (where is_transcribed) as transcribed,
        count(*) filter (where status = 'scored') as scored,
        count(*) filter (where is_recorded and layout in ('mono', 'dual_mono')) as mono
    from interactions
    group by call_date
),

recognised as (
    select
        call_date,
        count(value) as n,
        cast(sum(cast(round(value * 1000000) as bigint)) as bigint) as confidence_e6
    from metrics
    group by call_date
)

select
    counted.call_date,
    counted.received,
    counted.recorded,
    counted.transcribed,
    counted.scored,
    {{ share('counted.scored', 'counted.received') }} as coverage,
    cast(
        cast({{ divide_e4('recognised.confidence_e6', 'recognised.n') }} as decimal(12, 0)) * 0.000001 as decimal(9, 6)
    ) as asr_confidence,
    {{ share('counted.mono', 'counted.recorded') }} as mono_share
from counted
left join recognised on counted.call_date = recognised.call_date
