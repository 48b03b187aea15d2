{#- Sums are kept in integers of 1/10000 (`_e4`): they do not depend on the order in which threads add. -#}
{%- macro to_e4(column) -%}
    cast({{ column }} * 10000 as bigint)
{%- endmacro -%}


{%- macro from_e4(column, type='decimal(9,4)') -%}
    cast(cast({{ column }} as decimal(14, 0)) * 0.0001 as {{ type }})
{%- endmacro -%}


{#- Integer quotient of non-negative integers, halves rounded up; NULL where the divisor is 0. -#}
{%- macro divide_e4(numerator, denominator) -%}
    ((2 * ({{ numerator }}) + ({{ denominator }})) // nullif(2 * ({{ denominator }}), 0))
{%- endmacro -%}


{#- Quotient of counts as DECIMAL(9,6), halves rounded up; NULL where the divisor is 0. -#}
{%- macro share(numerator, denominator) -%}
    cast(
        cast({{ divide_e4('1000000 * (' ~ numerator ~ ')', denominator) }} as decimal(12, 0)) * 0.000001 as decimal(9, 6)
    )
{%- endmacro -%}


{#- Standard deviation of n values from their sum and sum of squares, all in e4; NULL below two values. -#}
{%- macro deviation(n, total_e4, squares_e8) -%}
    case
        when {{ n }} > 1 then
            sqrt(
                cast({{ n }} * {{ squares_e8 }} - {{ total_e4 }} * {{ total_e4 }} as double) / (cast({{ n }} as double) * ({{ n }} - 1))
            )
            / 10000
    end
{%- endmacro -%}


{#- IQS points with 4 decimals, from a DOUBLE. -#}
{%- macro points(column) -%}
    cast(round({{ column }}, 4) as decimal(9, 4))
{%- endmacro -%}


{#- Change of a mean between two periods in points, from sums in e4 of grouped rows; NULL where one of them is empty.
    A DECIMAL, so that sums of it do not depend on the order in which threads add. -#}
{%- macro change_of_means(score_e4, n, score_before_e4, n_before) -%}
    cast(
        round(
            (
                sum({{ score_e4 }}) / nullif(sum({{ n }}), 0) - sum({{ score_before_e4 }}) / nullif(sum({{ n_before }}), 0)
            )
            / 10000,
            9
        ) as decimal(18, 9)
    )
{%- endmacro -%}


{#- Mean of a part's shares of two wholes, as DECIMAL. -#}
{%- macro mean_share(part, whole, part_before, whole_before) -%}
    cast(
        round(({{ part }} / nullif({{ whole }}, 0) + {{ part_before }} / nullif({{ whole_before }}, 0)) / 2, 9) as decimal(18, 9)
    )
{%- endmacro -%}


{#- Determinant of three rows of three expressions, as DOUBLE. -#}
{%- macro determinant(rows) -%}
    (
        {%- for first, second, third in [(0, 1, 2), (1, 2, 0), (2, 0, 1)] %}
        {{ '+ ' if not loop.first }}cast({{ rows[0][first] }} as double) * (
            cast({{ rows[1][second] }} as double) * ({{ rows[2][third] }})
            - cast({{ rows[1][third] }} as double) * ({{ rows[2][second] }})
        )
        {%- endfor %}
    )
{%- endmacro -%}


{#- Pearson's correlation of two columns of integers, from exact sums; NULL where one of them does not vary. -#}
{%- macro correlation(x, y) -%}
    cast(
        count(*) * sum(cast({{ x }} as hugeint) * {{ y }}) - sum(cast({{ x }} as hugeint)) * sum(cast({{ y }} as hugeint)) as double
    )
    / nullif(
        sqrt(cast(count(*) * sum(cast({{ x }} as hugeint) * {{ x }}) - sum(cast({{ x }} as hugeint)) * sum(cast({{ x }} as hugeint)) as double))
        * sqrt(cast(count(*) * sum(cast({{ y }} as hugeint) * {{ y }}) - sum(cast({{ y }} as hugeint)) * sum(cast({{ y }} as hugeint)) as double)),
        0
    )
{%- endmacro -%}


{#- A mean or a difference of means of any measure, with 4 decimals. -#}
{%- macro effect(column) -%}
    cast(round({{ column }}, 4) as decimal(14, 4))
{%- endmacro -%}
