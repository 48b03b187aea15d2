{#- A row of the seed check_limits. -#}
{%- macro check_limit(name) -%}
    (select value from {{ ref('check_limits') }} where name = '{{ name }}')
{%- endmacro -%}


{#- Condition that `column` is one of the newest days, for which warnings are given. -#}
{%- macro in_warning_days(column) -%}
    {{ column }} > (select max(call_date) from {{ ref('ops_coverage') }}) - cast({{ check_limit('warning_days') }} as integer)
{%- endmacro -%}
