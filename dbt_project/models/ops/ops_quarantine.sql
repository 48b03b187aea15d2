-- One row per rejected landing row or file, or interaction in quarantine.
{{ config(materialized='view') }}

with rejects as (select * from {{ ref('stg_rejects') }}),

interactions as (select * from {{ ref('fct_interactions') }} where status = 'quarantined')

select
    'landing' as origin,
    interaction_id,
    cast(null as date) as call_date,
    source_file,
    row_number,
    kind,
    reason,
    detail
from rejects
union all
select
    'interaction' as origin,
    interaction_id,
    call_date,
    null as source_file,
    null as row_number,
    'interactions' as kind,
    reason,
    reason_detail as detail
from interactions
