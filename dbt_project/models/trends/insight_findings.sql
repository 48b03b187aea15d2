-- One row per kind of finding, subject, period and basis that two or more comparisons speak about.
-- process: an issue type beside the same agents' other calls. person: an agent beside the other agents on the same
-- issue types. What is low across most of them is a finding; so an agent is not blamed for the matter, nor the other
-- way round.
{{ config(materialized='view') }}

with days as (select * from {{ ref('int_group_days') }} where dimension = 'agent' and value <> 'unknown' and n > 0),

quantiles as (select * from {{ ref('t_quantiles') }}),

enough as (
    select
        max(value) filter (where setting = 'finding_calls_at_least') as n,
        max(value) filter (where setting = 'finding_gap_at_least') as gap
    from {{ ref('settings') }}
),

cells as (
    {% for period in ['week', 'month'] %}
    select
        '{{ period }}' as period,
        {{ period_start(period, 'call_date') }} as period_start,
        basis,
        value as agent_id,
        stratum as issue_type,
        cast(sum(n) as bigint) as n,
        cast(sum(unfailed_e4) as bigint) as score_e4
    from days
    group by all
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

besides as (
    select
        *,
        sum(n) over agent - n as own_others_n,
        sum(score_e4) over agent - score_e4 as own_others_e4,
        sum(n) over issue - n as others_n,
        sum(score_e4) over issue - score_e4 as others_e4
    from cells
    window
        agent as (partition by period, period_start, basis, agent_id),
        issue as (partition by period, period_start, basis, issue_type)
),

comparisons as (
    select
        'process' as kind,
        issue_type as subject,
        period,
        period_start,
        basis,
        besides.n,
        cast(round(score_e4 / besides.n - own_others_e4 / own_others_n) as bigint) as gap_e4
    from besides
    cross join enough
    where besides.n >= enough.n and besides.own_others_n >= enough.n
    union all
    select
        'person' as kind,
        agent_id as subject,
        period,
        period_start,
        basis,
        besides.n,
        cast(round(score_e4 / besides.n - others_e4 / others_n) as bigint) as gap_e4
    from besides
    cross join enough
    where besides.n >= enough.n and besides.others_n >= enough.n
),

added as (
    select
        kind,
        subject,
        period,
        period_start,
        basis,
        cast(sum(n) as bigint) as n,
        count(*) as comparisons,
        count(*) filter (where gap_e4 < 0) as lower,
        cast(sum(gap_e4) as bigint) as gap_e4,
        sum(cast(gap_e4 as hugeint) * gap_e4) as squares_e8
    from comparisons
    group by kind, subject, period, period_start, basis
    having count(*) > 1
),

estimated as (
    select
        added.*,
        added.gap_e4 / added.comparisons / 10000 as gap,
        quantiles.quantile
        * {{ deviation('added.comparisons', 'cast(added.gap_e4 as hugeint)', 'added.squares_e8') }}
        / sqrt(added.comparisons) as margin
    from added
    asof left join quantiles on added.comparisons - 1 >= quantiles.degrees
)

select
    kind,
    subject,
    period,
    period_start,
    basis,
    estimated.n,
    comparisons,
    lower,
    {{ share('lower', 'comparisons') }} as lower_share,
    {{ points('estimated.gap') }} as gap,
    {{ points('estimated.gap - margin') }} as gap_low,
    {{ points('estimated.gap + margin') }} as gap_high,
    comparisons >= 3
    and 3 * lower >= 2 * comparisons
    and estimated.gap + margin < 0
    and estimated.gap <= -enough.gap as is_finding
from estimated
cross join enough
