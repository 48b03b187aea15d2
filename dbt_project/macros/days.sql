{#- Condition for the days in IQS_DAYS ("2026-03-02,2026-03-04"; empty: all days), as literals so that only their files are read.
    `reach_back` adds that many days before each of them, `reach_forward` after. -#}
{%- macro in_days(column, reach_back=0, reach_forward=0) -%}
    {{ is_one_of(column, days_to_build(reach_back, reach_forward)) }}
{%- endmacro -%}


{#- Condition for the days whose scores this run computes: those in IQS_DAYS, and those that int_changed_days found. -#}
{%- macro in_scored_days(column) -%}
    {{ is_one_of(column, scored_days()) }}
{%- endmacro -%}


{#- These days as a list of texts; none where all days are built. -#}
{%- macro scored_days() -%}
    {%- set days = days_to_build() -%}
    {%- set changed = adapter.get_relation(target.database, 'intermediate', 'int_changed_days') if days and execute -%}
    {%- if changed -%}
        {%- for day in run_query('select call_date from ' ~ changed ~ ' where is_changed').columns[0].values() -%}
            {%- do days.append(day.isoformat()) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(days) }}
{%- endmacro -%}


{#- Condition for the days whose resolutions this run looks at again (int_truth_days), with `reach_forward` days after each. -#}
{%- macro in_truth_days(column, reach_forward=0) -%}
    {{ is_one_of(column, truth_days(reach_forward)) }}
{%- endmacro -%}


{#- Condition for the days whose scores may take something else from elsewhere: their resolutions, or the handling times of the
    28 days up to them. -#}
{%- macro in_taking_days(column) -%}
    {%- set days = truth_days() -%}
    {{ is_one_of(column, days + days_to_build(reach_forward=27) if days else []) }}
{%- endmacro -%}


{#- The days of int_truth_days as a list of texts; none where all days are built. -#}
{%- macro truth_days(reach_forward=0) -%}
    {%- set found = [] -%}
    {%- set known = adapter.get_relation(target.database, 'intermediate', 'int_truth_days') if days_to_build() and execute -%}
    {%- if known -%}
        {%- for day in run_query('select call_date from ' ~ known).columns[0].values() -%}
            {%- for away in range(0, reach_forward + 1) -%}
                {%- do found.append((day + modules.datetime.timedelta(days=away)).isoformat()) -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- if not found -%}
            {%- do found.append('0001-01-01') -%}
        {%- endif -%}
    {%- endif -%}
    {{ return(found) }}
{%- endmacro -%}


{#- The days in IQS_DAYS as a list of texts, with `reach_back` days before and `reach_forward` days after each. -#}
{%- macro days_to_build(reach_back=0, reach_forward=0) -%}
    {%- set days = env_var('IQS_DAYS', '') if execute else '' -%}
    {%- set found = [] -%}
    {%- for day in days.split(',') if day.strip() -%}
        {%- if not modules.re.match('^[0-9]{4}-[0-9]{2}-[0-9]{2}$', day.strip()) -%}
            {{ exceptions.raise_compiler_error("IQS_DAYS holds '" ~ day ~ "'; days look like 2026-03-02, joined by commas") }}
        {%- endif -%}
        {%- set day = modules.datetime.date.fromisoformat(day.strip()) -%}
        {%- for away in range(-reach_back, reach_forward + 1) -%}
            {%- do found.append((day + modules.datetime.timedelta(days=away)).isoformat()) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro -%}


{#- Condition that `column` is one of these days; true where there are none. -#}
{%- macro is_one_of(column, days) -%}
    {%- if days -%}
        {{ column }} in (date '{{ days | unique | sort | join("', date '") }}')
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro -%}


{#- Pre-hook: the rows that are built again leave the table first. `where` is the condition, by default the days in IQS_DAYS. -#}
{%- macro drop_days(where=none) -%}
    {%- if is_incremental() -%}
        delete from {{ this }} where {{ where or in_days('call_date') }}
    {%- endif -%}
{%- endmacro -%}


{#- The same for the days whose scores this run computes. -#}
{%- macro drop_scored_days() -%}
    {{ drop_days(in_scored_days('call_date')) }}
{%- endmacro -%}


{#- UTC time without a zone. -#}
{%- macro utc(column) -%}
    make_timestamp(epoch_us({{ column }}))
{%- endmacro -%}


{#- First day of the period that `column` lies in. -#}
{%- macro period_start(period, column) -%}
    cast(date_trunc('{{ period }}', {{ column }}) as date)
{%- endmacro -%}
