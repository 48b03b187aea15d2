{#- A test's `where: in_days` or `where: in_scored_days`: it looks at the rows that this run has made, not at all history. -#}
{%- macro get_where_subquery(relation) -%}
    {%- set where = config.get('where', '') -%}
    {%- set conditions = {'in_days': in_days('call_date'), 'in_scored_days': in_scored_days('call_date')} -%}
    {%- if where -%}
        {%- do return('(select * from ' ~ relation ~ ' where ' ~ conditions.get(where, where) ~ ') as made') -%}
    {%- else -%}
        {%- do return(relation) -%}
    {%- endif -%}
{%- endmacro -%}
