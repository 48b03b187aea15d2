-- Noise, recognition, language, channel and recording layout explain little of the differences in scores (a warning).
{{ config(severity='warn') }}

select
    factor,
    explained_share
from {{ ref('insight_fairness') }}
where is_warning
