-- Most of what came in on the newest days was scored (a warning).
{{ config(severity='warn') }}

select
    call_date,
    received,
    scored
from {{ ref('ops_coverage') }}
where
    received >= {{ check_limit('coverage_interactions') }}
    and coverage < {{ check_limit('coverage_usual') }}
    and {{ in_warning_days('call_date') }}
