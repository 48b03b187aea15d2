-- Scores, contributions and the IQS lie within 0 and 100.
select
    interaction_id,
    basis
from {{ ref('fct_parameter_scores') }}
where {{ in_days('call_date') }} and (score not between 0 and 100 or contribution not between 0 and 100)
union all
select
    interaction_id,
    basis
from {{ ref('fct_call_scores') }}
where {{ in_days('call_date') }} and (iqs not between 0 and 100 or iqs_unfailed not between 0 and 100)
