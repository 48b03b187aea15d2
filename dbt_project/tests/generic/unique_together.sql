{% test unique_together(model, columns, daily=false, trended=false) %}
select {{ columns | join(', ') }}
from {{ model }}
where {{ in_days('call_date') if daily else in_scored_periods() if trended else 'true' }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
