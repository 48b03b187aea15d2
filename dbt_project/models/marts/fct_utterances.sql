-- One row per utterance or message, redacted. Restricted.
{{ config(materialized='incremental', incremental_strategy='append', pre_hook="{{ drop_days() }}") }}

with utterances as (select * from {{ ref('stg_utterances') }} where {{ in_days('call_date') }}),

sentiments as (select * from {{ ref('stg_sentiments') }} where {{ in_days('call_date') }})

select
    utterances.interaction_id,
    utterances.utterance,
    utterances.call_date,
    utterances.party,
    utterances.start_s,
    utterances.end_s,
    utterances.sent_at,
    utterances.text,
    utterances.n_words,
    utterances.confidence,
    utterances.language,
    utterances.source,
    sentiments.sentiment,
    sentiments.confidence as sentiment_confidence,
    sentiments.word_sentiment,
    sentiments.activation,
    sentiments.quarter
from utterances
left join sentiments
    on
        utterances.interaction_id = sentiments.interaction_id
        and utterances.call_date = sentiments.call_date
        and utterances.utterance = sentiments.utterance
