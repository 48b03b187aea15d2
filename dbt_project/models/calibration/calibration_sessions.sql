-- One row per session, interaction and parameter that people rated.
-- A view on the lake: it shows what the stage calibration wrote last.
select * from {{ ref('stg_calibration_sessions') }}
