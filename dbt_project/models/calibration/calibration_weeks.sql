-- One row per parameter and week with a session.
-- A view on the lake: it shows what the stage calibration wrote last.
select * from {{ ref('stg_calibration_weeks') }}
