-- One row per call date: the fingerprints that the trends were made from. It is written when all of them stand, so a
-- run that dies in between leaves their periods to the next one.
-- depends_on: {{ ref('trend_iqs') }}
-- depends_on: {{ ref('trend_parameters') }}
-- depends_on: {{ ref('insight_change') }}
-- depends_on: {{ ref('insight_drivers') }}
-- depends_on: {{ ref('insight_sub_drivers') }}
-- depends_on: {{ ref('insight_person_or_process') }}
-- depends_on: {{ ref('insight_survey_gap') }}
{{ config(materialized='table') }}

with prints as (select * from {{ ref('int_day_prints') }}),

checks as (select * from {{ ref('int_check_days') }})

select
    prints.call_date,
    prints.print,
    checks.check_status
from prints
left join checks on prints.call_date = checks.call_date
