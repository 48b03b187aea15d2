-- An interaction is scored with exactly one scorecard version on each basis, the same in every table.
select
    parameters.interaction_id,
    parameters.basis
from {{ ref('fct_parameter_scores') }} as parameters
left join {{ ref('fct_call_scores') }} as scores
    on
        parameters.interaction_id = scores.interaction_id
        and parameters.call_date = scores.call_date
        and parameters.basis = scores.basis
where {{ in_days('parameters.call_date') }}
group by parameters.interaction_id, parameters.basis
having
    count(distinct parameters.scorecard || ' v' || parameters.scorecard_version) <> 1
    or count(*) filter (
        where
        parameters.scorecard is distinct from scores.scorecard
        or parameters.scorecard_version is distinct from scores.scorecard_version
    ) > 0
