-- The points that parameters and failed calls lost are what a group's IQS lacks to 100.
select
    drivers.dimension,
    drivers.value,
    drivers.period,
    drivers.period_start,
    drivers.basis
from {{ ref('insight_drivers') }} as drivers
inner join {{ ref('trend_iqs') }} as trends
    on
        drivers.dimension = trends.dimension
        and drivers.value = trends.value
        and drivers.period = trends.period
        and drivers.period_start = trends.period_start
        and drivers.basis = trends.basis
group by
    drivers.dimension, drivers.value, drivers.period, drivers.period_start, drivers.basis, trends.n, trends.score_sum
having sum(drivers.points_lost) <> trends.n * 100 - trends.score_sum
