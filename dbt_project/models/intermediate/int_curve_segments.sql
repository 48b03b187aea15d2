-- One row per curve, version and stretch between two of its knots, in integers: x in millionths, score in 1/10000.
-- A version is in force from valid_from up to the next one's; the first holds for all days before, too.
with score_curves as (select * from {{ ref('score_curves') }}),

versions as (
    select
        parameter,
        metric,
        valid_from,
        if(row_number() over curve = 1, date '0001-01-01', valid_from) as in_force_from,
        coalesce(lead(valid_from) over curve, date '9999-12-31') as in_force_before,
        lead(valid_from) over curve is null as is_newest
    from score_curves
    group by parameter, metric, valid_from
    window curve as (partition by parameter, metric order by valid_from)
),

knots as (
    select
        parameter,
        metric,
        valid_from,
        cast(x * 1000000 as bigint) as x_e6,
        {{ to_e4('score') }} as score_e4
    from score_curves
),

segments as (
    select
        parameter,
        metric,
        valid_from,
        x_e6 as low_x_e6,
        score_e4 as low_score_e4,
        lead(x_e6) over curve as high_x_e6,
        lead(score_e4) over curve as high_score_e4,
        lag(x_e6) over curve is null as is_first,
        lead(x_e6, 2) over curve is null as is_last
    from knots
    window curve as (partition by parameter, metric, valid_from order by x_e6)
)

select
    segments.* exclude (valid_from),
    versions.in_force_from,
    versions.in_force_before,
    versions.is_newest
from segments
inner join versions
    on
        segments.parameter = versions.parameter
        and segments.metric = versions.metric
        and segments.valid_from = versions.valid_from
where segments.high_x_e6 is not null
