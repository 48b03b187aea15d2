-- Behaviour, mix, scorecard and extractor parts sum to the change of the IQS, to the last digit.
select
    dimension,
    value,
    period,
    period_start
from {{ ref('insight_change') }}
where
    {{ in_scored_periods() }}
    and (
        behaviour + mix + scorecard + extractor is distinct from change
        or change is distinct from iqs - iqs_before
    )
