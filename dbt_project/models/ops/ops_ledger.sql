-- One row per call date. What came in is counted at the landing stage, what became of it in fct_interactions.
{{ config(materialized='incremental', incremental_strategy='append', pre_hook="{{ drop_days() }}") }}

with landed as (
    select
        call_date,
        count(*) as received
    from {{ ref('stg_interactions') }}
    where {{ in_days('call_date') }}
    group by call_date
),

handled as (
    select
        call_date,
        count(*) filter (where status = 'scored') as scored,
        count(*) filter (where status = 'excluded') as excluded,
        count(*) filter (where status = 'quarantined') as quarantined
    from {{ ref('fct_interactions') }}
    where {{ in_days('call_date') }}
    group by call_date
)

select
    coalesce(landed.call_date, handled.call_date) as call_date,
    coalesce(landed.received, 0) as received,
    coalesce(handled.scored, 0) as scored,
    coalesce(handled.excluded, 0) as excluded,
    coalesce(handled.quarantined, 0) as quarantined,
    coalesce(landed.received, 0)
    = coalesce(handled.scored, 0) + coalesce(handled.excluded, 0) + coalesce(handled.quarantined, 0) as reconciles
from landed
full outer join handled on landed.call_date = handled.call_date
