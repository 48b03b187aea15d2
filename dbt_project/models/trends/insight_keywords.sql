-- One row per period (week, month), party and keyword that rose or fell most since the period before.
-- Log odds with an informative Dirichlet prior, the keyword's share of both periods (Monroe, Colaresi & Quinn 2008):
-- rare words don't win by chance.
{{ config(materialized='view') }}

with days as (select * from {{ ref('int_keyword_days') }}),

limits as (
    select
        max(value) filter (where setting = 'keyword_prior') as prior,
        max(value) filter (where setting = 'keyword_at_least') as at_least,
        max(value) filter (where setting = 'keywords') as keywords
    from {{ ref('settings') }}
),

spoken as (
    {% for period in ['week', 'month'] %}
    select
        '{{ period }}' as period,
        {{ period_start(period, 'call_date') }} as period_start,
        party,
        keyword,
        cast(sum(interactions) as bigint) as n,
        arg_max(example_interaction_id, call_date) as example_interaction_id
    from days
    group by all
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

beside_the_one_before as (
    select
        *,
        0 as n_before
    from spoken
    union all
    select
        period,
        cast(period_start + if(period = 'week', interval 7 day, interval 1 month) as date) as period_start,
        party,
        keyword,
        0 as n,
        null as example_interaction_id,
        n as n_before
    from spoken
),

pairs as (
    select
        period,
        period_start,
        party,
        keyword,
        cast(sum(n) as bigint) as n,
        cast(sum(n_before) as bigint) as n_before,
        max(example_interaction_id) as example_interaction_id
    from beside_the_one_before
    group by period, period_start, party, keyword
),

totalled as (
    select
        *,
        cast(sum(n) over whole as bigint) as whole_n,
        cast(sum(n_before) over whole as bigint) as whole_before
    from pairs
    window whole as (partition by period, period_start, party)
),

weighed as (
    select
        totalled.*,
        cast(limits.prior as double) * (totalled.n + totalled.n_before) / (totalled.whole_n + totalled.whole_before)
            as prior_n,
        ln((totalled.n + prior_n) / (totalled.whole_n + limits.prior - totalled.n - prior_n))
        - ln(
            (totalled.n_before + prior_n)
            / (totalled.whole_before + limits.prior - totalled.n_before - prior_n)
        ) as log_odds,
        log_odds / sqrt(1 / (totalled.n + prior_n) + 1 / (totalled.n_before + prior_n)) as z
    from totalled
    cross join limits
    where
        totalled.whole_n > 0
        and totalled.whole_before > 0
        and totalled.n + totalled.n_before >= limits.at_least
        -- a party that says one thing only has no odds
        and totalled.n + totalled.n_before < totalled.whole_n + totalled.whole_before
),

ranked as (
    select
        *,
        row_number() over (
            partition by period, period_start, party, z > 0 order by abs(z) desc, n desc, keyword asc
        ) as position
    from weighed
)

select
    ranked.period,
    ranked.period_start,
    ranked.party,
    ranked.keyword,
    if(ranked.z > 0, 'rising', 'falling') as direction,
    ranked.position,
    ranked.n,
    ranked.n_before,
    cast(round(ranked.log_odds, 4) as decimal(9, 4)) as log_odds,
    cast(round(ranked.z, 4) as decimal(9, 4)) as z,
    abs(ranked.z) > 1.96 as is_beyond_chance,
    ranked.example_interaction_id
from ranked
cross join limits
where ranked.position <= limits.keywords
