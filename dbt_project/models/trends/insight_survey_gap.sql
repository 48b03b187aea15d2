-- One row per dimension, value and period that received interactions: IQS (as scored) beside CSAT and NPS.
-- depends_on: {{ ref('int_day_prints') }}
-- depends_on: {{ ref('int_check_days') }}
{{ config(materialized='incremental', incremental_strategy='append', pre_hook="{{ drop_trended_periods() }}") }}

with interactions as (select * from {{ ref('fct_interactions') }} where {{ in_trended('any') }}),

quantiles as (select * from {{ ref('t_quantiles') }}),

limits as (
    select
        max(value) filter (where setting = 'gap_iqs_high') as iqs_high,
        max(value) filter (where setting = 'gap_iqs_low') as iqs_low
    from {{ ref('settings') }}
),

grouped as (
    {% for dimension, columns in dimensions(['all', 'agent', 'team', 'campaign', 'issue_type']).items() %}
    {% for period in ['week', 'month'] %}
    select
        '{{ dimension }}' as dimension,
        {{ dimension_value(columns) }} as value,
        '{{ period }}' as period,
        {{ period_start(period, 'call_date') }} as period_start,
        {{ to_e4('iqs') }} as iqs_e4,
        csat,
        nps
    from interactions
    where {{ in_trended(period) }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

added as (
    select
        grouped.dimension,
        grouped.value,
        grouped.period,
        grouped.period_start,
        count(*) as received,
        count(coalesce(grouped.csat, grouped.nps)) as surveys,
        count(grouped.iqs_e4) as n,
        cast(sum(grouped.iqs_e4) as bigint) as score_e4,
        count(grouped.csat) as n_csat,
        cast(sum(grouped.csat) as bigint) as csat_sum,
        cast(sum(grouped.csat * grouped.csat) as bigint) as csat_squares,
        count(*) filter (where grouped.csat >= 4) as satisfied,
        count(grouped.nps) as n_nps,
        count(*) filter (where grouped.nps >= 9) as promoters,
        count(*) filter (where grouped.nps <= 6) as detractors,
        count(*) filter (where {{ survey_disagrees('grouped.iqs_e4 / 10000', 'grouped.csat', 'grouped.nps') }})
            as disagreements
    from grouped
    cross join limits
    group by grouped.dimension, grouped.value, grouped.period, grouped.period_start
),

-- Spearman's correlation: Pearson's of the ranks. Ranks are doubled, so that the mean rank of a tie is a whole number.
{% for answer in ['csat', 'nps'] %}
ranked_{{ answer }} as (
    select
        dimension,
        value,
        period,
        period_start,
        2 * rank() over by_iqs + count(*) over same_iqs - 1 as x,
        2 * rank() over by_answer + count(*) over same_answer - 1 as y
    from grouped
    where iqs_e4 is not null and {{ answer }} is not null
    window
        by_iqs as (partition by dimension, value, period, period_start order by iqs_e4),
        same_iqs as (partition by dimension, value, period, period_start, iqs_e4),
        by_answer as (partition by dimension, value, period, period_start order by {{ answer }}),
        same_answer as (partition by dimension, value, period, period_start, {{ answer }})
),

correlated_{{ answer }} as (
    select
        dimension,
        value,
        period,
        period_start,
        count(*) as pairs,
        {{ correlation('x', 'y') }} as spearman
    from ranked_{{ answer }}
    group by dimension, value, period, period_start
),
{% endfor %}

estimated as (
    select
        added.*,
        added.csat_sum / added.n_csat as csat,
        quantiles.quantile
        * sqrt(
            greatest(added.n_csat * added.csat_squares - added.csat_sum * added.csat_sum, 0)
            / added.n_csat / (added.n_csat - 1) / added.n_csat
        ) as csat_margin
    from added
    asof left join quantiles on added.n_csat - 1 >= quantiles.degrees
),

together as (
    select
        estimated.*,
        {% for answer in ['csat', 'nps'] %}
        coalesce(correlated_{{ answer }}.pairs, 0) as pairs_{{ answer }},
        if(correlated_{{ answer }}.pairs > 3, correlated_{{ answer }}.spearman, null) as spearman_{{ answer }},
        -- Fisher's transformation with Bonett & Wright's (2000) standard error for ranks
        atanh(greatest(least(spearman_{{ answer }}, 0.999999), -0.999999)) as center_{{ answer }},
        1.96 * sqrt((1 + spearman_{{ answer }} * spearman_{{ answer }} / 2) / (correlated_{{ answer }}.pairs - 3))
            as margin_{{ answer }},
        {% endfor %}
        true as is_estimated
    from estimated
    {% for answer in ['csat', 'nps'] %}
    left join correlated_{{ answer }}
        on
            estimated.dimension = correlated_{{ answer }}.dimension
            and estimated.value = correlated_{{ answer }}.value
            and estimated.period = correlated_{{ answer }}.period
            and estimated.period_start = correlated_{{ answer }}.period_start
    {% endfor %}
)

select
    dimension,
    value,
    period,
    period_start,
    received,
    surveys,
    {{ share('surveys', 'received') }} as response_rate,
    n,
    {{ from_e4(divide_e4('score_e4', 'n')) }} as iqs,
    n_csat,
    {{ points('csat') }} as csat,
    {{ points('if(csat_margin is null, null, greatest(csat - csat_margin, 1))') }} as csat_low,
    {{ points('if(csat_margin is null, null, least(csat + csat_margin, 5))') }} as csat_high,
    {{ share('satisfied', 'n_csat') }} as satisfied_share,
    n_nps,
    promoters,
    detractors,
    {{ points('100 * (promoters - detractors) / nullif(n_nps, 0)') }} as nps,
    {% for answer in ['csat', 'nps'] %}
    pairs_{{ answer }},
    {{ points('spearman_' ~ answer) }} as spearman_{{ answer }},
    {{ points('tanh(center_' ~ answer ~ ' - margin_' ~ answer ~ ')') }} as spearman_{{ answer }}_low,
    {{ points('tanh(center_' ~ answer ~ ' + margin_' ~ answer ~ ')') }} as spearman_{{ answer }}_high,
    {% endfor %}
    disagreements
from together
