"""CRM: scores and flags on its tickets, after the publication, which no CRM can hold up."""

import dagster as dg

from assets.publication import DATABASE
from pipelines.crm.mapping import CrmError
from pipelines.crm.sync import Synced, SyncOptions, published_tickets, sync
from pipelines.publishing.lock import LockHeld
from pipelines.resources.crm import CrmAccess
from pipelines.resources.stage import OWNERS, WAREHOUSE_QUEUE
from pipelines.resources.warehouse import PublicationsResource, WarehouseResource
from pipelines.settings import SettingError

TICKETS = dg.AssetKey(["crm", "tickets"])


@dg.asset(
    key=TICKETS,
    deps=[DATABASE],
    description="Scores and flags written to the CRM's tickets. Off until a CRM is configured.",
    group_name="crm",
    kinds={"json"},
    owners=OWNERS,
    op_tags=WAREHOUSE_QUEUE,
    check_specs=[
        dg.AssetCheckSpec(
            "every_ticket_was_written",
            asset=TICKETS,
            description="The CRM took every ticket; what failed is tried again at the next run.",
        )
    ],
)
def tickets(
    context: dg.AssetExecutionContext,
    warehouse: WarehouseResource,
    publications: PublicationsResource,
    crm: dg.ResourceParam[CrmAccess],
) -> dg.MaterializeResult:
    made, target = Synced(), "none is configured"
    try:
        opened = crm.open()
        if opened:
            target = opened.target
            found, publish_id = published_tickets(publications.path / "current" / "iqs.duckdb")
            made = sync(found, opened, warehouse.open().lake.root, publish_id, SyncOptions(crm.today))
    except (SettingError, CrmError, LockHeld, OSError) as error:
        made = Synced(problems=(str(error),))
    for problem in made.problems[:20]:
        context.log.warning(f"crm: {problem}")
    return dg.MaterializeResult(
        metadata={
            "target": target,
            "sent": made.sent,
            "unchanged": made.unchanged,
            "failed": made.failed,
            "refused": made.refused,
            "waiting": made.waiting,
        },
        check_results=[
            dg.AssetCheckResult(
                asset_key=TICKETS,
                check_name="every_ticket_was_written",
                passed=made.is_complete and not made.problems,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"problems": dg.MetadataValue.md("\n".join(f"- {p}" for p in made.problems[:50]) or "none")},
            )
        ],
    )
