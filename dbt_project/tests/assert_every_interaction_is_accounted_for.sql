-- received = scored + excluded + quarantined, on every day.
select call_date
from {{ ref('ops_ledger') }}
where not reconciles
