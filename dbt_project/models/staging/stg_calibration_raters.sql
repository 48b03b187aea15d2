-- One row per rater and parameter.
with source as (select * from {{ source('calibration', 'raters') }})

select
    rater_kind,
    reviewer_id,
    parameter,
    n,
    n_sessions,
    reference_kind,
    bias,
    bias_low,
    bias_high,
    mean_absolute_deviation,
    alignment,
    correlation,
    correlation_low,
    correlation_high,
    is_severe,
    is_lenient,
    is_inconsistent,
    diagnosis_text,
    reason,
    interval_reason,
    extractor_version
from source
