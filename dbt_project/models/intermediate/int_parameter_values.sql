-- One row per interaction that was read and parameter whose main metric it has: value, and score by the curves that
-- were in force on its day, and by the newest ones (restated).
-- A parameter with several curves scores their mean; one that is `scaled` the main curve's score times the mean of the
-- others. Without its main metric it is not applicable.
with measured as (select * from {{ ref('stg_metrics') }} where metric <> 'resolved'),

resolution as (select * from {{ ref('int_resolution') }}),

parameters as (select * from {{ ref('parameters') }}),

-- What lies beyond a curve's ends belongs to its first and its last segment.
segments as (
    select
        *,
        if(is_first, -9223372036854775807, low_x_e6) as from_x_e6,
        if(is_last, 9223372036854775807, high_x_e6) as up_to_x_e6
    from {{ ref('int_curve_segments') }}
),

metrics as (
    select
        interaction_id,
        call_date,
        metric,
        party,
        value,
        reason
    from measured
    union all
    select
        interaction_id,
        call_date,
        'resolved' as metric,
        'call' as party,
        resolved as value,
        reason
    from resolution
    union all
    select
        interaction_id,
        call_date,
        'aht_ratio' as metric,
        'call' as party,
        aht_ratio as value,
        if(aht_ratio is null, 'not_supplied', null) as reason
    from resolution
),

curves as (
    select distinct
        parameter,
        metric
    from segments
),

inputs as (
    select
        metrics.interaction_id,
        metrics.call_date,
        parameters.parameter,
        coalesce(parameters.combine = 'scaled', false) as is_scaled,
        metrics.metric,
        metrics.metric = parameters.metric as is_main,
        metrics.value,
        metrics.reason,
        cast(round(metrics.value * 1000000) as bigint) as x_e6
    from metrics
    inner join curves on metrics.metric = curves.metric
    inner join parameters on curves.parameter = parameters.parameter and metrics.party = parameters.party
),

-- An inner join, which is a hash join; a left one with these conditions compares all with all.
placed as (
    select
        inputs.*,
        segments.is_newest,
        inputs.call_date >= segments.in_force_from and inputs.call_date < segments.in_force_before as is_in_force,
        least(greatest(inputs.x_e6, segments.low_x_e6), segments.high_x_e6) as within_x_e6,
        {{ divide_e4(
            'segments.low_score_e4 * (segments.high_x_e6 - within_x_e6) + segments.high_score_e4 * (within_x_e6 - segments.low_x_e6)',
            'segments.high_x_e6 - segments.low_x_e6'
        ) }} as score_e4
    from inputs
    inner join segments
        on
            inputs.parameter = segments.parameter
            and inputs.metric = segments.metric
            and inputs.x_e6 > segments.from_x_e6
            and inputs.x_e6 <= segments.up_to_x_e6
    where segments.is_newest or is_in_force
),

scored as (
    select * from placed
    union all by name
    select
        *,
        false as is_newest,
        false as is_in_force
    from inputs
    where x_e6 is null
),

gathered as (
    select
        interaction_id,
        call_date,
        parameter,
        is_scaled,
        {% for basis, condition in [('in_force', 'is_in_force'), ('newest', 'is_newest')] %}
        max(score_e4) filter (where is_main and {{ condition }}) as {{ basis }}_main_e4,
        cast(sum(score_e4) filter (where {{ condition }}) as bigint) as {{ basis }}_sum_e4,
        count(score_e4) filter (where {{ condition }}) as {{ basis }}_n,
        {% endfor %}
        max(value) filter (where is_main) as metric_value,
        max(reason) filter (where is_main) as reason
    from scored
    group by interaction_id, call_date, parameter, is_scaled
    having bool_or(is_main)
),

combined as (
    select
        interaction_id,
        call_date,
        parameter,
        metric_value,
        {% for basis, score in [('in_force', 'score_e4'), ('newest', 'restated_score_e4')] %}
        case
            when {{ basis }}_main_e4 is null then null
            when is_scaled and {{ basis }}_n > 1
                then
                    {{ divide_e4(
                        basis ~ '_main_e4 * (' ~ basis ~ '_sum_e4 - ' ~ basis ~ '_main_e4)',
                        '1000000 * (' ~ basis ~ '_n - 1)'
                    ) }}
            when is_scaled then {{ basis }}_main_e4
            else {{ divide_e4(basis ~ '_sum_e4', basis ~ '_n') }}
        end as {{ score }},
        {% endfor %}
        reason
    from gathered
)

select * from combined
