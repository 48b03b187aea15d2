-- One row per utterance of a known party.
with source as (select * from {{ source('language', 'sentiments') }})

select
    interaction_id,
    date as call_date,
    cast(utterance as bigint) as utterance,
    party,
    sentiment,
    confidence,
    word_sentiment,
    activation,
    cast(quarter as bigint) as quarter
from source
