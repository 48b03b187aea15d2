-- Contributions sum to iqs_unfailed, and iqs is that sum or 0, to the last digit.
select
    scores.interaction_id,
    scores.basis
from {{ ref('fct_call_scores') }} as scores
left join {{ ref('fct_parameter_scores') }} as parameters
    on
        scores.interaction_id = parameters.interaction_id
        and scores.call_date = parameters.call_date
        and scores.basis = parameters.basis
where {{ in_days('scores.call_date') }}
group by scores.interaction_id, scores.basis, scores.iqs, scores.iqs_unfailed
having
    coalesce(sum(parameters.contribution), -1) <> scores.iqs_unfailed
    or scores.iqs <> if(bool_or(parameters.fails_call), 0, scores.iqs_unfailed)
