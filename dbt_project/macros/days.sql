{#- Condition for the days in IQS_DAYS ("2026-03-02,2026-03-04"; empty: all days), as literals so that only their files are read.
    `reach_back` adds that many days before each of them. -#}
{%- macro in_days(column, reach_back=0) -%}
    {%- set days = env_var('IQS_DAYS', '') if execute else '' -%}
    {%- set found = [] -%}
    {%- for day in days.split(',') if day.strip() -%}
        {%- if not modules.re.match('^[0-9]{4}-[0-9]{2}-[0-9]{2}$', day.strip()) -%}
            {{ exceptions.raise_compiler_error("IQS_DAYS holds '" ~ day ~ "'; days look like 2026-03-02, joined by commas") }}
        {%- endif -%}
        {%- set day = modules.datetime.date.fromisoformat(day.strip()) -%}
        {%- for back in range(reach_back + 1) -%}
            {%- do found.append((day - modules.datetime.timedelta(days=back)).isoformat()) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- if found -%}
        {{ column }} in (date '{{ found | unique | sort | join("', date '") }}')
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro -%}


{#- Pre-hook: the days that are built again leave the table first, with all their rows. -#}
{%- macro drop_days(also='false') -%}
    {%- if is_incremental() -%}
        delete from {{ this }} where {{ in_days('call_date') }} or ({{ also }})
    {%- endif -%}
{%- endmacro -%}


{#- UTC time without a zone. -#}
{%- macro utc(column) -%}
    make_timestamp(epoch_us({{ column }}))
{%- endmacro -%}


{#- First day of the period that `column` lies in. -#}
{%- macro period_start(period, column) -%}
    cast(date_trunc('{{ period }}', {{ column }}) as date)
{%- endmacro -%}
