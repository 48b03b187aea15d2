-- One row per dimension, value and period that has scored interactions, as has the period just before.
-- Behaviour and mix by the symmetric split (Kitagawa 1955) over issue types on the restated basis; the scorecard's part
-- is what as_scored changed more than restated; what rounding leaves over goes to the mix.
with interactions as (select * from {{ ref('fct_interactions') }}),

call_scores as (select * from {{ ref('fct_call_scores') }}),

metrics as (select * from {{ ref('fct_metrics') }}),

scored as (
    select
        interactions.agent_id,
        interactions.team,
        interactions.campaign,
        interactions.client,
        coalesce(interactions.issue_type, 'unknown') as issue_type,
        call_scores.call_date,
        call_scores.basis,
        {{ to_e4('call_scores.iqs') }} as iqs_e4
    from call_scores
    inner join interactions
        on call_scores.interaction_id = interactions.interaction_id and call_scores.call_date = interactions.call_date
),

strata as (
    {% for dimension, column in dimensions(['all', 'agent', 'team', 'campaign', 'client']).items() %}
    {% for period in ['week', 'month'] %}
    select
        '{{ dimension }}' as dimension,
        coalesce({{ column }}, 'unknown') as value,
        '{{ period }}' as period,
        {{ period_start(period, 'call_date') }} as period_start,
        issue_type,
        basis,
        count(*) as n,
        cast(sum(iqs_e4) as bigint) as score_e4
    from scored
    group by all
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

beside_the_one_before as (
    select
        *,
        0 as n_before,
        0 as score_before_e4
    from strata
    union all
    select
        dimension,
        value,
        period,
        cast(period_start + if(period = 'week', interval 7 day, interval 1 month) as date) as period_start,
        issue_type,
        basis,
        0 as n,
        0 as score_e4,
        n as n_before,
        score_e4 as score_before_e4
    from strata
),

pairs as (
    select
        dimension,
        value,
        period,
        period_start,
        basis,
        issue_type,
        cast(sum(n) as bigint) as n,
        cast(sum(score_e4) as bigint) as score_e4,
        cast(sum(n_before) as bigint) as n_before,
        cast(sum(score_before_e4) as bigint) as score_before_e4
    from beside_the_one_before
    group by all
),

totalled as (
    select
        *,
        cast(sum(n) over whole as bigint) as total_n,
        cast(sum(n_before) over whole as bigint) as total_before
    from pairs
    window whole as (partition by dimension, value, period, period_start, basis)
),

split as (
    select
        dimension,
        value,
        period,
        period_start,
        basis,
        total_n,
        total_before,
        cast(sum(score_e4) as bigint) as score_e4,
        cast(sum(score_before_e4) as bigint) as score_before_e4,
        sum(
            cast(
                round(
                    (n / total_n + n_before / total_before) / 2
                    * (score_e4 / nullif(n, 0) - score_before_e4 / nullif(n_before, 0))
                    / 10000,
                    9
                ) as decimal(18, 9)
            )
        ) as behaviour
    from totalled
    where total_n > 0 and total_before > 0
    group by all
),

averaged as (
    select
        * exclude (behaviour),
        {{ from_e4(divide_e4('score_e4', 'total_n')) }} as iqs,
        {{ from_e4(divide_e4('score_before_e4', 'total_before')) }} as iqs_before,
        cast(round(coalesce(behaviour, 0), 4) as decimal(9, 4)) as behaviour
    from split
),

versions as (
    {% for period in ['week', 'month'] %}
    select
        '{{ period }}' as period,
        {{ period_start(period, 'call_date') }} as period_start,
        string_agg(distinct extractor_version, ',' order by extractor_version) as extractor_versions
    from metrics
    group by all
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

compared as (
    select
        as_scored.dimension,
        as_scored.value,
        as_scored.period,
        as_scored.period_start,
        as_scored.total_before as n_before,
        as_scored.total_n as n,
        as_scored.iqs_before,
        as_scored.iqs,
        as_scored.iqs - as_scored.iqs_before as change,
        coalesce(restated.behaviour, 0) as behaviour,
        change - coalesce(restated.iqs - restated.iqs_before, 0) as scorecard,
        coalesce(current_versions.extractor_versions, '') <> coalesce(earlier_versions.extractor_versions, '')
            as is_measured_otherwise
    from averaged as as_scored
    left join averaged as restated
        on
            as_scored.dimension = restated.dimension
            and as_scored.value = restated.value
            and as_scored.period = restated.period
            and as_scored.period_start = restated.period_start
            and restated.basis = 'restated'
    left join versions as current_versions
        on as_scored.period = current_versions.period and as_scored.period_start = current_versions.period_start
    left join versions as earlier_versions
        on
            as_scored.period = earlier_versions.period
            and as_scored.period_start
            = earlier_versions.period_start + if(as_scored.period = 'week', interval 7 day, interval 1 month)
    where as_scored.basis = 'as_scored'
)

select
    dimension,
    value,
    period,
    period_start,
    n_before,
    n,
    iqs_before,
    iqs,
    cast(change as decimal(9, 4)) as change,
    cast(behaviour as decimal(9, 4)) as behaviour,
    cast(change - behaviour - scorecard as decimal(9, 4)) as mix,
    cast(scorecard as decimal(9, 4)) as scorecard,
    if(is_measured_otherwise, null, cast(0 as decimal(9, 4))) as extractor
from compared
