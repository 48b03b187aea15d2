{#- What trends are grouped by: dimension -> column of fct_interactions (a literal for the whole centre). -#}
{%- macro dimensions(names=none) -%}
    {%- set all_of_them = {
        'all': "'all'",
        'agent': 'agent_id',
        'team': 'team',
        'campaign': 'campaign',
        'client': 'client',
        'issue_type': 'issue_type',
        'language': 'language',
        'shift': 'shift',
        'region': 'region',
        'call_type': 'call_type',
        'channel': 'channel',
    } -%}
    {%- set chosen = {} -%}
    {%- for name in names or all_of_them.keys() -%}
        {%- do chosen.update({name: all_of_them[name]}) -%}
    {%- endfor -%}
    {{ return(chosen) }}
{%- endmacro -%}


{#- The rows of trend_iqs of one dimension, with the dimension's own column name. -#}
{%- macro trend_iqs_of(dimension) -%}
with trend_iqs as (select * from {{ ref('trend_iqs') }})

select
    value as {{ dimensions()[dimension] }},
    * exclude (dimension, value)
from trend_iqs
where dimension = '{{ dimension }}'
{%- endmacro -%}
