-- One row per interaction that was read: what later days and the CRM tell of its resolution.
-- A ticket's outcome comes before repeat contacts; that nobody called again is known when the 7 days are over.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ drop_days(in_truth_days('call_date')) }}"
) }}

with interactions as (select * from {{ ref('int_interactions') }}),

repeat_contacts as (select * from {{ ref('int_repeat_contacts') }} where {{ in_truth_days('call_date') }}),

tickets as (select * from {{ ref('int_ticket_outcomes') }} where {{ in_truth_days('call_date') }}),

newest as (select max(call_date) as known_until from interactions),

told as (
    select
        repeat_contacts.interaction_id,
        repeat_contacts.call_date,
        repeat_contacts.value as repeats,
        -- A ticket that was open when the customer had to call again was not resolved on this contact.
        if(
            tickets.ticket_outcome = 'resolved' and repeat_contacts.first_repeat_at < tickets.resolved_at,
            'open',
            tickets.ticket_outcome
        ) as ticket_outcome,
        repeat_contacts.call_date + 7 <= newest.known_until as is_mature
    from repeat_contacts
    cross join newest
    left join tickets
        on
            repeat_contacts.interaction_id = tickets.interaction_id
            and repeat_contacts.call_date = tickets.call_date
),

judged as (
    select
        *,
        case
            when ticket_outcome is not null then cast(ticket_outcome = 'resolved' as integer)
            when repeats > 0 then 0
            when repeats = 0 and is_mature then 1
        end as truth,
        case
            when ticket_outcome is not null then 'ticket'
            when repeats > 0 then 'repeat_contact'
            when repeats = 0 and is_mature then 'no_repeat_contact'
        end as truth_source
    from told
)

select * from judged
