-- No group's IQS fell out of its control limits in the newest days (a warning).
{{ config(severity='warn') }}

select
    dimension,
    value,
    period,
    period_start
from {{ ref('trend_iqs') }}
where dip and basis = 'as_scored' and {{ in_warning_days('period_start') }}
