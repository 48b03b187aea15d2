-- One row per passage of the agents' that two or more of them say and after which customers break off more than usual.
{{ config(materialized='view') }}

with passages as (select * from {{ ref('int_agent_passages') }}),

limits as (
    select
        max(value) filter (where setting = 'script_days') as script_days,
        max(value) filter (where setting = 'script_calls_at_least') as calls_at_least
    from {{ ref('settings') }}
),

recent as (
    select passages.*
    from passages
    cross join limits
    where
        passages.call_date
        > (select max(newest.call_date) from passages as newest) - cast(limits.script_days as integer)
),

usual as (
    select
        cast(sum(broken) as bigint) as broken,
        cast(sum(n) as bigint) as n
    from recent
),

counted as (
    select
        passage,
        min(call_date) as first_call_date,
        max(call_date) as last_call_date,
        count(distinct agent_id) as agents,
        count(distinct interaction_id) as interactions,
        cast(sum(n) as bigint) as n,
        cast(sum(silent) as bigint) as silent,
        cast(sum(pushed_back) as bigint) as pushed_back,
        cast(sum(repeated) as bigint) as repeated,
        cast(sum(broken) as bigint) as broken,
        arg_max(interaction_id, (broken, call_date, interaction_id)) as example_interaction_id
    from recent
    group by passage
),

-- Wilson's 95 % interval (1927): sound for few calls and for shares near 0.
estimated as (
    select
        counted.*,
        usual.broken / usual.n as usual_share,
        counted.broken / counted.n as break_share,
        1.96 * 1.96 / counted.n as z2_n,
        (break_share + z2_n / 2) / (1 + z2_n) as middle,
        1.96 * sqrt(break_share * (1 - break_share) / counted.n + z2_n / counted.n / 4) / (1 + z2_n) as reach
    from counted
    cross join usual
    cross join limits
    where counted.agents >= 2 and counted.interactions >= limits.calls_at_least
)

select
    passage,
    row_number() over (order by middle - reach desc, broken desc, passage asc) as position,
    agents,
    interactions,
    n,
    silent,
    pushed_back,
    repeated,
    broken,
    cast(round(break_share, 6) as decimal(9, 6)) as break_share,
    cast(round(middle - reach, 6) as decimal(9, 6)) as break_share_low,
    cast(round(middle + reach, 6) as decimal(9, 6)) as break_share_high,
    cast(round(usual_share, 6) as decimal(9, 6)) as usual_share,
    first_call_date,
    last_call_date,
    example_interaction_id
from estimated
where middle - reach > usual_share
