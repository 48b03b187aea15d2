-- One row per dimension, value, period, basis and parameter.
with interactions as (select * from {{ ref('fct_interactions') }}),

parameter_scores as (select * from {{ ref('fct_parameter_scores') }}),

scored as (
    select
        interactions.agent_id,
        interactions.team,
        interactions.campaign,
        interactions.client,
        interactions.issue_type,
        scores.call_date,
        scores.basis,
        scores.parameter,
        {{ to_e4('scores.score') }} as score_e4,
        cast(scores.points_lost * 1000000 as bigint) as lost_e6,
        if(scores.score is null, null, cast(round(scores.metric_value * 1000000) as bigint)) as value_e6
    from parameter_scores as scores
    inner join interactions
        on scores.interaction_id = interactions.interaction_id and scores.call_date = interactions.call_date
),

by_day as (
    {% for dimension, column in dimensions(['all', 'agent', 'team', 'campaign', 'client', 'issue_type']).items() %}
    select
        '{{ dimension }}' as dimension,
        coalesce({{ column }}, 'unknown') as value,
        call_date,
        basis,
        parameter,
        count(*) as scored,
        count(score_e4) as n,
        sum(score_e4) as score_e4,
        sum(score_e4 * score_e4) as squares_e8,
        sum(value_e6) as value_e6,
        sum(lost_e6) as lost_e6
    from scored
    group by all
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

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
        cast(coalesce(sum(score_e4), 0) as bigint) as score_e4,
        coalesce(sum(squares_e8), 0) as squares_e8,
        sum(value_e6) as value_e6,
        cast(coalesce(sum(lost_e6), 0) as bigint) as lost_e6
    from by_day
    group by all
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
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
    cast(round({{ deviation('n', 'cast(score_e4 as hugeint)', 'squares_e8') }}, 4) as decimal(9, 4)) as score_sd,
    cast(round(cast(value_e6 as double) / nullif(n, 0) / 1000000, 6) as decimal(18, 6)) as value_mean,
    cast(cast(lost_e6 as decimal(12, 0)) * 0.000001 as decimal(18, 6)) as points_lost
from by_period
