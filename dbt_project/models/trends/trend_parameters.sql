-- One row per dimension, value, period, basis and parameter.
-- depends_on: {{ ref('int_day_prints') }}
-- depends_on: {{ ref('int_check_days') }}
{{ config(materialized='incremental', incremental_strategy='append', pre_hook="{{ drop_trended_periods() }}") }}

with days as (select * from {{ ref('int_parameter_days') }} where {{ in_trended('any') }}),

quantiles as (select * from {{ ref('t_quantiles') }}),

by_period as (
    {% for period in ['day', 'week', 'month'] %}
    select
        dimension,
        value,
        '{{ period }}' as period,
        {{ period_start(period, 'call_date') }} as period_start,
        basis,
        parameter,
        cast(sum(scored) as bigint) as scored,
        cast(sum(n) as bigint) as n,
        cast(sum(score_e4) as bigint) as score_e4,
        sum(squares_e8) as squares_e8,
        sum(value_e6) as value_e6,
        cast(sum(lost_e6) as bigint) as lost_e6
    from days
    where {{ in_trended(period) }}
    group by all
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

estimated as (
    select
        by_period.*,
        by_period.score_e4 / by_period.n / 10000 as mean,
        {{ deviation('by_period.n', 'cast(by_period.score_e4 as hugeint)', 'by_period.squares_e8') }} as sd,
        quantiles.quantile * sd / sqrt(by_period.n) as margin
    from by_period
    asof left join quantiles on by_period.n - 1 >= quantiles.degrees
)

select
    dimension,
    value,
    period,
    period_start,
    basis,
    parameter,
    n,
    scored - n as n_na,
    {{ from_e4('score_e4', 'decimal(18,4)') }} as score_sum,
    {{ from_e4(divide_e4('score_e4', 'n')) }} as score,
    cast(round(sd, 4) as decimal(9, 4)) as score_sd,
    cast(round(if(margin is null, null, greatest(mean - margin, 0)), 4) as decimal(9, 4)) as score_low,
    cast(round(if(margin is null, null, least(mean + margin, 100)), 4) as decimal(9, 4)) as score_high,
    cast(round(cast(value_e6 as double) / nullif(n, 0) / 1000000, 6) as decimal(18, 6)) as value_mean,
    cast(cast(lost_e6 as decimal(18, 0)) * 0.000001 as decimal(18, 6)) as points_lost
from estimated
