-- One row per scored interaction, basis and parameter of its scorecard.
-- Integers throughout: weights and scores in 1/10000, effective weights in 1/100000000. What rounding leaves over
-- goes to the greatest contribution, and to the greatest weight.
{{ config(materialized='incremental', incremental_strategy='append', pre_hook="{{ drop_scored_days() }}") }}

with interaction_scorecards as (
    select
        *,
        -- a number for an interaction and basis: what is added up by it costs a third of what it costs by their texts
        row_number() over () as card
    from {{ ref('int_interaction_scorecards') }}
    where {{ in_scored_days('call_date') }}
),

scorecard_weights as (
    select
        *,
        dense_rank() over (order by parameter desc) as place
    from {{ ref('scorecard_weights') }}
),

parameter_values as (select * from {{ ref('int_parameter_values') }} where {{ in_scored_days('call_date') }}),

weighted as (
    select
        cards.card,
        scorecard_weights.place,
        cards.interaction_id,
        cards.basis,
        scorecard_weights.parameter,
        cards.call_date,
        cards.scorecard,
        cards.scorecard_version,
        parameter_values.metric_value,
        if(cards.basis = 'as_scored', parameter_values.score_e4, parameter_values.restated_score_e4) as score_e4,
        if(score_e4 is null, coalesce(parameter_values.reason, 'not_supplied'), null) as reason,
        {{ to_e4('scorecard_weights.weight') }} as weight_e4,
        if(score_e4 is null, null, {{ to_e4('scorecard_weights.weight') }}) as applicable_e4,
        coalesce(scorecard_weights.is_critical, false) as is_critical,
        scorecard_weights.threshold
    from interaction_scorecards as cards
    inner join scorecard_weights
        on cards.scorecard = scorecard_weights.scorecard and cards.scorecard_version = scorecard_weights.version
    left join parameter_values
        on
            cards.interaction_id = parameter_values.interaction_id
            and cards.call_date = parameter_values.call_date
            and scorecard_weights.parameter = parameter_values.parameter
),

totals as (
    select
        card,
        cast(sum(applicable_e4) as bigint) as total_e4,
        cast(sum(applicable_e4 * score_e4) as bigint) as points_e8
    from weighted
    group by card
),

divided as (
    select
        weighted.*,
        {{ divide_e4('totals.points_e8', 'totals.total_e4') }} as iqs_e4,
        {{ divide_e4('weighted.applicable_e4 * weighted.score_e4', 'totals.total_e4') }} as contribution_e4,
        {{ divide_e4('weighted.applicable_e4 * 100000000', 'totals.total_e4') }} as effective_e8
    from weighted
    inner join totals on weighted.card = totals.card
    where totals.total_e4 > 0
),

-- The greatest of a call, among equal ones that of the first parameter by name.
left_over as (
    select
        card,
        any_value(iqs_e4) - cast(sum(contribution_e4) as bigint) as contribution_left_e4,
        100000000 - cast(sum(effective_e8) as bigint) as effective_left_e8,
        max(contribution_e4 * 1000 + place) as greatest_contribution,
        max(effective_e8 * 1000 + place) as greatest_weight
    from divided
    group by card
),

settled as (
    select
        divided.*,
        divided.contribution_e4
        + if(
            divided.contribution_e4 * 1000 + divided.place = left_over.greatest_contribution,
            left_over.contribution_left_e4,
            0
        ) as settled_e4,
        divided.effective_e8
        + if(divided.effective_e8 * 1000 + divided.place = left_over.greatest_weight, left_over.effective_left_e8, 0)
            as settled_e8
    from divided
    inner join left_over on divided.card = left_over.card
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
