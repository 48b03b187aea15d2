-- One row per agent and parameter.
with source as (select * from {{ source('calibration', 'agents') }})

select
    agent_id,
    parameter,
    hired_on,
    tenure_days,
    is_tenured,
    tenure_reason,
    n,
    n_interactions,
    reference_mean,
    others_mean,
    machine_mean,
    is_low,
    is_outlier,
    reason,
    diagnosis_text,
    extractor_version
from source
