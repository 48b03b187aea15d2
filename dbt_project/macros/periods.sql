{#- Trends of a day's run: rows of periods that nothing has happened to stand. A period's rows look at what lies before it, never
    at what comes after, so what is made anew are the periods from the first one on in which a day differs. -#}

{#- The first day whose trends differ from those that stand: something in it changed (int_day_prints), or a check of it; and the
    day that was the newest, whose periods may be complete now. NULL (none): all trends are made anew. -#}
{%- macro trended_from() -%}
    {%- if not (execute and is_incremental() and days_to_build()) -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set prints = adapter.get_relation(target.database, 'intermediate', 'int_day_prints') -%}
    {%- set checks = adapter.get_relation(target.database, 'intermediate', 'int_check_days') -%}
    {%- set stand = adapter.get_relation(target.database, 'intermediate', 'int_trended_days') -%}
    {%- if not (prints and checks and stand) -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set found = run_query(
        'select least(min(call_date) filter (where differs), max(call_date) filter (where stands)) from ('
        ~ 'select call_date, stand.call_date is not null as stands, prints.print is distinct from stand.print'
        ~ ' or checks.check_status is distinct from stand.check_status as differs'
        ~ ' from ' ~ prints ~ ' as prints full join ' ~ stand ~ ' as stand using (call_date)'
        ~ ' left join ' ~ checks ~ ' as checks using (call_date))'
    ).columns[0].values()[0] -%}
    {{ return(found) }}
{%- endmacro -%}


{#- Condition that a day lies in a period (day, week, month, or any of them) whose trends are made anew; with `before` also in the
    period before the first of them. -#}
{%- macro in_trended(period, column='call_date', before=false) -%}
    {%- set first = trended_from() -%}
    {%- if first is none -%}
        true
    {%- elif period == 'any' -%}
        {{ column }} >= least({{ trended_period_start('week', first, before) }}, {{ trended_period_start('month', first, before) }})
    {%- else -%}
        {{ column }} >= {{ trended_period_start(period, first, before) }}
    {%- endif -%}
{%- endmacro -%}


{#- The same of a row of a trend, by its period. -#}
{%- macro in_trended_periods(periods=('day', 'week', 'month')) -%}
    {%- set first = trended_from() -%}
    {%- if first is none -%}
        true
    {%- else -%}
        (
        {%- for period in periods -%}
            {{ ' or ' if not loop.first }}(period = '{{ period }}' and period_start >= {{ trended_period_start(period, first) }})
        {%- endfor -%}
        )
    {%- endif -%}
{%- endmacro -%}


{#- First day of the period in which a day lies, as a literal; with `before` that of the period before. -#}
{%- macro trended_period_start(period, day, before=false) -%}
    {%- set days = {'day': 0, 'week': day.weekday(), 'month': day.day - 1}[period] -%}
    {%- set start = day - modules.datetime.timedelta(days=days) -%}
    {%- if before -%}
        {%- set last = start - modules.datetime.timedelta(days=1) -%}
        {%- set days = {'day': 0, 'week': 6, 'month': last.day - 1}[period] -%}
        {%- set start = last - modules.datetime.timedelta(days=days) -%}
    {%- endif -%}
    date '{{ start.isoformat() }}'
{%- endmacro -%}


{#- Pre-hook of a trend: the rows that are made anew leave the table first. -#}
{%- macro drop_trended_periods() -%}
    {{ drop_days(in_trended_periods()) }}
{%- endmacro -%}


{#- Condition for tests of trends: rows of the periods from the first one on in which this run scored a day. -#}
{%- macro in_scored_periods(table='') -%}
    {%- set days = scored_days() | sort -%}
    {%- if days -%}
        {%- set first = modules.datetime.date.fromisoformat(days[0]) -%}
        case {{ table }}period
        {%- for period in ('day', 'week', 'month') %} when '{{ period }}' then {{ table }}period_start >= {{ trended_period_start(period, first) }}{% endfor %} end
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro -%}
