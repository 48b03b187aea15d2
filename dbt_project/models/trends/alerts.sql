-- One row per alert: a rule and an interaction, or a rule, a group and a period. A view: what was acknowledged and
-- delivered since the last build is in it.
{{ config(materialized='view') }}

with rules as (
    {{ alert_rules_in_force() }}
),

hits as (select * from {{ ref('int_interaction_alerts') }}),

interactions as (select * from {{ ref('fct_interactions') }}),

trends as (select * from {{ ref('trend_iqs') }} where basis = 'as_scored' and is_complete),

agents as (select * from {{ ref('dim_agents') }}),

acknowledgements as (select * from {{ ref('stg_alert_acks') }}),

sightings as (select * from {{ ref('stg_alert_sightings') }}),

attempts as (select * from {{ ref('alert_deliveries') }}),

about_interactions as (
    select
        rules.rule || ':' || hits.interaction_id as dedupe_key,
        rules.* exclude (version, valid_from, valid_until),
        hits.version,
        hits.interaction_id,
        hits.call_date,
        cast(null as varchar) as subject,
        interactions.agent_id,
        interactions.team,
        interactions.campaign,
        interactions.issue_type,
        interactions.iqs,
        hits.value,
        hits.evidence,
        hits.start_s,
        hits.end_s
    from hits
    inner join rules on hits.rule = rules.rule and hits.version = rules.version
    inner join interactions
        on hits.interaction_id = interactions.interaction_id and hits.call_date = interactions.call_date
),

measured_groups as (
    select
        rules.*,
        trends.value as subject,
        trends.period_start,
        trends.iqs,
        if(rules.source = 'dip', cast(trends.xmr_center - trends.iqs as double), cast(trends.coverage as double))
            as group_value,
        if(
            rules.source = 'dip',
            'IQS ' || trends.iqs || ', usually ' || trends.xmr_center || ', ' || trends.n || ' interactions: '
            || trends.dip_rule,
            trends.n || ' of ' || trends.received || ' interactions scored, ' || trends.quarantined || ' in quarantine'
        ) as evidence
    from rules
    inner join trends
        on
            rules.measure = trends.dimension
            and rules.period = trends.period
            and rules.valid_from <= trends.period_start
            and coalesce(rules.valid_until > trends.period_start, true)
    where
        (rules.source = 'coverage' and trends.received >= coalesce(rules.calls_at_least, 1))
        or (rules.source = 'dip' and trends.dip and trends.n >= coalesce(rules.calls_at_least, 1))
),

about_groups as (
    select
        rule || ':' || subject || '@' || period_start as dedupe_key,
        * exclude (valid_from, valid_until, version, subject, period_start, iqs, group_value, evidence),
        version,
        cast(null as varchar) as interaction_id,
        period_start as call_date,
        subject,
        if(measure = 'agent', subject, null) as agent_id,
        if(measure = 'team', subject, null) as team,
        if(measure = 'campaign', subject, null) as campaign,
        cast(null as varchar) as issue_type,
        iqs,
        group_value as value,
        evidence,
        cast(null as double) as start_s,
        cast(null as double) as end_s
    from measured_groups
    where {{ is_beyond('group_value', 'comparison', 'threshold') }}
),

together as (
    select * from about_interactions
    union all by name
    select * from about_groups
),

teams as (
    select
        team,
        max(supervisor_id) as supervisor_id
    from agents
    where team is not null
    group by team
    having count(distinct supervisor_id) = 1
),

first_acknowledgements as (
    select
        dedupe_key,
        min(acknowledged_at) as acknowledged_at,
        arg_min(acknowledged_by, coalesce(acknowledged_at, timestamp '9999-12-31')) as acknowledged_by
    from acknowledgements
    group by dedupe_key
),

first_sightings as (
    select
        dedupe_key,
        min(first_seen) as first_seen
    from sightings
    group by dedupe_key
),

deliveries as (
    select
        dedupe_key,
        min(attempted_at) as delivered_at
    from attempts
    where status = 'delivered'
    group by dedupe_key
)

select
    together.dedupe_key,
    together.rule,
    together.version,
    together.severity,
    together.meaning,
    together.interaction_id,
    together.subject,
    together.call_date,
    together.period,
    together.agent_id,
    agents.name as agent_name,
    coalesce(together.team, agents.team) as team,
    coalesce(agents.supervisor_id, teams.supervisor_id) as route,
    together.campaign,
    together.issue_type,
    together.measure,
    nullif(together.party, '') as party,
    together.value,
    together.comparison,
    together.threshold,
    together.evidence,
    together.start_s as evidence_start_s,
    together.end_s as evidence_end_s,
    together.iqs,
    together.channels,
    together.send_within_days,
    first_sightings.first_seen,
    first_acknowledgements.dedupe_key is not null as acknowledged,
    first_acknowledgements.acknowledged_by,
    first_acknowledgements.acknowledged_at,
    deliveries.delivered_at
from together
left join agents on together.agent_id = agents.agent_id
left join teams on together.agent_id is null and together.team = teams.team
left join first_acknowledgements on together.dedupe_key = first_acknowledgements.dedupe_key
left join first_sightings on together.dedupe_key = first_sightings.dedupe_key
left join deliveries on together.dedupe_key = deliveries.dedupe_key
