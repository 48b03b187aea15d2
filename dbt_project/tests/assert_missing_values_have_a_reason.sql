-- A metric has a value or a reason, never both and never neither; a score as well.
select
    interaction_id,
    metric as measure
from {{ ref('fct_metrics') }}
where {{ in_days('call_date') }} and (value is null) = (reason is null)
union all
select
    interaction_id,
    parameter as measure
from {{ ref('fct_parameter_scores') }}
where {{ in_days('call_date') }} and (score is null) = (reason is null)
