-- As many interactions came in on the newest days as on the same weekdays before (a warning). A day is unusual where
-- |n - median| > volume_deviations · max(1.4826 · MAD, √median); today is not over yet and left out.
{{ config(severity='warn') }}

with days as (select * from {{ ref('ops_coverage') }}),

compared as (
    select
        days.call_date,
        days.received,
        before.received as before,
        median(before.received) over (partition by days.call_date) as usual,
        count(*) over (partition by days.call_date) as weeks
    from days
    inner join days as before
        on
            days.call_date > before.call_date
            and days.call_date <= before.call_date + 7 * cast({{ check_limit('volume_weeks') }} as integer)
            and dayofweek(days.call_date) = dayofweek(before.call_date)
    where {{ in_warning_days('days.call_date') }} and days.call_date < current_date
)

select
    call_date,
    received,
    usual
from compared
where weeks >= {{ check_limit('volume_weeks_at_least') }}
group by call_date, received, usual
having
    abs(received - usual)
    > {{ check_limit('volume_deviations') }} * greatest(1.4826 * median(abs(before - usual)), sqrt(usual))
