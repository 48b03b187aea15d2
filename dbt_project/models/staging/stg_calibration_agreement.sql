-- One row per parameter, period, panel and statistic.
with source as (select * from {{ source('calibration', 'agreement') }})

select
    parameter,
    period,
    period_start,
    panel,
    statistic,
    value,
    low,
    high,
    n_units,
    n_ratings,
    n_raters,
    n_sessions,
    reason,
    interval_reason,
    extractor_version
from source
