-- One row per call date: the build that made its facts last. Written before int_group_days calls the day complete, so a
-- build that dies in between names a day too many, never one too few.
-- depends_on: {{ ref('int_changed_days') }}
{{ config(materialized='incremental', incremental_strategy='append', pre_hook="{{ drop_scored_days() }}") }}

with interactions as (select * from {{ ref('int_interactions') }} where {{ in_scored_days('call_date') }})

select distinct
    call_date,
    '{{ invocation_id }}' as made_by
from interactions
