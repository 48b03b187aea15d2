-- One row per call date, party and keyword: how many interactions hold it.
{{ config(materialized='incremental', incremental_strategy='append', pre_hook="{{ drop_days() }}") }}

with keywords as (select * from {{ ref('stg_keywords') }} where {{ in_days('call_date') }})

select
    call_date,
    party,
    keyword,
    count(*) as interactions,
    max(interaction_id) as example_interaction_id
from keywords
group by call_date, party, keyword
