-- One row per day from the first to the last call date.
{{ config(materialized='view') }}

with interactions as (select * from {{ ref('int_interactions') }}),

bounds as (
    select
        min(call_date) as first_day,
        max(call_date) as last_day
    from interactions
),

days as (
    select cast(unnest(generate_series(first_day, last_day, interval 1 day)) as date) as date_day
    from bounds
)

select
    date_day,
    {{ period_start('week', 'date_day') }} as week_start,
    {{ period_start('month', 'date_day') }} as month_start,
    isoyear(date_day) as iso_year,
    weekofyear(date_day) as iso_week,
    isodow(date_day) as day_of_week,
    isodow(date_day) >= 6 as is_weekend
from days
