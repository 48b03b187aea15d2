-- One row per process change and measure: the mean of the days before against the days from the change on.
-- Beside it, where the change concerns a campaign or an issue type only, the same difference of all others: what
-- happened anyway. The effect is the one less the other (difference in differences), with Welch's interval. IQS as
-- restated, so that another scorecard is no effect.
{{ config(materialized='view') }}

{% set groups = [
    ('before', 'is_concerned and not is_after'),
    ('after', 'is_concerned and is_after'),
    ('others_before', 'not is_concerned and not is_after'),
    ('others_after', 'not is_concerned and is_after'),
] %}

with changes as (select * from {{ ref('stg_process_changes') }}),

interactions as (select * from {{ ref('fct_interactions') }}),

call_scores as (select * from {{ ref('fct_call_scores') }} where basis = 'restated'),

quantiles as (select * from {{ ref('t_quantiles') }}),

limits as (
    select cast(max(value) as integer) as days
    from {{ ref('settings') }}
    where setting = 'process_days'
),

newest as (select max(call_date) as last_day from interactions),

measured as (
    select
        interactions.call_date,
        interactions.campaign,
        interactions.issue_type,
        {{ to_e4('call_scores.iqs') }} as iqs,
        cast(round(interactions.aht_s * 10000) as bigint) as aht_s,
        interactions.csat * 10000 as csat
    from interactions
    left join call_scores
        on
            interactions.interaction_id = call_scores.interaction_id
            and interactions.call_date = call_scores.call_date
),

observed as (
    {% for measure in ['iqs', 'aht_s', 'csat'] %}
    select
        call_date,
        campaign,
        issue_type,
        '{{ measure }}' as measure,
        {{ measure }} as value_e4
    from measured
    where {{ measure }} is not null
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

windows as (
    select
        changes.changed_on,
        changes.name,
        changes.campaign,
        changes.issue_type,
        observed.measure,
        observed.call_date >= changes.changed_on as is_after,
        coalesce(changes.campaign = observed.campaign, changes.campaign is null)
        and coalesce(changes.issue_type = observed.issue_type, changes.issue_type is null) as is_concerned,
        observed.value_e4
    from changes
    cross join limits
    inner join observed
        on
            observed.call_date >= changes.changed_on - limits.days
            and observed.call_date < changes.changed_on + limits.days
),

added as (
    select
        changed_on,
        name,
        campaign,
        issue_type,
        measure,
        {% for group, condition in groups %}
        count(*) filter (where {{ condition }}) as n_{{ group }},
        sum(cast(value_e4 as hugeint)) filter (where {{ condition }}) as {{ group }}_e4,
        sum(cast(value_e4 as hugeint) * value_e4) filter (where {{ condition }}) as {{ group }}_e8,
        {% endfor %}
        count(*) as n
    from windows
    group by changed_on, name, campaign, issue_type, measure
),

averaged as (
    select
        *,
        {% for group in ['before', 'after', 'others_before', 'others_after'] %}
        {{ group }}_e4 / n_{{ group }} / 10000 as mean_{{ group }},
        power({{ deviation('n_' ~ group, group ~ '_e4', group ~ '_e8') }}, 2) / n_{{ group }} as error_{{ group }},
        {% endfor %}
        n_others_before > 1 and n_others_after > 1 as is_compared
    from added
),

differenced as (
    select
        *,
        mean_after - mean_before as change,
        if(is_compared, mean_others_after - mean_others_before, null) as others_change,
        change - coalesce(others_change, 0) as effect,
        error_before + error_after + if(is_compared, error_others_before + error_others_after, 0) as error,
        cast(
            floor(
                error * error / nullif(
                    error_before * error_before / (n_before - 1) + error_after * error_after / (n_after - 1)
                    + if(
                        is_compared,
                        error_others_before * error_others_before / (n_others_before - 1)
                        + error_others_after * error_others_after / (n_others_after - 1),
                        0
                    ),
                    0
                )
            ) as bigint
        ) as degrees
    from averaged
    where n_before > 0 and n_after > 0
),

others_in_the_windows as (
    select
        changes.changed_on,
        changes.name,
        count(*) - 1 as n
    from changes
    cross join limits
    inner join changes as near
        on
            near.changed_on > changes.changed_on - limits.days
            and near.changed_on < changes.changed_on + limits.days
    group by changes.changed_on, changes.name
),

estimated as (
    select
        differenced.*,
        quantiles.quantile * sqrt(differenced.error) as margin
    from differenced
    asof left join quantiles on differenced.degrees >= quantiles.degrees
)

select
    estimated.changed_on,
    estimated.name,
    estimated.campaign,
    estimated.issue_type,
    estimated.measure,
    estimated.n_before,
    estimated.n_after,
    {{ effect('estimated.mean_before') }} as mean_before,
    {{ effect('estimated.mean_after') }} as mean_after,
    {{ effect('estimated.change') }} as change,
    if(estimated.is_compared, estimated.n_others_before, 0) as n_others_before,
    if(estimated.is_compared, estimated.n_others_after, 0) as n_others_after,
    {{ effect('estimated.others_change') }} as others_change,
    {{ effect('estimated.effect') }} as effect,
    {{ effect('estimated.effect - estimated.margin') }} as effect_low,
    {{ effect('estimated.effect + estimated.margin') }} as effect_high,
    estimated.effect - estimated.margin > 0 or estimated.effect + estimated.margin < 0 as is_beyond_chance,
    estimated.is_compared as has_comparison,
    newest.last_day >= estimated.changed_on + limits.days - 1 as is_complete,
    others_in_the_windows.n as other_changes
from estimated
cross join newest
cross join limits
left join others_in_the_windows
    on estimated.changed_on = others_in_the_windows.changed_on and estimated.name = others_in_the_windows.name
