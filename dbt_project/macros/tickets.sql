{#- What a resolution takes from a ticket: int_known_tickets keeps it, int_truth_days looks whether it differs. -#}
{%- macro tickets_of_resolutions() -%}
    select
        ticket_id,
        interaction_id,
        customer_key,
        issue_type,
        status,
        opened_at,
        resolved_at,
        reopened_at
    from {{ ref('stg_tickets') }}
{%- endmacro -%}
