-- One row per scored interaction and basis.
{{ config(materialized='incremental', incremental_strategy='append', pre_hook="{{ drop_scored_days() }}") }}

with parameter_scores as (select * from {{ ref('fct_parameter_scores') }} where {{ in_scored_days('call_date') }}),

added as (
    select
        interaction_id,
        basis,
        call_date,
        scorecard,
        scorecard_version,
        cast(sum(contribution) as decimal(9, 4)) as iqs_unfailed,
        string_agg(parameter, ',' order by parameter) filter (where fails_call) as fail_reason,
        cast(sum(weight) filter (where score is not null) as decimal(9, 6)) as measured_weight
    from parameter_scores
    group by interaction_id, basis, call_date, scorecard, scorecard_version
)

select
    interaction_id,
    basis,
    call_date,
    scorecard,
    scorecard_version,
    if(fail_reason is null, iqs_unfailed, cast(0 as decimal(9, 4))) as iqs,
    iqs_unfailed,
    fail_reason,
    fail_reason is not null as is_failed,
    measured_weight
from added
