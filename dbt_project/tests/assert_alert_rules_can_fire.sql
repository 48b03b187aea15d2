-- A rule that names what there is not would keep silent for ever.
with rules as (select * from {{ ref('alert_rules') }} where enabled),

metrics as (select * from {{ ref('dim_metrics') }}),

parameters as (select * from {{ ref('dim_parameters') }}),

groups as (
    {% for dimension in dimensions() %}
    select '{{ dimension }}' as dimension
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select
    rule,
    version
from rules
where
    coalesce(comparison, '') not in ('below', 'at_most', 'above', 'at_least')
    or threshold is null
    or valid_from is null
    or coalesce(severity, '') not in ('critical', 'warning', 'info')
    or not coalesce(
        case source
            when 'metric' then measure in (select metric from metrics)
            when 'parameter' then measure in (select parameter from parameters)
            when 'iqs' then measure in ('iqs', 'iqs_unfailed')
            when 'flag' then measure = 'is_failed'
            when 'dip' then measure in (select dimension from groups) and period in ('day', 'week', 'month')
            when 'coverage' then measure in (select dimension from groups) and period in ('day', 'week', 'month')
        end,
        false
    )
    or (
        where_measure is not null
        and not coalesce(
            where_measure in (select metric from metrics)
            and where_comparison in ('below', 'at_most', 'above', 'at_least')
            and where_threshold is not null,
            false
        )
    )
