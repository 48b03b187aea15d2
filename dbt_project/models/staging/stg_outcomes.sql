-- One row per interaction: what became of it.
with source as (select * from {{ source('metrics', 'outcomes') }})

select
    interaction_id,
    date as call_date,
    outcome,
    reason,
    detail,
    duration_s,
    n_words,
    language,
    layout,
    speaker_source,
    speaker_confidence
from source
