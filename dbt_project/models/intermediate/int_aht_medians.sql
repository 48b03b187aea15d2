-- One row per call date, channel and issue type: median handling time of the 28 days up to and with that date.
-- It looks back only, so that a day's scores don't move when later days come in.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ drop_days(in_days('call_date', reach_forward=27)) }}"
) }}

with handling_times as (
    select
        *,
        cast(round(aht_s * 1000) as bigint) as aht_ms,
        cast(round(aht_without_acw_s * 1000) as bigint) as without_acw_ms
    from {{ ref('int_measures') }}
    where {{ in_days('call_date', reach_back=27, reach_forward=27) }} and issue_type is not null
),

looked_back as (
    select distinct
        call_date,
        channel,
        issue_type,
        count(aht_ms) over recent as n,
        median(aht_ms) over recent as median_aht_ms,
        count(without_acw_ms) over recent as n_without_acw,
        median(without_acw_ms) over recent as median_without_acw_ms
    from handling_times
    window recent as (
        partition by channel, issue_type
        order by call_date range between interval 27 day preceding and current row
    )
)

select * from looked_back
where {{ in_days('call_date', reach_forward=27) }}
