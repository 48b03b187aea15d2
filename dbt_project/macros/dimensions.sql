{#- What trends are grouped by: dimension -> columns of fct_interactions (a literal for the whole centre; two for a pair). -#}
{%- macro dimensions(names=none) -%}
    {%- set all_of_them = {
        'all': ["'all'"],
        'agent': ['agent_id'],
        'team': ['team'],
        'campaign': ['campaign'],
        'client': ['client'],
        'issue_type': ['issue_type'],
        'driver': ['driver'],
        'intent': ['intent'],
        'language': ['language'],
        'shift': ['shift'],
        'region': ['region'],
        'call_type': ['call_type'],
        'channel': ['channel'],
        'agent_issue_type': ['agent_id', 'issue_type'],
        'team_issue_type': ['team', 'issue_type'],
        'campaign_issue_type': ['campaign', 'issue_type'],
    } -%}
    {%- set chosen = {} -%}
    {%- for name in names or all_of_them.keys() -%}
        {%- do chosen.update({name: all_of_them[name]}) -%}
    {%- endfor -%}
    {{ return(chosen) }}
{%- endmacro -%}


{#- The value of a dimension as one text: "billing", or "retail × billing" for a pair. -#}
{%- macro dimension_value(columns) -%}
    {%- for column in columns -%}
        {{ " || ' × ' || " if not loop.first }}coalesce({{ column }}, 'unknown')
    {%- endfor -%}
{%- endmacro -%}


{#- One part of a pair; NULL for a dimension that is none. -#}
{%- macro part_of_pair(columns, part) -%}
    {%- if columns | length > 1 -%}
        coalesce({{ columns[part] }}, 'unknown')
    {%- else -%}
        cast(null as varchar)
    {%- endif -%}
{%- endmacro -%}


{#- The rows of trend_iqs of one dimension, with the dimension's own column name. -#}
{%- macro trend_iqs_of(dimension) -%}
with trend_iqs as (select * from {{ ref('trend_iqs') }})

select
    value as {{ dimensions()[dimension][0] }},
    * exclude (dimension, value, first_of_pair, second_of_pair)
from trend_iqs
where dimension = '{{ dimension }}'
{%- endmacro -%}
