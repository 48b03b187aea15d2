-- One row per parameter, period, panel and statistic.
-- A view on the lake: it shows what the stage calibration wrote last.
select * from {{ ref('stg_calibration_agreement') }}
