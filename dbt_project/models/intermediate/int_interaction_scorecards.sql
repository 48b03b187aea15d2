-- One row per eligible interaction and basis: the scorecard version that scores it.
-- A scorecard of the very call type comes before one for all (*); then the version that came into force last.
with interactions as (select * from {{ ref('int_interactions') }} where outcome = 'eligible'),

scorecards as (select * from {{ ref('scorecards') }}),

-- What is alike in what a scorecard is chosen by gets the same one.
kinds as (
    select distinct
        call_date,
        channel,
        call_type
    from interactions
),

candidates as (
    select
        kinds.call_date,
        kinds.channel,
        kinds.call_type,
        scorecards.scorecard,
        scorecards.version as scorecard_version,
        scorecards.valid_from,
        scorecards.call_type = '*' as is_for_all,
        scorecards.valid_from <= kinds.call_date as is_in_force
    from kinds
    inner join scorecards
        on
            kinds.channel = scorecards.channel
            and (scorecards.call_type = '*' or kinds.call_type = scorecards.call_type)
),

as_scored as (
    select
        *,
        'as_scored' as basis
    from candidates
    where is_in_force
    qualify
        row_number() over (
            partition by call_date, channel, call_type
            order by is_for_all asc, valid_from desc, scorecard_version desc, scorecard asc
        ) = 1
),

restated as (
    select
        candidates.*,
        'restated' as basis
    from candidates
    inner join as_scored
        on
            candidates.call_date = as_scored.call_date
            and candidates.channel = as_scored.channel
            and candidates.call_type is not distinct from as_scored.call_type
    qualify
        row_number() over (
            partition by candidates.call_date, candidates.channel, candidates.call_type
            order by
                candidates.is_for_all asc,
                candidates.valid_from desc,
                candidates.scorecard_version desc,
                candidates.scorecard asc
        ) = 1
),

chosen as (
    select * from as_scored
    union all
    select * from restated
)

select
    interactions.interaction_id,
    interactions.call_date,
    chosen.basis,
    chosen.scorecard,
    chosen.scorecard_version
from interactions
inner join chosen
    on
        interactions.call_date = chosen.call_date
        and interactions.channel = chosen.channel
        and interactions.call_type is not distinct from chosen.call_type
