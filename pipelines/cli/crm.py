"""The CRM: write scores and flags to its tickets."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from pipelines.cli.terminal import DONE, DONE_WITH_WARNINGS, USED_WRONGLY, CommandError, Json, app, say
from pipelines.settings import Settings

crm = typer.Typer(help="The CRM: write scores and flags to its tickets.", no_args_is_help=True)
app.add_typer(crm, name="crm")


@crm.callback()
def _group() -> None:
    """Keeps `sync` a command of its own."""


@crm.command("sync")
def crm_sync(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be sent; send nothing.")] = False,
    retry_refused: Annotated[bool, typer.Option("--retry-refused", help="Also what the CRM refused before.")] = False,
    as_json: Json = False,
) -> int:
    """Write the current publication's scores to the CRM's tickets, as the run does after a publication."""
    from pipelines.crm.mapping import CrmError
    from pipelines.crm.sync import Crm, SyncOptions, changes, published_tickets, sync

    settings = Settings.from_environment()
    try:
        target = Crm.of(settings)
    except CrmError as error:
        raise CommandError(str(error), USED_WRONGLY) from error
    if target is None:
        raise CommandError("no CRM is configured: set IQS_CRM_TARGET and IQS_CRM_URL; see docs/crm.md", USED_WRONGLY)
    database = settings.published / "current" / "iqs.duckdb"
    if not database.exists():
        raise CommandError("nothing is published yet; `iqs run` first")
    tickets, publish_id = published_tickets(database)
    options = SyncOptions(datetime.now(ZoneInfo(settings.timezone)).date(), retry_refused=retry_refused)
    if dry_run:
        found, unchanged = changes(tickets, target, settings.lake, options)
        shown = [{"ticket_id": c.ticket.ticket_id, "sent": json.loads(c.shown)} for c in found]
        if as_json:
            say(json.dumps(shown, default=str))
            return DONE
        for change in found:
            say(f"{change.ticket.ticket_id:<20} {change.shown}")
        say(f"{len(found)} tickets would be written, {unchanged} hold it already")
        return DONE
    made = sync(tickets, target, settings.lake, publish_id, options)
    if as_json:
        say(json.dumps(asdict(made)))
    else:
        say(
            f"{made.sent} sent, {made.unchanged} unchanged, {made.failed} failed, {made.refused} refused,"
            f" {made.waiting} waiting"
        )
        for problem in made.problems:
            say(f"  {problem}")
    return DONE if made.is_complete else DONE_WITH_WARNINGS
