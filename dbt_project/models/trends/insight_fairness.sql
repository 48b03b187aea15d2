-- One row per condition of the recording that an agent can't help: how much of the differences in scores goes with it.
-- r² of a line for what is measured, adjusted eta² (epsilon², Kelley 1935) for what is named; over the last days.
with interactions as (select * from {{ ref('fct_interactions') }} where status = 'scored'),

limits as (
    select
        max(value) filter (where setting = 'fairness_days') as fairness_days,
        max(value) filter (where setting = 'fairness_at_most') as at_most,
        max(value) filter (where setting = 'fairness_at_least') as at_least
    from {{ ref('settings') }}
),

recent as (
    select
        interactions.*,
        {{ to_e4('interactions.iqs_unfailed') }} as score_e4
    from interactions
    cross join limits
    where
        interactions.call_date
        > (select max(newest.call_date) from interactions as newest) - cast(limits.fairness_days as integer)
),

numbers as (
    {% for factor in ['snr_db', 'asr_confidence'] %}
    select
        '{{ factor }}' as factor,
        score_e4,
        cast(round({{ factor }} * 10000) as bigint) as x_e4
    from recent
    where {{ factor }} is not null
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

of_numbers as (
    select
        factor,
        count(*) as n,
        cast(null as bigint) as n_groups,
        {{ correlation('x_e4', 'score_e4') }} as correlation,
        correlation * correlation as share
    from numbers
    group by factor
),

names as (
    {% for factor in ['language', 'channel', 'layout'] %}
    select
        '{{ factor }}' as factor,
        coalesce({{ factor }}, 'unknown') as name,
        score_e4
    from recent
    {{ "where layout is not null" if factor == 'layout' }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

named as (
    select
        factor,
        name,
        count(*) as n,
        sum(cast(score_e4 as hugeint)) as score_e4,
        sum(cast(score_e4 as hugeint) * score_e4) as squares_e8
    from names
    group by factor, name
),

of_names as (
    select
        factor,
        cast(sum(n) as bigint) as n,
        count(*) as n_groups,
        cast(null as double) as correlation,
        1
        - (sum(squares_e8) - sum(score_e4 * score_e4 // n))
        / nullif(sum(squares_e8) - sum(score_e4) * sum(score_e4) // sum(n), 0)
        * (sum(n) - 1)
        / nullif(sum(n) - count(*), 0) as share
    from named
    group by factor
),

together as (
    select * from of_numbers
    union all
    select * from of_names
)

select
    together.factor,
    together.n,
    together.n_groups,
    cast(round(together.correlation, 6) as decimal(9, 6)) as correlation,
    cast(round(greatest(together.share, 0), 6) as decimal(9, 6)) as explained_share,
    cast(limits.at_most as decimal(9, 6)) as at_most,
    coalesce(together.n >= limits.at_least and together.share > limits.at_most, false) as is_warning
from together
cross join limits
