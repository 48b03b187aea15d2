-- One row per metric.
with catalogue as (select * from {{ source('metrics', 'catalogue') }})

select
    metric,
    unit,
    parties,
    meaning,
    at_least,
    at_most,
    source
from catalogue
