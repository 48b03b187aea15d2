-- One row per session, interaction, parameter and rater; ratings that are not applicable are left out.
-- A view on the lake: it shows what the stage calibration wrote last.
select * from {{ ref('stg_calibration_ratings') }}
