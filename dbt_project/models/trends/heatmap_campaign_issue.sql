-- One row per campaign, issue type, period and basis.
with interactions as (select * from {{ ref('fct_interactions') }}),

call_scores as (select * from {{ ref('fct_call_scores') }}),

bases as (select unnest(['as_scored', 'restated']) as basis),

scored as (
    select
        interactions.call_date,
        bases.basis,
        coalesce(interactions.campaign, 'unknown') as campaign,
        coalesce(interactions.issue_type, 'unknown') as issue_type,
        {{ to_e4('call_scores.iqs') }} as iqs_e4
    from interactions
    cross join bases
    left join call_scores
        on
            interactions.interaction_id = call_scores.interaction_id
            and interactions.call_date = call_scores.call_date
            and bases.basis = call_scores.basis
),

by_period as (
    {% for period in ['week', 'month'] %}
    select
        campaign,
        issue_type,
        '{{ period }}' as period,
        {{ period_start(period, 'call_date') }} as period_start,
        basis,
        count(*) as received,
        count(iqs_e4) as n,
        cast(coalesce(sum(iqs_e4), 0) as bigint) as score_e4
    from scored
    group by all
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select
    campaign,
    issue_type,
    period,
    period_start,
    basis,
    received,
    n,
    {{ from_e4('score_e4', 'decimal(18,4)') }} as score_sum,
    {{ from_e4(divide_e4('score_e4', 'n')) }} as iqs
from by_period
