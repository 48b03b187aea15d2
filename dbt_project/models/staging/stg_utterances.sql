-- One row per utterance or message.
with messages as (select * from {{ source('transcripts', 'utterances') }})

select
    interaction_id,
    date as call_date,
    cast(utterance as bigint) as utterance,
    party,
    start_s,
    end_s,
    {{ utc('sent_at') }} as sent_at,
    text,
    n_words,
    confidence,
    language,
    source
from messages
