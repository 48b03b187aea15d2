-- One row per coaching: the parameter's mean score in the days before it and in the days after it, as restated, so that
-- another curve is no progress. The day of the coaching itself is in neither. Another coaching of the same agent and
-- parameter ends the days on its side. Who is coached scored low, and would rise a little anyway: beside it stands what
-- the other agents, who were not coached on it then, did in the same days.
{{ config(materialized='view') }}

{% set groups = [
    ('before', 'is_own and not is_after'),
    ('after', 'is_own and is_after'),
    ('peers_before', 'not is_own and not is_after'),
    ('peers_after', 'not is_own and is_after'),
] %}

with coachings as (select * from {{ ref('stg_coaching') }}),

interactions as (select * from {{ ref('fct_interactions') }} where status = 'scored' and agent_id is not null),

parameter_scores as (select * from {{ ref('fct_parameter_scores') }} where basis = 'restated'),

call_scores as (select * from {{ ref('fct_call_scores') }} where basis = 'restated'),

parameters as (select * from {{ ref('dim_parameters') }}),

agents as (select * from {{ ref('dim_agents') }}),

quantiles as (select * from {{ ref('t_quantiles') }}),

limits as (
    select
        max(cast(value as integer)) filter (where setting = 'coaching_progress_days') as days,
        max(value) filter (where setting = 'coaching_progress_calls_at_least') as enough
    from {{ ref('settings') }}
),

newest as (select max(call_date) as last_day from interactions),

windows as (
    select
        coachings.*,
        greatest(
            coachings.coached_on - limits.days,
            lag(coachings.coached_on) over own + 1
        ) as first_day,
        least(
            coachings.coached_on + limits.days,
            lead(coachings.coached_on) over own - 1
        ) as last_day
    from coachings
    cross join limits
    window own as (partition by coachings.agent_id, coachings.parameter order by coachings.coached_on)
),

scores as (
    select
        interactions.agent_id,
        interactions.call_date,
        parameter_scores.parameter,
        {{ to_e4('parameter_scores.score') }} as score_e4
    from parameter_scores
    inner join interactions
        on
            parameter_scores.interaction_id = interactions.interaction_id
            and parameter_scores.call_date = interactions.call_date
    where
        parameter_scores.score is not null
        and parameter_scores.parameter in (select coachings.parameter from coachings)
    union all
    select
        interactions.agent_id,
        interactions.call_date,
        'iqs' as parameter,
        {{ to_e4('call_scores.iqs') }} as score_e4
    from call_scores
    inner join interactions
        on call_scores.interaction_id = interactions.interaction_id and call_scores.call_date = interactions.call_date
),

observed as (
    select
        windows.agent_id,
        windows.coached_on,
        windows.parameter,
        scores.agent_id = windows.agent_id as is_own,
        scores.call_date > windows.coached_on as is_after,
        scores.score_e4
    from windows
    inner join scores
        on
            windows.parameter = scores.parameter
            and scores.call_date between windows.first_day and windows.last_day
            and windows.coached_on <> scores.call_date
    where
        windows.agent_id = scores.agent_id
        or not exists (
            select others.agent_id
            from coachings as others
            where
                others.agent_id = scores.agent_id
                and others.parameter = windows.parameter
                and others.coached_on between windows.first_day and windows.last_day
        )
),

added as (
    select
        agent_id,
        coached_on,
        parameter,
        {% for group, condition in groups %}
        count(*) filter (where {{ condition }}) as n_{{ group }},
        sum(cast(score_e4 as hugeint)) filter (where {{ condition }}) as {{ group }}_e4,
        sum(cast(score_e4 as hugeint) * score_e4) filter (where {{ condition }}) as {{ group }}_e8,
        {% endfor %}
        count(*) as n
    from observed
    group by agent_id, coached_on, parameter
),

averaged as (
    select
        *,
        {% for group, condition in groups %}
        {{ group }}_e4 / nullif(n_{{ group }}, 0) / 10000 as mean_{{ group }},
        {% endfor %}
        mean_after - mean_before as change,
        mean_peers_after - mean_peers_before as peers_change,
        power({{ deviation('n_before', 'before_e4', 'before_e8') }}, 2) / n_before as error_before,
        power({{ deviation('n_after', 'after_e4', 'after_e8') }}, 2) / n_after as error_after,
        error_before + error_after as error,
        -- Welch and Satterthwaite
        cast(
            floor(
                error * error
                / nullif(error_before * error_before / (n_before - 1) + error_after * error_after / (n_after - 1), 0)
            ) as bigint
        ) as degrees
    from added
),

estimated as (
    select
        averaged.*,
        -- two windows in which nothing varies have no interval to speak of: the change is what it is
        if(averaged.error = 0, 0, quantiles.quantile * sqrt(averaged.error)) as margin
    from averaged
    asof left join quantiles on averaged.degrees >= quantiles.degrees
)

select
    windows.agent_id,
    agents.team,
    agents.supervisor_id,
    windows.coached_on,
    windows.parameter,
    windows.coach_id,
    windows.first_day,
    windows.last_day,
    coalesce(estimated.n_before, 0) as n_before,
    coalesce(estimated.n_after, 0) as n_after,
    {{ points('estimated.mean_before') }} as score_before,
    {{ points('estimated.mean_after') }} as score_after,
    {{ points('estimated.change') }} as change,
    {{ points('estimated.change - estimated.margin') }} as change_low,
    {{ points('estimated.change + estimated.margin') }} as change_high,
    coalesce(estimated.n_peers_before, 0) as n_peers_before,
    coalesce(estimated.n_peers_after, 0) as n_peers_after,
    {{ points('estimated.peers_change') }} as peers_change,
    {{ points('estimated.change - estimated.peers_change') }} as change_beside_peers,
    newest.last_day >= windows.last_day as is_complete,
    case
        when windows.parameter <> 'iqs' and parameters.parameter is null then 'unknown_parameter'
        when least(coalesce(estimated.n_before, 0), coalesce(estimated.n_after, 0)) < limits.enough then 'too_few'
        when estimated.change - estimated.margin > 0 then 'better'
        when estimated.change + estimated.margin < 0 then 'worse'
        else 'no_clear_change'
    end as outcome
from windows
cross join limits
cross join newest
left join estimated
    on
        windows.agent_id = estimated.agent_id
        and windows.coached_on = estimated.coached_on
        and windows.parameter = estimated.parameter
left join parameters on windows.parameter = parameters.parameter
left join agents on windows.agent_id = agents.agent_id
