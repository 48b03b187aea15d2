{#- Whether a survey says the opposite of the IQS; `limits` has iqs_high and iqs_low. CSAT 1-2 and NPS 0-6 are unhappy. -#}
{%- macro survey_disagrees(iqs, csat, nps) -%}
    ({{ iqs }} >= limits.iqs_high and ({{ csat }} <= 2 or {{ nps }} <= 6))
    or ({{ iqs }} <= limits.iqs_low and ({{ csat }} >= 4 or {{ nps }} >= 9))
{%- endmacro -%}
