-- One row per dimension, value, period and basis.
-- Days are added up first, then weeks and months from the days; every division comes last.
with interactions as (select * from {{ ref('fct_interactions') }}),

call_scores as (select * from {{ ref('fct_call_scores') }}),

quantiles as (select * from {{ ref('t_quantiles') }}),

bases as (select unnest(['as_scored', 'restated']) as basis),

scored as (
    select
        interactions.*,
        bases.basis,
        {{ to_e4('call_scores.iqs') }} as iqs_e4,
        {{ to_e4('call_scores.iqs_unfailed') }} as unfailed_e4,
        call_scores.is_failed as fails,
        cast(1000000 * (1 - call_scores.measured_weight) as bigint) as missing_e6,
        call_scores.scorecard || ' v' || call_scores.scorecard_version as card
    from interactions
    cross join bases
    left join call_scores
        on
            interactions.interaction_id = call_scores.interaction_id
            and interactions.call_date = call_scores.call_date
            and bases.basis = call_scores.basis
),

by_day as (
    {% for dimension, column in dimensions().items() %}
    select
        '{{ dimension }}' as dimension,
        coalesce({{ column }}, 'unknown') as value,
        call_date,
        basis,
        count(*) as received,
        count(*) filter (where status = 'excluded') as excluded,
        count(*) filter (where status = 'quarantined') as quarantined,
        count(*) filter (where is_recorded) as recorded,
        count(*) filter (where is_transcribed) as transcribed,
        count(iqs_e4) as n,
        sum(iqs_e4) as score_e4,
        sum(iqs_e4 * iqs_e4) as squares_e8,
        sum(unfailed_e4) as unfailed_e4,
        count(*) filter (where fails) as failed,
        sum(missing_e6) as missing_e6,
        list(distinct card) filter (where card is not null) as cards
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
        cast(sum(received) as bigint) as received,
        cast(sum(excluded) as bigint) as excluded,
        cast(sum(quarantined) as bigint) as quarantined,
        cast(sum(recorded) as bigint) as recorded,
        cast(sum(transcribed) as bigint) as transcribed,
        cast(sum(n) as bigint) as n,
        cast(coalesce(sum(score_e4), 0) as bigint) as score_e4,
        coalesce(sum(squares_e8), 0) as squares_e8,
        cast(coalesce(sum(unfailed_e4), 0) as bigint) as unfailed_e4,
        cast(sum(failed) as bigint) as failed,
        cast(coalesce(sum(missing_e6), 0) as bigint) as missing_e6,
        array_to_string(list_sort(list_distinct(flatten(list(cards)))), ',') as cards
    from by_day
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
    received,
    excluded,
    quarantined,
    recorded,
    transcribed,
    n,
    {{ from_e4('score_e4', 'decimal(18,4)') }} as score_sum,
    {{ from_e4('unfailed_e4', 'decimal(18,4)') }} as unfailed_sum,
    {{ from_e4(divide_e4('score_e4', 'n')) }} as iqs,
    cast(round(sd, 4) as decimal(9, 4)) as iqs_sd,
    cast(round(if(margin is null, null, greatest(mean - margin, 0)), 4) as decimal(9, 4)) as iqs_low,
    cast(round(if(margin is null, null, least(mean + margin, 100)), 4) as decimal(9, 4)) as iqs_high,
    failed,
    {{ share('n', 'received') }} as coverage,
    cast(cast({{ divide_e4('missing_e6', 'n') }} as decimal(12, 0)) * 0.000001 as decimal(9, 6)) as na_rate,
    nullif(cards, '') as scorecard_versions
from estimated
