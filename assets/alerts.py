"""Alerts: written down when they are raised, delivered after the publication, which no channel can hold up."""

import dagster as dg

from assets.publication import DATABASE
from pipelines.alerts.delivery import AlertError, Delivery, DeliveryOptions, deliver, note_sightings, published_alerts
from pipelines.alerts.delivery import read_alerts as read
from pipelines.publishing.lock import LockHeld, writer_lock
from pipelines.resources.notifier import Notifier
from pipelines.resources.stage import OWNERS, WAREHOUSE_QUEUE
from pipelines.resources.warehouse import PublicationsResource, WarehouseResource
from pipelines.settings import SettingError

RAISED, DELIVERIES = dg.AssetKey(["alerts", "raised"]), dg.AssetKey(["alerts", "deliveries"])


@dg.asset(
    key=RAISED,
    deps=[dg.AssetKey(["trends", "alerts"])],
    description="When each alert was first raised, written down before the publication that shows it.",
    group_name="alerts",
    kinds={"json"},
    owners=OWNERS,
    op_tags=WAREHOUSE_QUEUE,
)
def raised(warehouse: WarehouseResource) -> dg.MaterializeResult:
    import duckdb

    source = warehouse.open()
    with (
        writer_lock(source.path.with_suffix(".lock"), "alerts", wait_s=600),
        duckdb.connect(str(source.path), read_only=True) as connection,
    ):
        alerts = read(connection, "trends.alerts")
    new = note_sightings(alerts, source.lake.root)
    open_ = sum(not a.acknowledged for a in alerts)
    return dg.MaterializeResult(metadata={"dagster/row_count": len(alerts), "new": new, "not_acknowledged": open_})


@dg.asset(
    key=DELIVERIES,
    deps=[DATABASE],
    description="Alerts sent to the agents' supervisors: webhook, Slack, e-mail. Off until a channel is configured.",
    group_name="alerts",
    kinds={"json"},
    owners=OWNERS,
    op_tags=WAREHOUSE_QUEUE,
    check_specs=[
        dg.AssetCheckSpec(
            "every_channel_took_its_alerts",
            asset=DELIVERIES,
            description="No alert waits because a channel is down; what waits is sent at the next run.",
        )
    ],
)
def deliveries(
    context: dg.AssetExecutionContext,
    warehouse: WarehouseResource,
    publications: PublicationsResource,
    notifier: dg.ResourceParam[Notifier],
) -> dg.MaterializeResult:
    try:
        channels = notifier.open()
        if channels.on:
            alerts, publish_id = published_alerts(publications.path / "current" / "iqs.duckdb")
            lake = warehouse.open().lake.root
            made = deliver(alerts, channels, lake, publish_id, DeliveryOptions(notifier.today))
        else:
            made = Delivery()
        on = channels.on
    except (SettingError, AlertError, LockHeld, OSError) as error:
        made, on = Delivery(problems=(str(error),)), ()
    for problem in made.problems:
        context.log.warning(f"alerts: {problem}")
    return dg.MaterializeResult(
        metadata={
            "channels": ", ".join(on) or "none is configured",
            "delivered": made.delivered,
            "failed": made.failed,
            "waiting": made.waiting,
            "too_old": made.too_old,
        },
        check_results=[
            dg.AssetCheckResult(
                asset_key=DELIVERIES,
                check_name="every_channel_took_its_alerts",
                passed=made.is_complete and not made.problems,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"problems": dg.MetadataValue.md("\n".join(f"- {p}" for p in made.problems) or "none")},
            )
        ],
    )
