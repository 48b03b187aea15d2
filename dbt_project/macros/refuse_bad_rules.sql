{#- Runs before anything is written: reads the rules' files themselves and refuses the build where they can't be scored with. -#}
{%- macro refuse_bad_rules() -%}
    {%- if execute and flags.WHICH in ('build', 'run', 'seed', 'run-operation') -%}
        {%- set problems = run_query(bad_rules()).columns[0].values() -%}
        {%- if problems | length > 0 -%}
            {{ exceptions.raise_compiler_error('The rules in dbt_project/seeds are refused:\n- ' ~ problems | join('\n- ')) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro -%}


{#- One sentence for each thing that is wrong with the scorecards, weights and curves. -#}
{%- macro bad_rules() -%}
with
weights as (
    select *
    from read_csv('{{ rule_file('scorecard_weights') }}', header = true, all_varchar = true)
),
scorecards as (
    select *
    from read_csv('{{ rule_file('scorecards') }}', header = true, all_varchar = true)
),
parameters as (
    select *
    from read_csv('{{ rule_file('parameters') }}', header = true, all_varchar = true)
),
curves as (
    select *
    from read_csv('{{ rule_file('score_curves') }}', header = true, all_varchar = true)
),
numbers as (
    select
        *,
        try_cast(weight as decimal(9, 4)) as percent
    from weights
),
problems as (
    select
        'scorecard_weights.csv: the weights of ' || scorecard || ' version ' || version || ' sum to '
        || sum(percent) || ' %, not 100 %' as problem
    from numbers
    group by scorecard, version
    having sum(percent) <> 100
    union all
    select
        'scorecard_weights.csv: ' || scorecard || ' version ' || version || ' ' || parameter || ' has the weight '
        || coalesce(weight, 'nothing') || '; it takes a percentage from 0 to 100 with at most 4 decimals'
    from numbers
    where percent is null or percent < 0 or percent > 100 or percent <> cast(weight as double)
    union all
    select
        'scorecard_weights.csv: ' || scorecard || ' version ' || version || ' names the unknown parameter '
        || coalesce(parameter, '(none)')
    from weights
    where parameter is null or parameter not in (select parameter from parameters)
    union all
    select
        'scorecard_weights.csv: ' || scorecard || ' version ' || version || ' names ' || parameter || ' '
        || count(*) || ' times'
    from weights
    group by scorecard, version, parameter
    having count(*) > 1
    union all
    select
        'scorecard_weights.csv: ' || scorecard || ' version ' || version || ' ' || parameter
        || ' is critical but has no threshold from 0 to 100'
    from weights
    where
        try_cast(is_critical as boolean)
        and coalesce(try_cast(threshold as double) not between 0 and 100, true)
    union all
    select distinct 'scorecards.csv: ' || scorecard || ' version ' || version || ' has no rows in scorecard_weights.csv'
    from scorecards
    where (scorecard, version) not in (select (scorecard, version) from weights)
    union all
    select distinct 'scorecard_weights.csv: ' || scorecard || ' version ' || version || ' is not in scorecards.csv'
    from weights
    where (scorecard, version) not in (select (scorecard, version) from scorecards)
    union all
    select
        'scorecards.csv: ' || scorecard || ' version ' || coalesce(version, '(none)') || ' needs a whole version number and a date in valid_from'
    from scorecards
    where try_cast(version as bigint) is null or try_cast(valid_from as date) is null
    union all
    select
        'scorecards.csv: ' || string_agg(scorecard || ' version ' || version, ' and ' order by scorecard, version)
        || ' are all valid for ' || channel || ' ' || call_type || ' from ' || valid_from
    from scorecards
    group by channel, call_type, valid_from
    having count(*) > 1
    union all
    select 'score_curves.csv: ' || parameters.parameter || ' has no curve for its metric ' || parameters.metric
    from parameters
    where (parameters.parameter, parameters.metric) not in (select (parameter, metric) from curves)
    union all
    select 'score_curves.csv: the curve of ' || parameter || ' for ' || metric || ' needs two or more knots with different x'
    from curves
    group by parameter, metric
    having count(*) < 2 or count(distinct try_cast(x as double)) < count(*)
    union all
    select
        'score_curves.csv: the curve of ' || parameter || ' for ' || metric || ' has the score '
        || coalesce(score, 'nothing') || ', which is not within 0 to 100'
    from curves
    where coalesce(try_cast(score as double) not between 0 and 100, true)
)
select problem from problems
order by problem
{%- endmacro -%}


{#- Path of a seed's file, as dbt will read it. -#}
{%- macro rule_file(name) -%}
    {%- set seed = graph.nodes['seed.' ~ project_name ~ '.' ~ name] -%}
    {{ seed.root_path ~ '/' ~ seed.original_file_path }}
{%- endmacro -%}
