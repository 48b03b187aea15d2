-- One row per interaction that was read: contacts of the same customer on the same issue type within 7 days after.
-- A contact within 15 minutes of a transfer goes on with the same one; anonymous customers are not supplied.
-- depends_on: {{ ref('int_truth_days') }}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ drop_days(in_truth_days('call_date')) }}"
) }}

with interactions as (select * from {{ ref('int_interactions') }} where {{ in_truth_days('call_date') }}),

contacts as (select * from interactions where customer_key is not null and issue_type is not null),

-- 8 days: 7 times 24 hours end on another day of the calendar
later_contacts as (
    select * from {{ ref('int_interactions') }}
    where {{ in_truth_days('call_date', reach_forward=8) }} and customer_key is not null and issue_type is not null
),

repeats as (
    select
        first_contact.interaction_id,
        first_contact.call_date,
        count(*) as repeats,
        min(later.started_at) as first_repeat_at
    from contacts as first_contact
    inner join later_contacts as later
        on
            first_contact.customer_key = later.customer_key
            and first_contact.issue_type = later.issue_type
            and first_contact.started_at < later.started_at
            and first_contact.started_at + interval 7 day >= later.started_at
    where
        first_contact.transferred_at is null
        or later.started_at >= first_contact.transferred_at + interval 15 minute
    group by first_contact.interaction_id, first_contact.call_date
),

counted as (
    select
        interactions.interaction_id,
        interactions.call_date,
        if(
            interactions.customer_key is null or interactions.issue_type is null,
            null,
            coalesce(repeats.repeats, 0)
        ) as value,
        repeats.first_repeat_at
    from interactions
    left join repeats
        on interactions.interaction_id = repeats.interaction_id and interactions.call_date = repeats.call_date
    where interactions.outcome in ('eligible', 'excluded')
)

select * from counted
