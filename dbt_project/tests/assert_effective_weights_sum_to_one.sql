-- Effective weights sum to 1 in every scored interaction, and so do the weights of its scorecard.
select
    interaction_id,
    basis
from {{ ref('fct_parameter_scores') }}
where {{ in_days('call_date') }}
group by interaction_id, call_date, basis
having sum(effective_weight) is distinct from 1 or sum(weight) is distinct from 1
