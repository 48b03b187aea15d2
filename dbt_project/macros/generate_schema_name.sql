{#- Schemas are called what the folder is called: staging, intermediate, marts, trends, ops, restricted, seeds. -#}
{%- macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name | trim if custom_schema_name else target.schema }}
{%- endmacro -%}
