-- One row per scored interaction, basis and parameter of its scorecard.
-- Integers throughout: weights and scores in 1/10000, effective weights in 1/100000000. What rounding leaves over
-- goes to the greatest contribution, and to the greatest weight.
{{ config(materialized='incremental', incremental_strategy='append', pre_hook="{{ drop_scored_days() }}") }}

with interaction_scorecards as (
    select * from {{ ref('int_interaction_scorecards') }} where {{ in_scored_days('call_date') }}
),

scorecard_weights as (select * from {{ ref('scorecard_weights') }}),

measured as (select * from {{ ref('int_parameter_values') }} where {{ in_scored_days('call_date') }}),

parameter_values as (
    select
        'as_scored' as basis,
        * exclude (restated_score_e4)
    from measured
    union all by name
    select
        'restated' as basis,
        * exclude (score_e4, restated_score_e4),
        restated_score_e4 as score_e4
    from measured
),

weighted as (
    select
        cards.interaction_id,
        cards.basis,
        scorecard_weights.parameter,
        cards.call_date,
        cards.scorecard,
        cards.scorecard_version,
        parameter_values.metric_value,
        parameter_values.score_e4,
        if(parameter_values.score_e4 is null, coalesce(parameter_values.reason, 'not_supplied'), null) as reason,
        {{ to_e4('scorecard_weights.weight') }} as weight_e4,
        if(parameter_values.score_e4 is null, null, {{ to_e4('scorecard_weights.weight') }}) as applicable_e4,
        coalesce(scorecard_weights.is_critical, false) as is_critical,
        scorecard_weights.threshold
    from interaction_scorecards as cards
    inner join scorecard_weights
        on cards.scorecard = scorecard_weights.scorecard and cards.scorecard_version = scorecard_weights.version
    left join parameter_values
        on
            cards.interaction_id = parameter_values.interaction_id
            and cards.call_date = parameter_values.call_date
            and cards.basis = parameter_values.basis
            and scorecard_weights.parameter = parameter_values.parameter
),

totalled as (
    select
        *,
        cast(sum(applicable_e4) over call as bigint) as total_e4,
        cast(sum(applicable_e4 * score_e4) over call as bigint) as points_e8
    from weighted
    window call as (partition by call_date, interaction_id, basis)
),

divided as (
    select
        *,
        {{ divide_e4('points_e8', 'total_e4') }} as iqs_e4,
        {{ divide_e4('applicable_e4 * score_e4', 'total_e4') }} as contribution_e4,
        {{ divide_e4('applicable_e4 * 100000000', 'total_e4') }} as effective_e8
    from totalled
    where total_e4 > 0
),

ranked as (
    select
        *,
        iqs_e4 - cast(sum(contribution_e4) over call as bigint) as contribution_left_e4,
        100000000 - cast(sum(effective_e8) over call as bigint) as effective_left_e8,
        row_number() over (
            partition by call_date, interaction_id, basis order by contribution_e4 desc nulls last, parameter asc
        ) = 1 as has_greatest_contribution,
        row_number() over (
            partition by call_date, interaction_id, basis order by effective_e8 desc nulls last, parameter asc
        ) = 1 as has_greatest_weight
    from divided
    window call as (partition by call_date, interaction_id, basis)
),

settled as (
    select
        *,
        contribution_e4 + if(has_greatest_contribution, contribution_left_e4, 0) as settled_e4,
        effective_e8 + if(has_greatest_weight, effective_left_e8, 0) as settled_e8
    from ranked
)

select
    interaction_id,
    basis,
    parameter,
    call_date,
    scorecard,
    scorecard_version,
    metric_value,
    {{ from_e4('score_e4') }} as score,
    cast(cast(weight_e4 as decimal(12, 0)) * 0.000001 as decimal(9, 6)) as weight,
    cast(cast(settled_e8 as decimal(10, 0)) * 0.00000001 as decimal(9, 8)) as effective_weight,
    {{ from_e4('settled_e4') }} as contribution,
    cast(cast(settled_e8 - settled_e4 * 100 as decimal(12, 0)) * 0.000001 as decimal(11, 6)) as points_lost,
    is_critical,
    cast(threshold as decimal(9, 4)) as threshold,
    is_critical and coalesce({{ from_e4('score_e4') }} < threshold, false) as fails_call,
    reason
from settled
