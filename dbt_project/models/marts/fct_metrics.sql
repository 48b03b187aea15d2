-- One row per interaction that was read, metric and party.
-- A day that is built again may also change the repeat contacts of the days before it, so these are replaced as well.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ drop_days(also=\"metric = 'repeat_within_7d' and \" ~ in_days('call_date', reach_back=8)) }}"
) }}

with metrics as (
    select *
    from {{ ref('stg_metrics') }}
    where {{ in_days('call_date') }} and metric <> 'repeat_within_7d'
),

repeat_contacts as (select * from {{ ref('int_repeat_contacts') }} where {{ in_days('call_date', reach_back=8) }}),

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

counted as (
    select
        interaction_id,
        call_date,
        'repeat_within_7d' as metric,
        'call' as party,
        cast(value as double) as value,
        'count' as unit,
        if(value is null, 'not_supplied', null) as reason,
        'repeat_contacts/1' as extractor_version
    from repeat_contacts
)

select * from measured
union all
select * from counted
