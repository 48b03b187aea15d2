-- A day on which next to nothing could be scored is no day to judge people by: nothing is published until it is mended.
select
    call_date,
    received,
    scored
from {{ ref('ops_coverage') }}
where received >= {{ check_limit('coverage_interactions') }} and coverage < {{ check_limit('coverage') }}
