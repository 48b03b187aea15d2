"""What a channel or the CRM did not take is tried again every ten minutes, also when nothing new comes in."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import dagster as dg

from pipelines.alerts.channels import EMAIL, Channels
from pipelines.alerts.delivery import AlertError, DeliveryOptions, due, published_alerts
from pipelines.crm.mapping import CrmError
from pipelines.crm.sync import Crm, SyncOptions, changes, published_tickets
from pipelines.settings import SettingError, Settings

SEND_AGAIN = dg.define_asset_job(
    "send_again",
    selection=dg.AssetSelection.assets("alerts/deliveries", "crm/tickets"),
    description="Send the alerts and write the tickets that wait, from the current publication.",
)


def waiting(settings: Settings) -> str:
    """What waits to be sent, in words; empty where nothing does, or nothing can be sent as it is configured."""
    database = settings.published / "current" / "iqs.duckdb"
    if not database.exists():
        return ""
    today, found = datetime.now(ZoneInfo(settings.timezone)).date(), []
    try:
        channels, crm = Channels.of(settings), Crm.of(settings)
        if channels.on:
            messages = due(published_alerts(database)[0], channels, settings.lake, DeliveryOptions(today))
            # A mail without an address waits for somebody to give one, not for a run.
            messages = [m for m in messages if m.channel != EMAIL or channels.address(m.route)]
            found += [f"{len(messages)} messages"] if messages else []
        if crm:
            tickets, _ = changes(published_tickets(database)[0], crm, settings.lake, SyncOptions(today))
            found += [f"{len(tickets)} tickets"] if tickets else []
    except (SettingError, AlertError, CrmError, OSError):
        return ""
    return " and ".join(found)


def redelivery(settings: Settings) -> dg.ScheduleDefinition:
    """The schedule of an installation; it starts a run only where something waits."""

    @dg.schedule(
        name="redelivery",
        job=SEND_AGAIN,
        cron_schedule="*/10 * * * *",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Every ten minutes: what a channel or the CRM did not take is sent again.",
    )
    def redelivery(context: dg.ScheduleEvaluationContext):
        what = waiting(settings)
        return dg.RunRequest(tags={"waiting": what}) if what else dg.SkipReason("nothing waits")

    return redelivery
