-- Few of the calls of the newest days were failed by a critical parameter (a warning).
{{ config(severity='warn') }}

select
    call_date,
    count(*) as scored,
    count(*) filter (where is_failed) as failed
from {{ ref('fct_call_scores') }}
where basis = 'as_scored' and {{ in_warning_days('call_date') }}
group by call_date
having
    count(*) >= {{ check_limit('failed_interactions') }}
    and count(*) filter (where is_failed) > {{ check_limit('failed_share') }} * count(*)
