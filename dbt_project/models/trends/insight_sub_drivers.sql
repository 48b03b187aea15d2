-- One row per dimension, value, period, basis and sub-driver: which contacts cost the points.
-- depends_on: {{ ref('int_day_prints') }}
-- depends_on: {{ ref('int_check_days') }}
{{ config(materialized='incremental', incremental_strategy='append', pre_hook="{{ drop_trended_periods() }}") }}

with days as (
    select * from {{ ref('int_group_days') }}
    where dimension in ('all', 'team', 'campaign') and n > 0 and {{ in_trended('any') }}
),

issue_types as (select * from {{ ref('dim_issue_types') }}),

lost as (
    {% for period in ['week', 'month'] %}
    select
        days.dimension,
        days.value,
        '{{ period }}' as period,
        {{ period_start(period, 'days.call_date') }} as period_start,
        days.basis,
        coalesce(issue_types.driver, 'unknown') as driver,
        coalesce(issue_types.sub_driver, 'unknown') as sub_driver,
        cast(sum(days.n) as bigint) as n,
        cast(sum(1000000 * days.n - days.score_e4) as bigint) as lost_e4
    from days
    left join issue_types on days.stratum = issue_types.issue_type
    where {{ in_trended(period, 'days.call_date') }}
    group by all
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

ranked as (
    select
        *,
        cast(sum(n) over whole as bigint) as whole_n,
        cast(sum(lost_e4) over whole as bigint) as whole_lost_e4,
        cast(sum(lost_e4) over down as bigint) as lost_so_far_e4,
        row_number() over down as position
    from lost
    window
        whole as (partition by dimension, value, period, period_start, basis),
        down as (
            partition by dimension, value, period, period_start, basis
            order by lost_e4 desc, driver asc, sub_driver asc
            rows between unbounded preceding and current row
        )
)

select
    dimension,
    value,
    period,
    period_start,
    basis,
    driver,
    sub_driver,
    n,
    {{ from_e4('lost_e4', 'decimal(18,4)') }} as points_lost,
    {{ from_e4(divide_e4('lost_e4', 'n')) }} as points_lost_per_call,
    {{ from_e4(divide_e4('lost_e4', 'whole_n')) }} as points_of_iqs,
    {{ share('lost_e4', 'whole_lost_e4') }} as share,
    {{ share('lost_so_far_e4', 'whole_lost_e4') }} as cumulative_share,
    position
from ranked
