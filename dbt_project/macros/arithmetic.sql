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
