-- One row per dimension, value and period that has scored interactions, as has the period just before.
-- Behaviour and mix by the symmetric split (Kitagawa 1955) over issue types on the restated basis. Of the behaviour
-- that part goes to the extractor which, within an issue type and channel, is not found between interactions that were
-- measured alike. The scorecard's part is what as_scored changed more than restated; what is left is the mix.
-- depends_on: {{ ref('int_day_prints') }}
-- depends_on: {{ ref('int_check_days') }}
{{ config(materialized='incremental', incremental_strategy='append', pre_hook="{{ drop_trended_periods() }}") }}

with days as (
    select * from {{ ref('int_group_days') }}
    where
        dimension in ('all', 'agent', 'team', 'campaign', 'client', 'issue_type')
        and n > 0
        and {{ in_trended('any', before=true) }}
),

measured as (
    {% for period in ['week', 'month'] %}
    select
        dimension,
        value,
        '{{ period }}' as period,
        {{ period_start(period, 'call_date') }} as period_start,
        basis,
        stratum,
        through,
        measured_by,
        sum(n) as n,
        sum(score_e4) as score_e4
    from days
    where {{ in_trended(period, before=true) }}
    group by all
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

beside_the_one_before as (
    select
        *,
        0 as n_before,
        0 as score_before_e4
    from measured
    union all
    select
        * exclude (n, score_e4) replace (
            cast(period_start + if(period = 'week', interval 7 day, interval 1 month) as date) as period_start
        ),
        0 as n,
        0 as score_e4,
        n as n_before,
        score_e4 as score_before_e4
    from measured
),

-- From the finest (issue type, channel, extractor) to the whole; a mean of nothing is NULL and leaves its sum.
alike as (
    select
        dimension,
        value,
        period,
        period_start,
        basis,
        stratum,
        through,
        measured_by,
        cast(sum(n) as bigint) as n,
        cast(sum(score_e4) as bigint) as score_e4,
        cast(sum(n_before) as bigint) as n_before,
        cast(sum(score_before_e4) as bigint) as score_before_e4,
        {{ change_of_means('score_e4', 'n', 'score_before_e4', 'n_before') }} as change
    from beside_the_one_before
    group by dimension, value, period, period_start, basis, stratum, through, measured_by
),

shared_alike as (
    select
        *,
        sum(n) over cell as cell_n,
        sum(n_before) over cell as cell_before
    from alike
    window cell as (partition by dimension, value, period, period_start, basis, stratum, through)
),

cells as (
    select
        dimension,
        value,
        period,
        period_start,
        basis,
        stratum,
        through,
        cast(sum(n) as bigint) as n,
        cast(sum(score_e4) as bigint) as score_e4,
        cast(sum(n_before) as bigint) as n_before,
        cast(sum(score_before_e4) as bigint) as score_before_e4,
        {{ change_of_means('score_e4', 'n', 'score_before_e4', 'n_before') }} as change,
        coalesce(
            sum({{ mean_share('n', 'cell_n', 'n_before', 'cell_before') }} * change),
            0
        ) as change_alike,
        count(change) > 0 as is_comparable
    from shared_alike
    group by dimension, value, period, period_start, basis, stratum, through
),

wholes as (
    select
        *,
        sum(n) over whole as whole_n,
        sum(n_before) over whole as whole_before
    from cells
    window whole as (partition by dimension, value, period, period_start, basis)
),

issues as (
    select
        dimension,
        value,
        period,
        period_start,
        basis,
        whole_n,
        whole_before,
        stratum,
        cast(sum(n) as bigint) as n,
        cast(sum(score_e4) as bigint) as score_e4,
        cast(sum(n_before) as bigint) as n_before,
        cast(sum(score_before_e4) as bigint) as score_before_e4,
        {{ change_of_means('score_e4', 'n', 'score_before_e4', 'n_before') }} as change,
        sum(
            {{ mean_share('n', 'whole_n', 'n_before', 'whole_before') }}
            * (change - change_alike)
        ) as extractor,
        bool_and(change is null or is_comparable) as is_separable
    from wholes
    where whole_n > 0 and whole_before > 0
    group by dimension, value, period, period_start, basis, whole_n, whole_before, stratum
),

split as (
    select
        dimension,
        value,
        period,
        period_start,
        basis,
        cast(sum(n) as bigint) as n,
        cast(sum(n_before) as bigint) as n_before,
        {{ from_e4(divide_e4('sum(score_e4)', 'sum(n)')) }} as iqs,
        {{ from_e4(divide_e4('sum(score_before_e4)', 'sum(n_before)')) }} as iqs_before,
        coalesce(sum({{ mean_share('n', 'whole_n', 'n_before', 'whole_before') }} * change), 0)
            as within_issues,
        coalesce(sum(extractor), 0) as extractor,
        bool_and(is_separable) as is_separable
    from issues
    group by dimension, value, period, period_start, basis
),

compared as (
    select
        as_scored.*,
        as_scored.iqs - as_scored.iqs_before as change,
        restated.iqs - restated.iqs_before as restated_change,
        cast(round(restated.extractor, 4) as decimal(9, 4)) as extractor_part,
        cast(round(restated.within_issues - restated.extractor, 4) as decimal(9, 4)) as behaviour_part
    from split as as_scored
    inner join split as restated
        on
            as_scored.dimension = restated.dimension
            and as_scored.value = restated.value
            and as_scored.period = restated.period
            and as_scored.period_start = restated.period_start
            and restated.basis = 'restated'
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
    behaviour_part as behaviour,
    cast(restated_change - behaviour_part - extractor_part as decimal(9, 4)) as mix,
    cast(change - restated_change as decimal(9, 4)) as scorecard,
    extractor_part as extractor,
    is_separable
from compared
where {{ in_trended_periods(['week', 'month']) }}
