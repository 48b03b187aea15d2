{# Comments of all columns, without first asking DuckDB which ones there are: contracts are enforced where they are kept. #}
{% macro duckdb__alter_column_comment(relation, column_dict) %}
  {%- for column in column_dict.values() %}
    comment on column {{ relation }}.{{ column['name'] }} is {{ duckdb_escape_comment(column['description']) }};
  {%- endfor %}
{% endmacro %}
