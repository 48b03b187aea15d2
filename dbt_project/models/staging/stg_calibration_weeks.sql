-- One row per parameter and week with a session.
with source as (select * from {{ source('calibration', 'weeks') }})

select
    parameter,
    week_start,
    n_sessions,
    n_compared,
    department_variance,
    department_deviation,
    n_weeks,
    variance_change_per_week,
    change_low,
    change_high,
    trend,
    reason,
    extractor_version
from source
