-- One row per event that was heard or measured in an interaction.
{{ config(materialized='incremental', incremental_strategy='append', pre_hook="{{ drop_days() }}") }}

with conversation_events as (select * from {{ ref('stg_conversation_events') }} where {{ in_days('call_date') }}),

language_events as (select * from {{ ref('stg_language_events') }} where {{ in_days('call_date') }}),

together as (
    select
        *,
        1 as stage_order
    from conversation_events
    union all
    select
        *,
        2 as stage_order
    from language_events
)

select
    interaction_id,
    row_number() over (
        partition by call_date, interaction_id order by start_s asc nulls last, stage_order asc, event asc
    ) - 1 as event,
    call_date,
    kind,
    party,
    start_s,
    end_s,
    evidence
from together
