-- One row per agent and parameter.
-- A view on the lake: it shows what the stage calibration wrote last.
select * from {{ ref('stg_calibration_agents') }}
