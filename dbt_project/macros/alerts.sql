{#- Whether a value is beyond a threshold; `comparison` is a column with below, at_most, above or at_least. -#}
{%- macro is_beyond(value, comparison, threshold) -%}
    case {{ comparison }}
        when 'below' then {{ value }} < {{ threshold }}
        when 'at_most' then {{ value }} <= {{ threshold }}
        when 'above' then {{ value }} > {{ threshold }}
        when 'at_least' then {{ value }} >= {{ threshold }}
    end
{%- endmacro -%}


{#- The rules that are on, each version with the first day on which it no longer holds (NULL: it still does). -#}
{%- macro alert_rules_in_force() -%}
    select * exclude (threshold, where_threshold)
        replace (coalesce(party, '') as party, coalesce(where_party, '') as where_party),
        cast(threshold as double) as threshold,
        cast(where_threshold as double) as where_threshold
    from (
        select
            *,
            lead(valid_from) over (partition by rule order by version) as valid_until
        from {{ ref('alert_rules') }}
    )
    where enabled
{%- endmacro -%}
