-- One row per dimension, value, period and basis.
-- Integers are added up from the days; every division comes last.
-- depends_on: {{ ref('int_day_prints') }}
-- depends_on: {{ ref('int_check_days') }}
{{ config(materialized='incremental', incremental_strategy='append', pre_hook="{{ drop_trended_periods() }}") }}

{% set counts = [
    'received', 'excluded', 'quarantined', 'recorded', 'mono', 'transcribed', 'n', 'immature', 'failed'
] %}

with days as (select * from {{ ref('int_group_days') }} where {{ in_trended('any') }}),

interactions as (select * from {{ ref('fct_interactions') }} where {{ in_trended('any') }}),

checked as (select * from {{ ref('int_check_days') }}),

quantiles as (select * from {{ ref('t_quantiles') }}),

limits as (
    select
        max(value) filter (where setting = 'rank_at_least') as rank_at_least,
        max(value) filter (where setting = 'dip_at_least') as dip_at_least,
        max(value) filter (where setting = 'dip_periods_at_least') as dip_periods_at_least
    from {{ ref('settings') }}
),

newest as (select max(call_date) as last_day from {{ ref('fct_interactions') }}),

strata as (
    {% for period in ['day', 'week', 'month'] %}
    select
        dimension,
        value,
        first_of_pair,
        second_of_pair,
        '{{ period }}' as period,
        {{ period_start(period, 'call_date') }} as period_start,
        basis,
        stratum,
        max(call_date) as last_call_date,
        {% for count in counts %}
        cast(sum({{ count }}) as bigint) as {{ count }},
        {% endfor %}
        cast(sum(score_e4) as bigint) as score_e4,
        sum(squares_e8) as squares_e8,
        cast(sum(unfailed_e4) as bigint) as unfailed_e4,
        cast(sum(weight_e4) as bigint) as weight_e4,
        sum(points_e8) as points_e8,
        cast(sum(missing_e6) as bigint) as missing_e6,
        list_distinct(flatten(list(cards))) as cards,
        list(distinct measured_by) filter (where n > 0) as measured_by
    from days
    where {{ in_trended(period) }}
    group by all
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

centre as (select * from strata where dimension = 'all' and n > 0),

by_period as (
    select
        strata.dimension,
        strata.value,
        strata.first_of_pair,
        strata.second_of_pair,
        strata.period,
        strata.period_start,
        strata.basis,
        max(strata.last_call_date) as last_call_date,
        {% for count in counts %}
        cast(sum(strata.{{ count }}) as bigint) as {{ count }},
        {% endfor %}
        cast(sum(strata.score_e4) as bigint) as score_e4,
        sum(strata.squares_e8) as squares_e8,
        cast(sum(strata.unfailed_e4) as bigint) as unfailed_e4,
        cast(sum(strata.weight_e4) as bigint) as weight_e4,
        sum(strata.points_e8) as points_e8,
        cast(sum(strata.missing_e6) as bigint) as missing_e6,
        -- what the group would score if it did as the whole centre does on each of its issue types
        cast(sum({{ divide_e4('strata.n * centre.score_e4', 'centre.n') }}) as bigint) as expected_e4,
        array_to_string(list_sort(list_distinct(flatten(list(strata.cards)))), ',') as cards,
        array_to_string(list_sort(list_distinct(flatten(list(strata.measured_by)))), '; ') as measured_by
    from strata
    left join centre
        on
            strata.period = centre.period
            and strata.period_start = centre.period_start
            and strata.basis = centre.basis
            and strata.stratum = centre.stratum
    group by all
),

-- Beside the peers: variance within and between the values of the dimension, by one-way analysis of variance. In
-- 1/10^14, so that what the whole division by n drops is far below the smallest variance that scores can have.
among_peers as (
    select
        *,
        count(*) over peers as peers,
        cast(sum(n) over peers as hugeint) as peers_n,
        sum(cast(score_e4 as hugeint)) over peers as peers_e4,
        sum(cast(n as hugeint) * n) over peers as peers_n_squares,
        sum(1000000 * cast(score_e4 as hugeint) * score_e4 // n) over peers as groups_e14,
        1000000 * sum(squares_e8) over peers as calls_e14
    from by_period
    where n > 0
    window peers as (partition by dimension, period, period_start, basis)
),

variances as (
    select
        *,
        (calls_e14 - groups_e14) / (peers_n - peers) as within_e14,
        (groups_e14 - 1000000 * peers_e4 * peers_e4 // peers_n) / (peers - 1) as between_groups_e14,
        (peers_n - peers_n_squares / peers_n) / (peers - 1) as typical_n,
        greatest((between_groups_e14 - within_e14) / typical_n, 0) as between_e14
    from among_peers
    where peers > 1 and peers_n > peers
),

shrunk as (
    select
        dimension,
        value,
        period,
        period_start,
        basis,
        peers,
        peers_e4 / peers_n / 10000 as peer_mean,
        if(between_e14 = 0, 0, between_e14 / (between_e14 + within_e14 / n)) as own_share,
        peer_mean + own_share * (score_e4 / n / 10000 - peer_mean) as shrunk_mean
    from variances
),

-- Beside its own past: an XmR chart of the 20 periods before. A moving range is brought to what one call would show, so
-- that periods with few calls get the wider limits that they need; with equal numbers the limits are mean ± 2.66 mR.
{% if is_incremental() %}
-- 20 periods before, for each of 8 in a row, and one more for the first move among them
earlier as (
    select
        dimension,
        value,
        period,
        basis,
        unnest(
            max({ 'period_start': period_start, 'n': n, 'score_e4': {{ to_e4('score_sum') }} }, 28), recursive := true
        )
    from {{ this }}
    where n > 0 and not {{ in_trended_periods() }}
    group by dimension, value, period, basis
),
{% endif %}

points as (
    select
        dimension,
        value,
        period,
        basis,
        period_start,
        n,
        score_e4
    from by_period
    where n > 0
    {% if is_incremental() %}
    union all by name
    select earlier.*
    from earlier
    semi join by_period
        on
            earlier.dimension = by_period.dimension
            and earlier.value = by_period.value
            and earlier.period = by_period.period
            and earlier.basis = by_period.basis
    {% endif %}
),

moves as (
    select
        *,
        score_e4 / n as mean_e4,
        lag(n) over series as n_before,
        abs(mean_e4 - lag(score_e4 / n) over series) / (sqrt(2 / pi()) * sqrt(1 / n + 1 / n_before)) as move_e4
    from points
    window series as (partition by dimension, value, period, basis order by period_start)
),

baselines as (
    select
        *,
        count(*) over past as past_points,
        sum(score_e4) over past / sum(n) over past as center_e4,
        sum(cast(round(move_e4) as bigint)) over past / count(move_e4) over past as spread_e4
    from moves
    window past as (
        partition by dimension, value, period, basis
        order by period_start rows between 20 preceding and 1 preceding
    )
),

judged as (
    select
        baselines.dimension,
        baselines.value,
        baselines.period,
        baselines.period_start,
        baselines.basis,
        baselines.n,
        baselines.mean_e4,
        baselines.center_e4,
        3 * baselines.spread_e4 / sqrt(baselines.n) as reach_e4,
        3 * (baselines.mean_e4 - baselines.center_e4) / nullif(reach_e4, 0) as sigmas,
        baselines.n >= limits.dip_at_least as is_enough
    from baselines
    cross join limits
    where baselines.past_points >= limits.dip_periods_at_least
),

controlled as (
    select
        *,
        case
            when not is_enough or sigmas is null then null
            when sigmas < -3 then 'below the lower limit'
            when sigmas < -2 and count(*) filter (where sigmas < -2) over last_3 >= 2
                then '2 of 3 more than 2 sigma below the center'
            when count(*) filter (where sigmas < 0) over last_8 = 8 then '8 in a row below the center'
        end as rule
    from judged
    window
        last_3 as (
            partition by dimension, value, period, basis
            order by period_start rows between 2 preceding and current row
        ),
        last_8 as (
            partition by dimension, value, period, basis
            order by period_start rows between 7 preceding and current row
        )
),

heard as (
    {% for dimension, columns in dimensions().items() %}
    select
        '{{ dimension }}' as dimension,
        {{ dimension_value(columns) }} as value,
        call_date,
        asr_confidence,
        snr_db
    from interactions
    where asr_confidence is not null or snr_db is not null
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

medians as (
    {% for period in ['day', 'week', 'month'] %}
    select
        dimension,
        value,
        '{{ period }}' as period,
        {{ period_start(period, 'call_date') }} as period_start,
        median(asr_confidence) as asr_confidence,
        median(snr_db) as snr_db
    from heard
    where {{ in_trended(period) }}
    group by all
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

checks as (
    {% for period in ['day', 'week', 'month'] %}
    select
        '{{ period }}' as period,
        {{ period_start(period, 'call_date') }} as period_start,
        case
            when bool_or(check_status = 'failed') then 'failed'
            when bool_or(check_status = 'warning') then 'warning'
            else 'passed'
        end as check_status
    from checked
    where {{ in_trended(period) }}
    group by all
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

estimated as (
    select
        by_period.*,
        by_period.score_e4 / nullif(by_period.n, 0) / 10000 as mean,
        {{ deviation('by_period.n', 'cast(by_period.score_e4 as hugeint)', 'by_period.squares_e8') }} as sd,
        quantiles.quantile * sd / sqrt(by_period.n) as margin
    from by_period
    asof left join quantiles on by_period.n - 1 >= quantiles.degrees
),

together as (
    select
        estimated.*,
        all_calls.mean + (estimated.score_e4 - estimated.expected_e4) / nullif(estimated.n, 0) / 10000 as adjusted,
        shrunk.* exclude (dimension, value, period, period_start, basis),
        controlled.center_e4,
        controlled.reach_e4,
        controlled.is_enough,
        controlled.rule,
        medians.asr_confidence,
        medians.snr_db,
        coalesce(checks.check_status, 'unchecked') as check_status
    from estimated
    left join estimated as all_calls
        on
            all_calls.dimension = 'all'
            and estimated.period = all_calls.period
            and estimated.period_start = all_calls.period_start
            and estimated.basis = all_calls.basis
    left join shrunk
        on
            estimated.dimension = shrunk.dimension
            and estimated.value = shrunk.value
            and estimated.period = shrunk.period
            and estimated.period_start = shrunk.period_start
            and estimated.basis = shrunk.basis
    left join controlled
        on
            estimated.dimension = controlled.dimension
            and estimated.value = controlled.value
            and estimated.period = controlled.period
            and estimated.period_start = controlled.period_start
            and estimated.basis = controlled.basis
    left join medians
        on
            estimated.dimension = medians.dimension
            and estimated.value = medians.value
            and estimated.period = medians.period
            and estimated.period_start = medians.period_start
    left join checks on estimated.period = checks.period and estimated.period_start = checks.period_start
)

select
    dimension,
    value,
    first_of_pair,
    second_of_pair,
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
    {{ points('sd') }} as iqs_sd,
    {{ points('if(margin is null, null, greatest(mean - margin, 0))') }} as iqs_low,
    {{ points('if(margin is null, null, least(mean + margin, 100))') }} as iqs_high,
    failed,
    {{ share('n', 'received') }} as coverage,
    cast(cast({{ divide_e4('missing_e6', 'n') }} as decimal(12, 0)) * 0.000001 as decimal(9, 6)) as na_rate,
    nullif(cards, '') as scorecard_versions,
    {{ from_e4('weight_e4', 'decimal(18,4)') }} as weight_sum,
    {{ from_e4(divide_e4('points_e8', 'weight_e4')) }} as iqs_pooled,
    peers,
    {{ points('peer_mean') }} as peer_iqs,
    {{ points('shrunk_mean') }} as iqs_shrunk,
    cast(round(own_share, 6) as decimal(9, 6)) as own_share,
    if(dimension in ('issue_type', 'driver', 'intent') or dimension like '%_issue_type', null, {{ points('adjusted') }})
        as iqs_case_mix,
    {{ points('center_e4 / 10000') }} as xmr_center,
    {{ points('if(reach_e4 is null, null, greatest((center_e4 - reach_e4) / 10000, 0))') }} as xmr_low,
    {{ points('if(reach_e4 is null, null, least((center_e4 + reach_e4) / 10000, 100))') }} as xmr_high,
    if(is_enough, rule is not null, null) as dip,
    rule as dip_rule,
    n >= limits.rank_at_least as is_ranked,
    immature,
    {{ share('immature', 'n') }} as immature_share,
    mono,
    {{ share('mono', 'recorded') }} as mono_share,
    cast(round(asr_confidence, 6) as decimal(9, 6)) as asr_confidence,
    cast(round(snr_db, 4) as decimal(9, 4)) as snr_db,
    nullif(measured_by, '') as extractor_versions,
    last_call_date,
    newest.last_day >= period_start
    + case period
        when 'day' then interval 0 day
        when 'week' then interval 6 day
        else interval 1 month - interval 1 day
    end
        as is_complete,
    check_status
from together
cross join limits
cross join newest
