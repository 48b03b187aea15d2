-- One row per curve and stretch between two of its knots, in integers: x in millionths, score in 1/10000.
with score_curves as (select * from {{ ref('score_curves') }}),

knots as (
    select
        parameter,
        metric,
        cast(x * 1000000 as bigint) as x_e6,
        {{ to_e4('score') }} as score_e4
    from score_curves
),

segments as (
    select
        parameter,
        metric,
        x_e6 as low_x_e6,
        score_e4 as low_score_e4,
        lead(x_e6) over curve as high_x_e6,
        lead(score_e4) over curve as high_score_e4,
        lag(x_e6) over curve is null as is_first,
        lead(x_e6, 2) over curve is null as is_last
    from knots
    window curve as (partition by parameter, metric order by x_e6)
)

select * from segments
where high_x_e6 is not null
