-- One row per call date, agent, interaction and passage of the agent's: how often the customer went silent, pushed
-- back or had to repeat himself right after it. A passage is the first 8 words of a sentence, so that a script's line
-- is the same passage in every call; shorter ones than 4 words say nothing.
{{ config(materialized='incremental', incremental_strategy='append', pre_hook="{{ drop_days() }}") }}

with interactions as (
    select * from {{ ref('int_interactions') }} where {{ in_days('call_date') }} and outcome = 'eligible'
),

utterances as (select * from {{ ref('stg_utterances') }} where {{ in_days('call_date') }}),

sentiments as (select * from {{ ref('stg_sentiments') }} where {{ in_days('call_date') }}),

silences as (
    select * from {{ ref('stg_conversation_events') }} where {{ in_days('call_date') }} and kind = 'dead_air'
),

repetitions as (
    select distinct
        call_date,
        interaction_id,
        start_s
    from {{ ref('stg_language_events') }}
    where {{ in_days('call_date') }} and party = 'customer' and kind = 'keyword' and evidence like 'repetition:%'
),

negative as (select -value as below from {{ ref('settings') }} where setting = 'push_back_at_least'),

in_order as (
    select
        utterances.interaction_id,
        utterances.call_date,
        interactions.agent_id,
        utterances.party,
        utterances.text,
        utterances.end_s,
        lead(utterances.party) over talk as next_party,
        lead(utterances.start_s) over talk as next_start_s,
        lead(utterances.utterance) over talk as next_utterance
    from utterances
    inner join interactions
        on utterances.interaction_id = interactions.interaction_id and utterances.call_date = interactions.call_date
    where utterances.party is not null
    window talk as (partition by utterances.call_date, utterances.interaction_id order by utterances.utterance)
),

answered as (
    select
        said.interaction_id,
        said.call_date,
        said.agent_id,
        said.text,
        coalesce(silences.start_s >= said.end_s - 1, false) as is_silent,
        said.next_party = 'customer' and coalesce(sentiments.sentiment < negative.below, false) as is_pushed_back,
        said.next_party = 'customer' and repetitions.start_s is not null as is_repeated
    from in_order as said
    cross join negative
    -- the silence that begins where the agent ends; 1 s: word times are off by half a second
    asof left join silences
        on
            said.call_date = silences.call_date
            and said.interaction_id = silences.interaction_id
            and said.end_s + 1 >= silences.start_s
    left join sentiments
        on
            said.call_date = sentiments.call_date
            and said.interaction_id = sentiments.interaction_id
            and said.next_utterance = sentiments.utterance
    left join repetitions
        on
            said.call_date = repetitions.call_date
            and said.interaction_id = repetitions.interaction_id
            and said.next_start_s = repetitions.start_s
    where
        said.party = 'agent'
        and (said.next_party = 'customer' or is_silent)
),

sentences as (
    select
        * exclude (text),
        string_split(
            trim(
                regexp_replace(
                    regexp_replace(
                        unnest(string_split_regex(lower(text), '[.?!;:]+')), '[^\p{L}\p{N}\[\]'' ]+', ' ', 'g'
                    ),
                    ' +', ' ', 'g'
                )
            ),
            ' '
        ) as words
    from answered
)

select
    call_date,
    agent_id,
    interaction_id,
    array_to_string(words[1:8], ' ') as passage,
    count(*) as n,
    count(*) filter (where is_silent) as silent,
    count(*) filter (where is_pushed_back) as pushed_back,
    count(*) filter (where is_repeated) as repeated,
    count(*) filter (where is_silent or is_pushed_back or is_repeated) as broken
from sentences
where len(words) >= 4
group by call_date, agent_id, interaction_id, passage
