-- One row per interaction that was read: interruptions, silences and handling time as other products define them.
{{ config(materialized='incremental', incremental_strategy='append', pre_hook="{{ drop_days() }}") }}

with measures as (select * from {{ ref('int_measures') }} where {{ in_days('call_date') }}),

metrics as (
    select * from {{ ref('stg_metrics') }}
    where {{ in_days('call_date') }} and metric in ('interruption_count', 'silence_ratio')
),

turns as (select * from {{ ref('stg_turns') }} where {{ in_days('call_date') }}),

events as (
    select * from {{ ref('stg_conversation_events') }}
    where {{ in_days('call_date') }} and kind in ('dead_air', 'hold', 'retrieval')
),

-- Ours says where talking over each other and silences could be measured at all.
measured as (
    select
        interaction_id,
        call_date,
        cast(max(value) filter (where metric = 'interruption_count' and party = 'agent') as bigint) as ours_agent,
        cast(max(value) filter (where metric = 'interruption_count' and party = 'customer') as bigint) as ours_customer,
        bool_or(value is not null) filter (where metric = 'silence_ratio') as hears_silence
    from metrics
    group by interaction_id, call_date
),

-- A turn that begins while the other's is under way, and for how long both go on.
begun_over as (
    select
        own.interaction_id,
        own.call_date,
        own.party,
        least(own.end_s, others.end_s) - own.start_s as overlap_s
    from turns as own
    asof inner join turns as others
        on
            own.interaction_id = others.interaction_id
            and own.call_date = others.call_date
            and if(own.party = 'agent', 'customer', 'agent') = others.party
            and own.start_s > others.start_s
    where own.start_s < others.end_s
),

talked_over as (
    select
        interaction_id,
        call_date,
        {% for party in ['agent', 'customer'] %}
        count(*) filter (where party = '{{ party }}') as {{ party }}_any_overlap,
        count(*) filter (where party = '{{ party }}' and overlap_s > 0.5) as {{ party }}_over_half_s,
        count(*) filter (where party = '{{ party }}' and overlap_s > 1) as {{ party }}_over_1_s,
        {% endfor %}
        count(*) as begun
    from begun_over
    group by interaction_id, call_date
),

silent as (
    select
        interaction_id,
        call_date,
        count(*) filter (where end_s - start_s > 3) as over_3_s,
        count(*) filter (where end_s - start_s > 10) as over_10_s,
        cast(round(1000 * sum(end_s - start_s) filter (where end_s - start_s > 3)) as bigint) as over_3_s_ms,
        cast(round(1000 * sum(end_s - start_s) filter (where end_s - start_s > 10)) as bigint) as over_10_s_ms
    from events
    group by interaction_id, call_date
)

select
    measures.interaction_id,
    measures.call_date,
    measured.ours_agent as agent_interruptions,
    measured.ours_customer as customer_interruptions,
    {% for party in ['agent', 'customer'] %}
    {% for rule in ['any_overlap', 'over_half_s', 'over_1_s'] %}
    if(measured.ours_{{ party }} is null, null, coalesce(talked_over.{{ party }}_{{ rule }}, 0))
        as {{ party }}_interruptions_{{ rule }},
    {% endfor %}
    {% endfor %}
    if(measured.hears_silence, coalesce(silent.over_3_s, 0), null) as silences_over_3_s,
    if(measured.hears_silence, coalesce(silent.over_3_s_ms, 0) / 1000, null) as silence_over_3_s_s,
    if(measured.hears_silence, coalesce(silent.over_10_s, 0), null) as silences_over_10_s,
    if(measured.hears_silence, coalesce(silent.over_10_s_ms, 0) / 1000, null) as silence_over_10_s_s,
    measures.aht_s,
    measures.aht_without_acw_s
from measures
left join measured
    on measures.interaction_id = measured.interaction_id and measures.call_date = measured.call_date
left join talked_over
    on measures.interaction_id = talked_over.interaction_id and measures.call_date = talked_over.call_date
left join silent
    on measures.interaction_id = silent.interaction_id and measures.call_date = silent.call_date
