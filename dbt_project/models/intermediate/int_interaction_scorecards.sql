-- One row per eligible interaction and basis: the scorecard version that scores it.
-- A scorecard of the very call type comes before one for all (*); then the version that came into force last.
with interactions as (select * from {{ ref('int_interactions') }} where outcome = 'eligible'),

scorecards as (select * from {{ ref('scorecards') }}),

candidates as (
    select
        interactions.interaction_id,
        interactions.call_date,
        scorecards.scorecard,
        scorecards.version as scorecard_version,
        scorecards.valid_from,
        scorecards.call_type = '*' as is_for_all,
        scorecards.valid_from <= interactions.call_date as is_in_force
    from interactions
    inner join scorecards
        on
            interactions.channel = scorecards.channel
            and (scorecards.call_type = '*' or interactions.call_type = scorecards.call_type)
),

as_scored as (
    select
        interaction_id,
        call_date,
        'as_scored' as basis,
        scorecard,
        scorecard_version
    from candidates
    where is_in_force
    qualify
        row_number() over (
            partition by call_date, interaction_id
            order by is_for_all asc, valid_from desc, scorecard_version desc, scorecard asc
        ) = 1
),

restated as (
    select
        candidates.interaction_id,
        candidates.call_date,
        'restated' as basis,
        candidates.scorecard,
        candidates.scorecard_version
    from candidates
    inner join as_scored
        on candidates.interaction_id = as_scored.interaction_id and candidates.call_date = as_scored.call_date
    qualify
        row_number() over (
            partition by candidates.call_date, candidates.interaction_id
            order by
                candidates.is_for_all asc,
                candidates.valid_from desc,
                candidates.scorecard_version desc,
                candidates.scorecard asc
        ) = 1
)

select * from as_scored
union all
select * from restated
