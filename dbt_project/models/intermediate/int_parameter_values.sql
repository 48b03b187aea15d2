-- One row per interaction that was read and parameter whose main metric it has: value, and score by the curves.
-- A parameter with several curves scores their mean; without its main metric it is not applicable.
with metrics as (select * from {{ ref('stg_metrics') }}),

parameters as (select * from {{ ref('parameters') }}),

segments as (select * from {{ ref('int_curve_segments') }}),

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
        metrics.metric,
        metrics.metric = parameters.metric as is_main,
        metrics.value,
        metrics.reason,
        cast(round(metrics.value * 1000000) as bigint) as x_e6
    from metrics
    inner join curves on metrics.metric = curves.metric
    inner join parameters on curves.parameter = parameters.parameter and metrics.party = parameters.party
),

scored as (
    select
        inputs.*,
        least(greatest(inputs.x_e6, segments.low_x_e6), segments.high_x_e6) as within_x_e6,
        {{ divide_e4(
            'segments.low_score_e4 * (segments.high_x_e6 - within_x_e6) + segments.high_score_e4 * (within_x_e6 - segments.low_x_e6)',
            'segments.high_x_e6 - segments.low_x_e6'
        ) }} as score_e4
    from inputs
    left join segments
        on
            inputs.parameter = segments.parameter
            and inputs.metric = segments.metric
            and inputs.x_e6 is not null
            and (segments.is_first or inputs.x_e6 > segments.low_x_e6)
            and (segments.is_last or inputs.x_e6 <= segments.high_x_e6)
),

combined as (
    select
        interaction_id,
        call_date,
        parameter,
        max(value) filter (where is_main) as metric_value,
        max(reason) filter (where is_main) as reason,
        if(
            metric_value is null,
            null,
            cast({{ divide_e4('sum(score_e4)', 'count(score_e4)') }} as bigint)
        ) as score_e4
    from scored
    group by interaction_id, call_date, parameter
    having bool_or(is_main)
)

select * from combined
