{% test unique_together(model, columns, daily=false) %}
select {{ columns | join(', ') }}
from {{ model }}
where {{ in_days('call_date') if daily else 'true' }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
