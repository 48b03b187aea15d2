-- One row per call date whose resolutions may be known otherwise than before: within 8 days before a day that is built
-- (7 days of repeat contacts, and the clock), where a ticket differs, or where the 7 days are over now, or not yet.
-- depends_on: {{ ref('stg_tickets') }}
{{ config(materialized='table') }}

{% set days = days_to_build(reach_back=8) %}
{% set known = adapter.get_relation(target.database, 'intermediate', 'int_changed_days') if days %}
{% set tickets = adapter.get_relation(target.database, 'intermediate', 'int_known_tickets') if days %}

with interactions as (select * from {{ ref('int_interactions') }}){% if known and tickets and not flags.FULL_REFRESH %},

tickets as (
    {{ tickets_of_resolutions() }}
),

known_tickets as (select * from {{ tickets }}),

changed_tickets as (
    (select * from tickets except select * from known_tickets)
    union all
    (select * from known_tickets except select * from tickets)
),

newest as (
    select
        (select max(call_date) from interactions) as known_until,
        (select max(call_date) from {{ known }}) as known_until_before
),

days as (select distinct call_date from interactions)

select call_date from days where {{ is_one_of('call_date', days) }}
union
select days.call_date
from days
cross join newest
where (days.call_date + 7 <= newest.known_until) is distinct from (days.call_date + 7 <= newest.known_until_before)
union
select interactions.call_date
from interactions
inner join changed_tickets on interactions.interaction_id = changed_tickets.interaction_id
union
select interactions.call_date
from interactions
inner join changed_tickets on interactions.ticket_id = changed_tickets.ticket_id
union
select interactions.call_date
from interactions
inner join changed_tickets
    on
        interactions.customer_key = changed_tickets.customer_key
        and interactions.issue_type = changed_tickets.issue_type
        and interactions.started_at + interval 1 day >= changed_tickets.opened_at
{% else %}

select distinct call_date from interactions
{% endif %}
