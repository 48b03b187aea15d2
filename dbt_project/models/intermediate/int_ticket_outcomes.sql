-- One row per interaction that was read and has a ticket: what had become of the ticket 7 days after the contact.
-- The ticket that names the interaction comes first, then the one that the interaction names, then one of the same
-- customer and issue type that was open at the time or opened within a day.
-- depends_on: {{ ref('int_truth_days') }}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ drop_days(in_truth_days('call_date')) }}"
) }}

with interactions as (
    select * from {{ ref('int_interactions') }}
    where {{ in_truth_days('call_date') }} and outcome in ('eligible', 'excluded') and started_at is not null
),

tickets as (select * from {{ ref('stg_tickets') }}),

linked as (
    select
        interactions.interaction_id,
        tickets.ticket_id,
        1 as precedence
    from interactions
    inner join tickets on interactions.interaction_id = tickets.interaction_id
    union all
    select
        interactions.interaction_id,
        tickets.ticket_id,
        2 as precedence
    from interactions
    inner join tickets on interactions.ticket_id = tickets.ticket_id
    union all
    select
        interactions.interaction_id,
        tickets.ticket_id,
        3 as precedence
    from interactions
    inner join tickets
        on
            interactions.customer_key = tickets.customer_key
            and interactions.issue_type = tickets.issue_type
            and interactions.started_at + interval 1 day >= tickets.opened_at
            and interactions.started_at <= coalesce(tickets.reopened_at, tickets.resolved_at, timestamp '9999-12-31')
),

chosen as (
    select
        interactions.interaction_id,
        interactions.call_date,
        interactions.started_at,
        tickets.* exclude (interaction_id, customer_key, issue_type)
    from linked
    inner join interactions on linked.interaction_id = interactions.interaction_id
    inner join tickets on linked.ticket_id = tickets.ticket_id
    qualify
        row_number() over (
            partition by interactions.call_date, interactions.interaction_id
            order by linked.precedence asc, tickets.opened_at desc nulls last, tickets.ticket_id asc
        ) = 1
),

judged as (
    select
        interaction_id,
        call_date,
        ticket_id,
        resolved_at,
        case
            when
                (reopened_at > started_at and reopened_at <= started_at + interval 7 day)
                or (reopened_at is null and coalesce(status, '') = 'reopened')
                then 'reopened'
            when resolved_at <= started_at + interval 7 day then 'resolved'
            when resolved_at is null and status in ('resolved', 'closed', 'solved', 'done', 'completed') then 'resolved'
            else 'open'
        end as ticket_outcome
    from chosen
)

select * from judged
