-- One row per parameter.
{{ config(materialized='view') }}

with parameters as (select * from {{ ref('parameters') }}),

catalogue as (select * from {{ ref('stg_metric_catalogue') }}),

score_curves as (select * from {{ ref('score_curves') }}),

curves as (
    select
        parameter,
        metric,
        string_agg(printf('%g→%g', cast(x as double), cast(score as double)), ', ' order by x) as curve
    from score_curves
    group by parameter, metric, valid_from
    qualify valid_from = max(valid_from) over (partition by parameter, metric)
),

drawn as (
    select
        curves.parameter,
        string_agg(
            if(curves.metric = parameters.metric, curves.curve, curves.metric || ': ' || curves.curve),
            '; '
            order by curves.metric <> parameters.metric, curves.metric
        ) as curve
    from curves
    inner join parameters on curves.parameter = parameters.parameter
    group by curves.parameter
)

select
    parameters.parameter,
    parameters.name,
    parameters.position,
    parameters.metric,
    parameters.party,
    catalogue.unit,
    parameters.better,
    parameters.event_kind,
    parameters.meaning,
    drawn.curve
from parameters
left join catalogue on parameters.metric = catalogue.metric
left join drawn on parameters.parameter = drawn.parameter
