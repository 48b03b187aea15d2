-- No day without interactions where its weekday usually has some (a warning).
{{ config(severity='warn') }}

with received as (select call_date from {{ ref('ops_coverage') }}),

calendar as (
    select cast(unnest(generate_series(min(call_date), max(call_date), interval 1 day)) as date) as call_date
    from received
),

missing as (select call_date from calendar where call_date not in (select received.call_date from received))

select missing.call_date
from missing
inner join received
    on
        missing.call_date > received.call_date
        and missing.call_date <= received.call_date + 7 * cast({{ check_limit('volume_weeks') }} as integer)
        and dayofweek(missing.call_date) = dayofweek(received.call_date)
where {{ in_warning_days('missing.call_date') }}
group by missing.call_date
having count(*) >= {{ check_limit('volume_weeks_at_least') }}
