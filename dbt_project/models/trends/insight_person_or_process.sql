-- One row per dimension (all, team), value, period, basis and component: does it go with the agent or with the matter?
-- Variance components of agents, issue types and the rest, by Henderson's method 1 (1953): the sums of squares of an
-- unbalanced two-way layout set equal to what the components make one expect, and solved.
-- depends_on: {{ ref('int_day_prints') }}
-- depends_on: {{ ref('int_check_days') }}
{{ config(materialized='incremental', incremental_strategy='append', pre_hook="{{ drop_trended_periods() }}") }}

with days as (
    select * from {{ ref('int_group_days') }}
    where dimension = 'agent' and value <> 'unknown' and n > 0 and {{ in_trended('any') }}
),

agents as (select * from {{ ref('dim_agents') }}),

cells as (
    {% for dimension in ['all', 'team'] %}
    {% for period in ['week', 'month'] %}
    select
        '{{ dimension }}' as dimension,
        if('{{ dimension }}' = 'all', 'all', coalesce(agents.team, 'unknown')) as value,
        '{{ period }}' as period,
        {{ period_start(period, 'days.call_date') }} as period_start,
        days.basis,
        days.value as agent_id,
        days.stratum as issue_type,
        cast(sum(days.n) as hugeint) as n,
        cast(sum(days.unfailed_e4) as hugeint) as score_e4,
        sum(days.unfailed_squares_e8) as squares_e8
    from days
    left join agents on days.value = agents.agent_id
    where {{ in_trended(period, 'days.call_date') }}
    group by all
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

margins as (
    select
        *,
        sum(n) over agent as agent_n,
        sum(score_e4) over agent as agent_e4,
        row_number() over (agent order by issue_type) = 1 as is_first_of_agent,
        sum(n) over issue as issue_n,
        sum(score_e4) over issue as issue_e4,
        row_number() over (issue order by agent_id) = 1 as is_first_of_issue
    from cells
    window
        agent as (partition by dimension, value, period, period_start, basis, agent_id),
        issue as (partition by dimension, value, period, period_start, basis, issue_type)
),

sums as (
    select
        dimension,
        value,
        period,
        period_start,
        basis,
        sum(n) as total_n,
        count(*) filter (where is_first_of_agent) as n_agents,
        count(*) filter (where is_first_of_issue) as n_issues,
        sum(squares_e8) - sum(score_e4) * sum(score_e4) // sum(n) as total_e8,
        sum(agent_e4 * agent_e4 // agent_n) filter (where is_first_of_agent) - sum(score_e4) * sum(score_e4) // sum(n)
            as between_agents_e8,
        sum(issue_e4 * issue_e4 // issue_n) filter (where is_first_of_issue) - sum(score_e4) * sum(score_e4) // sum(n)
            as between_issues_e8,
        -- what each component adds to these sums: exact fractions of counts, kept in 1/1000000
        sum(1000000 * agent_n * agent_n) filter (where is_first_of_agent) // sum(n) as agent_squares_e6,
        sum(1000000 * issue_n * issue_n) filter (where is_first_of_issue) // sum(n) as issue_squares_e6,
        sum(1000000 * n * n // agent_n) as issues_in_agents_e6,
        sum(1000000 * n * n // issue_n) as agents_in_issues_e6
    from margins
    group by dimension, value, period, period_start, basis
),

equations as (
    select
        *,
        total_n - agent_squares_e6 / 1000000 as agents_in_all,
        total_n - issue_squares_e6 / 1000000 as issues_in_all,
        (issues_in_agents_e6 - issue_squares_e6) / 1000000 as issues_in_agents,
        (agents_in_issues_e6 - agent_squares_e6) / 1000000 as agents_in_issues
    from sums
    where n_agents > 1 and n_issues > 1 and total_n > n_agents + n_issues
),

-- between_agents = agents_in_all * a + issues_in_agents * i + (n_agents - 1) * r, and so on: by Cramer's rule.
solved as (
    select
        *,
        {{ determinant([
            ['agents_in_all', 'issues_in_agents', 'n_agents - 1'],
            ['agents_in_issues', 'issues_in_all', 'n_issues - 1'],
            ['agents_in_all', 'issues_in_all', 'total_n - 1'],
        ]) }} as whole,
        {{ determinant([
            ['between_agents_e8', 'issues_in_agents', 'n_agents - 1'],
            ['between_issues_e8', 'issues_in_all', 'n_issues - 1'],
            ['total_e8', 'issues_in_all', 'total_n - 1'],
        ]) }} / nullif(whole, 0) / 100000000 as agents,
        {{ determinant([
            ['agents_in_all', 'between_agents_e8', 'n_agents - 1'],
            ['agents_in_issues', 'between_issues_e8', 'n_issues - 1'],
            ['agents_in_all', 'total_e8', 'total_n - 1'],
        ]) }} / nullif(whole, 0) / 100000000 as issues,
        {{ determinant([
            ['agents_in_all', 'issues_in_agents', 'between_agents_e8'],
            ['agents_in_issues', 'issues_in_all', 'between_issues_e8'],
            ['agents_in_all', 'issues_in_all', 'total_e8'],
        ]) }} / nullif(whole, 0) / 100000000 as residual
    from equations
),

-- An estimate below 0 means that chance alone spreads the groups that far: 0.
cut as (
    select
        *,
        greatest(agents, 0) as of_agents,
        greatest(issues, 0) as of_issues,
        greatest(residual, 0) as of_residual,
        nullif(of_agents + of_issues + of_residual, 0) as all_of_it,
        case
            when of_agents < 0.05 * all_of_it and of_issues < 0.05 * all_of_it then 'neither'
            when of_agents > 2 * of_issues then 'person'
            when of_issues > 2 * of_agents then 'process'
            else 'both'
        end as verdict
    from solved
    where agents is not null
)

{% for component, column, groups in [
    ('agents', 'of_agents', 'n_agents'),
    ('issue_types', 'of_issues', 'n_issues'),
    ('residual', 'of_residual', 'total_n'),
] %}
select
    dimension,
    value,
    period,
    period_start,
    basis,
    '{{ component }}' as component,
    cast(total_n as bigint) as n,
    cast({{ groups }} as bigint) as n_groups,
    cast(round({{ column }}, 4) as decimal(12, 4)) as variance,
    {{ points('sqrt(' ~ column ~ ')') }} as sd,
    cast(round({{ column }} / all_of_it, 6) as decimal(9, 6)) as share,
    verdict
from cut
{% if not loop.last %}union all{% endif %}
{% endfor %}
