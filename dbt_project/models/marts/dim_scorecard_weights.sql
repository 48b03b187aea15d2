-- One row per scorecard, version and parameter.
{{ config(materialized='view') }}

with scorecard_weights as (select * from {{ ref('scorecard_weights') }})

select
    scorecard,
    version,
    parameter,
    cast(weight * cast(0.01 as decimal(3, 2)) as decimal(9, 6)) as weight,
    coalesce(is_critical, false) as is_critical,
    cast(threshold as decimal(9, 4)) as threshold
from scorecard_weights
