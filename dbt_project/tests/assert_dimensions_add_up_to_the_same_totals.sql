-- Agents, campaigns, issue types, … add up to the whole centre, and the whole centre to the interactions.
with by_dimension as (
    select
        dimension,
        period,
        period_start,
        basis,
        sum(received) as received,
        sum(n) as n,
        sum(score_sum) as score_sum
    from {{ ref('trend_iqs') }}
    where {{ in_scored_periods() }}
    group by all
),

by_interaction as (
    select
        interactions.call_date as period_start,
        count(*) as received,
        count(scores.iqs) as n,
        coalesce(sum(scores.iqs), 0) as score_sum
    from {{ ref('fct_interactions') }} as interactions
    left join {{ ref('fct_call_scores') }} as scores
        on
            interactions.interaction_id = scores.interaction_id
            and interactions.call_date = scores.call_date
            and scores.basis = 'as_scored'
    where {{ in_scored_days('interactions.call_date') }}
    group by interactions.call_date
),

whole as (select * from by_dimension where dimension = 'all'),

whole_days as (
    select * from whole
    where period = 'day' and basis = 'as_scored' and {{ in_scored_days('period_start') }}
)

select
    by_dimension.dimension,
    by_dimension.period,
    by_dimension.period_start
from by_dimension
left join whole
    on
        by_dimension.period = whole.period
        and by_dimension.period_start = whole.period_start
        and by_dimension.basis = whole.basis
where
    by_dimension.received is distinct from whole.received
    or by_dimension.n is distinct from whole.n
    or by_dimension.score_sum is distinct from whole.score_sum
union all
select
    'interactions' as dimension,
    'day' as period,
    coalesce(whole.period_start, by_interaction.period_start) as period_start
from by_interaction
full outer join whole_days as whole on by_interaction.period_start = whole.period_start
where
    by_interaction.received is distinct from whole.received
    or by_interaction.n is distinct from whole.n
    or by_interaction.score_sum is distinct from whole.score_sum
