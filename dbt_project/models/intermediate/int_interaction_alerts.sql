-- One row per alert rule and interaction that it hits, by the version in force on the interaction's day.
{{ config(materialized='incremental', incremental_strategy='append', pre_hook="{{ drop_scored_days() }}") }}

with rules as (
    {{ alert_rules_in_force() }}
),

metrics as (select * from {{ ref('fct_metrics') }} where {{ in_scored_days('call_date') }}),

parameter_scores as (
    select * from {{ ref('fct_parameter_scores') }} where basis = 'as_scored' and {{ in_scored_days('call_date') }}
),

call_scores as (
    select * from {{ ref('fct_call_scores') }} where basis = 'as_scored' and {{ in_scored_days('call_date') }}
),

events as (select * from {{ ref('fct_events') }} where {{ in_scored_days('call_date') }}),

measured as (
    select
        'metric' as source,
        metric as measure,
        party,
        interaction_id,
        call_date,
        value
    from metrics
    where value is not null and metric in (select unnest([measure, where_measure]) from rules)
    union all
    select
        'parameter' as source,
        parameter as measure,
        '' as party,
        interaction_id,
        call_date,
        cast(score as double) as value
    from parameter_scores
    where score is not null
    union all
    {% for measure in ['iqs', 'iqs_unfailed'] %}
    select
        'iqs' as source,
        '{{ measure }}' as measure,
        '' as party,
        interaction_id,
        call_date,
        cast({{ measure }} as double) as value
    from call_scores
    union all
    {% endfor %}
    select
        'flag' as source,
        'is_failed' as measure,
        '' as party,
        interaction_id,
        call_date,
        cast(is_failed as double) as value
    from call_scores
),

hits as (
    select
        rules.rule,
        rules.version,
        rules.source,
        rules.where_measure,
        rules.where_party,
        rules.where_comparison,
        rules.where_threshold,
        rules.event_kind,
        measured.interaction_id,
        measured.call_date,
        measured.value
    from rules
    inner join measured
        on
            rules.source = measured.source
            and rules.measure = measured.measure
            and rules.party = measured.party
            and rules.valid_from <= measured.call_date
            and coalesce(rules.valid_until > measured.call_date, true)
    where {{ is_beyond('measured.value', 'rules.comparison', 'rules.threshold') }}
),

conditioned as (
    select
        hits.*,
        conditions.value as where_value
    from hits
    left join measured as conditions
        on
            conditions.source = 'metric'
            and hits.where_measure = conditions.measure
            and hits.where_party = conditions.party
            and hits.interaction_id = conditions.interaction_id
            and hits.call_date = conditions.call_date
    where
        hits.where_measure is null
        or {{ is_beyond('conditions.value', 'hits.where_comparison', 'hits.where_threshold') }}
),

-- What was said tells more than what was reckoned (party call), a long passage more than a short one.
heard as (
    select
        conditioned.rule,
        conditioned.interaction_id,
        conditioned.call_date,
        events.evidence,
        events.start_s,
        events.end_s
    from conditioned
    inner join events
        on
            conditioned.event_kind = events.kind
            and conditioned.interaction_id = events.interaction_id
            and conditioned.call_date = events.call_date
    qualify
        row_number() over (
            partition by conditioned.rule, conditioned.interaction_id, conditioned.call_date
            order by
                events.party = 'call' asc, events.end_s - events.start_s desc nulls last, events.event asc
        ) = 1
),

costly as (
    select *
    from parameter_scores
    where points_lost > 0
    qualify
        row_number() over (
            partition by interaction_id, call_date
            order by points_lost desc, parameter asc
        ) <= 3
),

lost_most as (
    select
        interaction_id,
        call_date,
        string_agg(
            parameter || ' ' || cast(round(score, 0) as bigint)
            || ' (-' || cast(round(points_lost, 1) as decimal(9, 1)) || ')',
            ', '
            order by points_lost desc, parameter asc
        ) as evidence
    from costly
    group by interaction_id, call_date
)

select
    conditioned.rule,
    conditioned.version,
    conditioned.interaction_id,
    conditioned.call_date,
    conditioned.value,
    coalesce(
        heard.evidence,
        if(conditioned.source in ('iqs', 'flag'), 'points lost: ' || lost_most.evidence, null),
        conditioned.where_party || ' ' || conditioned.where_measure || ' '
        || cast(round(conditioned.where_value, 2) as decimal(12, 2))
    ) as evidence,
    heard.start_s,
    heard.end_s
from conditioned
left join heard
    on
        conditioned.rule = heard.rule
        and conditioned.interaction_id = heard.interaction_id
        and conditioned.call_date = heard.call_date
left join lost_most
    on
        conditioned.interaction_id = lost_most.interaction_id
        and conditioned.call_date = lost_most.call_date
