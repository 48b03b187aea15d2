-- One row per dimension, value, call date, basis and parameter: what the parameter's scores add up to.
{{ config(materialized='incremental', incremental_strategy='append', pre_hook="{{ drop_scored_days() }}") }}

with interactions as (select * from {{ ref('fct_interactions') }} where {{ in_scored_days('call_date') }}),

parameter_scores as (select * from {{ ref('fct_parameter_scores') }} where {{ in_scored_days('call_date') }}),

scored as (
    select
        interactions.agent_id,
        interactions.team,
        interactions.campaign,
        interactions.client,
        interactions.issue_type,
        interactions.driver,
        interactions.intent,
        scores.call_date,
        scores.basis,
        scores.parameter,
        {{ to_e4('scores.score') }} as score_e4,
        cast(scores.points_lost * 1000000 as bigint) as lost_e6,
        if(scores.score is null, null, cast(round(scores.metric_value * 1000000) as bigint)) as value_e6
    from parameter_scores as scores
    inner join interactions
        on scores.interaction_id = interactions.interaction_id and scores.call_date = interactions.call_date
)

{% for dimension, columns in dimensions(
    ['all', 'agent', 'team', 'campaign', 'client', 'issue_type', 'driver', 'intent']
).items() %}
select
    '{{ dimension }}' as dimension,
    {{ dimension_value(columns) }} as value,
    call_date,
    basis,
    parameter,
    count(*) as scored,
    count(score_e4) as n,
    cast(coalesce(sum(score_e4), 0) as bigint) as score_e4,
    coalesce(sum(score_e4 * score_e4), 0) as squares_e8,
    coalesce(sum(value_e6), 0) as value_e6,
    cast(coalesce(sum(lost_e6), 0) as bigint) as lost_e6
from scored
group by all
{% if not loop.last %}union all{% endif %}
{% endfor %}
