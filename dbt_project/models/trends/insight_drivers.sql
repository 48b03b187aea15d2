-- One row per dimension, value, period, basis and parameter: where the points go.
-- depends_on: {{ ref('int_day_prints') }}
-- depends_on: {{ ref('int_check_days') }}
{{ config(materialized='incremental', incremental_strategy='append', pre_hook="{{ drop_trended_periods() }}") }}

with trend_parameters as (
    select * from {{ ref('trend_parameters') }}
    where
        dimension in ('all', 'team', 'campaign', 'issue_type', 'driver', 'intent')
        and period in ('week', 'month')
        and {{ in_trended_periods(['week', 'month']) }}
),

trend_iqs as (
    select * from {{ ref('trend_iqs') }}
    where
        dimension in ('all', 'team', 'campaign', 'issue_type', 'driver', 'intent')
        and period in ('week', 'month')
        and {{ in_trended_periods(['week', 'month']) }}
        and n > 0
),

lost as (
    select
        dimension,
        value,
        period,
        period_start,
        basis,
        parameter,
        points_lost
    from trend_parameters
    union all
    select
        dimension,
        value,
        period,
        period_start,
        basis,
        'failed_call' as parameter,
        cast(unfailed_sum - score_sum as decimal(18, 6)) as points_lost
    from trend_iqs
),

added as (
    select
        lost.*,
        trend_iqs.n,
        sum(lost.points_lost) over whole as all_lost,
        sum(lost.points_lost) over down as lost_so_far,
        row_number() over down as position
    from lost
    inner join trend_iqs
        on
            lost.dimension = trend_iqs.dimension
            and lost.value = trend_iqs.value
            and lost.period = trend_iqs.period
            and lost.period_start = trend_iqs.period_start
            and lost.basis = trend_iqs.basis
    window
        whole as (partition by lost.dimension, lost.value, lost.period, lost.period_start, lost.basis),
        down as (
            partition by lost.dimension, lost.value, lost.period, lost.period_start, lost.basis
            order by lost.points_lost desc, lost.parameter asc
            rows between unbounded preceding and current row
        )
)

select
    dimension,
    value,
    period,
    period_start,
    basis,
    parameter,
    n,
    points_lost,
    cast(round(cast(points_lost as double) / n, 4) as decimal(9, 4)) as points_lost_per_call,
    cast(round(cast(points_lost as double) / nullif(cast(all_lost as double), 0), 6) as decimal(9, 6)) as share,
    cast(
        round(cast(lost_so_far as double) / nullif(cast(all_lost as double), 0), 6) as decimal(9, 6)
    ) as cumulative_share,
    position
from added
