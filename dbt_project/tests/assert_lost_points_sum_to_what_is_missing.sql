-- What parameters and failed calls lost, and what sub-drivers lost, is what a group's IQS lacks to 100.
with losses as (
    select
        dimension,
        value,
        period,
        period_start,
        basis,
        cast(sum(points_lost) as decimal(18, 6)) as points_lost
    from {{ ref('insight_drivers') }}
    where {{ in_scored_periods() }}
    group by dimension, value, period, period_start, basis
    union all
    select
        dimension,
        value,
        period,
        period_start,
        basis,
        cast(sum(points_lost) as decimal(18, 6)) as points_lost
    from {{ ref('insight_sub_drivers') }}
    where {{ in_scored_periods() }}
    group by dimension, value, period, period_start, basis
)

select
    losses.dimension,
    losses.value,
    losses.period,
    losses.period_start,
    losses.basis
from losses
inner join {{ ref('trend_iqs') }} as trends
    on
        losses.dimension = trends.dimension
        and losses.value = trends.value
        and losses.period = trends.period
        and losses.period_start = trends.period_start
        and losses.basis = trends.basis
where losses.points_lost <> trends.n * 100 - trends.score_sum
