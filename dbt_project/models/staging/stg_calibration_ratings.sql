-- One row per session, interaction, parameter and rater; ratings that are not applicable are left out.
with source as (select * from {{ source('calibration', 'ratings') }})

select
    session_id,
    interaction_id,
    parameter,
    reviewer_id,
    is_machine,
    department,
    is_expert,
    rating,
    max_rating,
    points,
    reference_kind,
    reference_points,
    bias,
    absolute_deviation,
    alignment,
    reason,
    session_on,
    extractor_version
from source
