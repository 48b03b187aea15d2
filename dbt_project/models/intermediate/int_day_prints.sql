-- One row per call date: a fingerprint of all that trends take from the day.
{{ config(materialized='incremental', incremental_strategy='append', pre_hook="{{ drop_scored_days() }}") }}

with interactions as (select * from {{ ref('fct_interactions') }} where {{ in_scored_days('call_date') }}),

groups as (select * from {{ ref('int_group_days') }} where {{ in_scored_days('call_date') }}),

parameters as (select * from {{ ref('int_parameter_days') }} where {{ in_scored_days('call_date') }}),

together as (
    select
        call_date,
        bit_xor(hash(interactions)) as print
    from interactions
    group by call_date
    union all
    select
        call_date,
        bit_xor(hash(groups)) as print
    from groups
    group by call_date
    union all
    select
        call_date,
        bit_xor(hash(parameters)) as print
    from parameters
    group by call_date
)

select
    call_date,
    bit_xor(print) as print
from together
group by call_date
