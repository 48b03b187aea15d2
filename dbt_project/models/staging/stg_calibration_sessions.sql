-- One row per session, interaction and parameter that people rated.
with source as (select * from {{ source('calibration', 'sessions') }})

select
    session_id,
    interaction_id,
    parameter,
    session_on,
    week_start,
    agent_id,
    n_raters,
    n_departments,
    lowest,
    highest,
    spread,
    panel_mean,
    reference_points,
    reference_kind,
    lowest_department_mean,
    highest_department_mean,
    department_variance,
    mean_absolute_deviation,
    alignment,
    machine_points,
    machine_bias,
    machine_alignment,
    machine_reason,
    diagnosis,
    diagnosis_text,
    extractor_version
from source
