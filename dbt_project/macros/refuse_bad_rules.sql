{#- Runs before anything is written: reads the rules' files themselves and refuses the build where they can't be scored with. -#}
{%- macro refuse_bad_rules() -%}
    {%- if execute and flags.WHICH in ('build', 'run', 'seed', 'run-operation') -%}
        {%- set problems = run_query(bad_rules()).columns[0].values() -%}
        {%- if problems | length > 0 -%}
            {{ exceptions.raise_compiler_error('The rules in dbt_project/seeds are refused:\n- ' ~ problems | join('\n- ')) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro -%}


{#- One sentence for each thing that is wrong with the scorecards, weights and curves. Rows are counted with the header as 1. -#}
{%- macro bad_rules() -%}
with
{% for name in ['scorecard_weights', 'scorecards', 'parameters', 'score_curves'] %}
{{ name }} as (
    select
        row_number() over () + 1 as line,
        *
    from read_csv('{{ rule_file(name) }}', header = true, all_varchar = true)
),
{% endfor %}
weights as (
    select
        *,
        scorecard || ' version ' || coalesce(version, '(none)') as card,
        'scorecard_weights.csv row ' || line || ': ' as place,
        try_cast(weight as decimal(9, 4)) as percent
    from scorecard_weights
),
cards as (
    select
        *,
        scorecard || ' version ' || coalesce(version, '(none)') as card,
        'scorecards.csv row ' || line || ': ' as place,
        try_cast(version as bigint) as number,
        try_cast(valid_from as date) as first_day
    from scorecards
),
curves as (
    select
        *,
        'score_curves.csv row ' || line || ': ' as place
    from score_curves
),
problems as (
    select
        min(line) as line,
        'scorecard_weights.csv rows ' || string_agg(line, ', ' order by line) || ': the weights of ' || card
        || ' sum to ' || sum(percent) || ' %, not 100 %' as problem
    from weights
    group by card
    having sum(percent) <> 100
    union all
    select
        line,
        place || card || ' ' || coalesce(parameter, '(none)') || ' has the weight ' || coalesce(weight, 'nothing')
        || '; it takes a percentage from 0 to 100 with at most 4 decimals' as problem
    from weights
    where percent is null or percent < 0 or percent > 100 or percent <> cast(weight as double)
    union all
    select
        line,
        place || card || ' names the unknown parameter ' || coalesce(parameter, '(none)') as problem
    from weights
    where parameter is null or parameter not in (select parameter from parameters)
    union all
    select
        max(line) as line,
        'scorecard_weights.csv rows ' || string_agg(line, ' and ' order by line) || ': ' || card || ' names ' || parameter
        || ' ' || count(*) || ' times' as problem
    from weights
    group by card, parameter
    having count(*) > 1
    union all
    select
        line,
        place || card || ' ' || parameter || ' says ' || is_critical || ' in is_critical; it takes true or false' as problem
    from weights
    where is_critical is not null and try_cast(is_critical as boolean) is null
    union all
    select
        line,
        place || card || ' ' || parameter || ' is critical but has no threshold from 0 to 100' as problem
    from weights
    where
        try_cast(is_critical as boolean)
        and coalesce(try_cast(threshold as double) not between 0 and 100, true)
    union all
    select
        min(line) as line,
        min(place) || card || ' is not in scorecards.csv' as problem
    from weights
    where card not in (select card from cards)
    group by card
    union all
    select
        min(line) as line,
        min(place) || card || ' has no rows in scorecard_weights.csv' as problem
    from cards
    where card not in (select card from weights)
    group by card
    union all
    select
        line,
        place || card || ' needs a whole version number and a date in valid_from' as problem
    from cards
    where number is null or first_day is null
    union all
    select
        line,
        place || card || ' is for the channel ' || coalesce(channel, '(none)') || '; channels are call, chat, email, social'
        as problem
    from cards
    where coalesce(channel not in ('call', 'chat', 'email', 'social'), true)
    union all
    select
        line,
        place || card || ' needs a call type, or * for all' as problem
    from cards
    where call_type is null
    union all
    select
        max(line) as line,
        'scorecards.csv rows ' || string_agg(line, ' and ' order by line) || ': ' || string_agg(card, ' and ' order by line)
        || ' are all valid for ' || channel || ' ' || call_type || ' from ' || first_day as problem
    from cards
    group by channel, call_type, first_day
    having count(*) > 1
    union all
    select
        max(later.line) as line,
        min(later.place) || later.card || ' for ' || later.channel || ' ' || later.call_type || ' is valid from '
        || later.first_day || ', not after version ' || max(earlier.number) || ' (row ' || max(earlier.line) || ', '
        || max(earlier.first_day) || '): versions overlap' as problem
    from cards as later
    inner join cards as earlier
        on
            later.scorecard = earlier.scorecard
            and later.channel = earlier.channel
            and later.call_type = earlier.call_type
            and later.number > earlier.number
            and later.first_day < earlier.first_day
    group by later.card, later.channel, later.call_type, later.first_day
    union all
    select
        line,
        'parameters.csv row ' || line || ': ' || parameter || ' says ' || coalesce(combine, 'nothing')
        || ' in combine; it takes mean or scaled' as problem
    from parameters
    where coalesce(combine not in ('mean', 'scaled'), true)
    union all
    select
        line,
        'parameters.csv row ' || line || ': ' || parameter || ' has no curve for its metric ' || metric
        || ' in score_curves.csv' as problem
    from parameters
    where (parameter, metric) not in (select (parameter, metric) from curves)
    union all
    select
        line,
        place || 'a curve of the unknown parameter ' || coalesce(parameter, '(none)') as problem
    from curves
    where parameter is null or parameter not in (select parameter from parameters)
    union all
    select
        min(line) as line,
        'score_curves.csv rows ' || string_agg(line, ', ' order by line) || ': the curve of ' || parameter || ' for ' || metric
        || ' valid from ' || coalesce(valid_from, '(none)') || ' needs two or more knots with different x' as problem
    from curves
    group by parameter, metric, valid_from
    having count(*) < 2 or count(distinct try_cast(x as double)) < count(*)
    union all
    select
        line,
        place || 'the curve of ' || parameter || ' for ' || metric || ' has the score ' || coalesce(score, 'nothing')
        || ', which is not within 0 to 100' as problem
    from curves
    where coalesce(try_cast(score as double) not between 0 and 100, true)
    union all
    select
        line,
        place || 'the curve of ' || parameter || ' for ' || metric || ' is valid from ' || coalesce(valid_from, 'nothing')
        || '; it takes a date' as problem
    from curves
    where try_cast(valid_from as date) is null
)
select problem from problems
order by problem, line
{%- endmacro -%}


{#- Path of a seed's file, as dbt will read it. -#}
{%- macro rule_file(name) -%}
    {%- set seed = graph.nodes['seed.' ~ project_name ~ '.' ~ name] -%}
    {{ seed.root_path ~ '/' ~ seed.original_file_path }}
{%- endmacro -%}
