"""Alerts: what is open, taking note of one, sending what waits, and trying another threshold on the past."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from pipelines.cli.terminal import DONE, DONE_WITH_WARNINGS, USED_WRONGLY, CommandError, Json, app, day_of, say
from pipelines.settings import Settings

alerts = typer.Typer(help="Alerts: open ones, acknowledge, send, try another threshold.", no_args_is_help=True)
app.add_typer(alerts, name="alerts")


def _database(settings: Settings) -> Path:
    path = settings.published / "current" / "iqs.duckdb"
    if not path.exists():
        raise CommandError("nothing is published yet; `iqs run` first")
    return path


@alerts.command("list")
def alerts_list(
    everything: Annotated[bool, typer.Option("--all", help="Acknowledged ones too.")] = False,
    rule: Annotated[str | None, typer.Option(help="Only of this rule.")] = None,
    supervisor: Annotated[str | None, typer.Option(help="Only for this supervisor.")] = None,
    as_json: Json = False,
) -> int:
    """The alerts of the current publication that nobody has taken note of, the gravest first."""
    from pipelines.alerts.delivery import published_alerts, with_news
    from pipelines.alerts.messages import as_json as fields_of
    from pipelines.alerts.messages import measured

    settings = Settings.from_environment()
    found, _ = published_alerts(_database(settings))
    found = [
        a
        for a in with_news(found, settings.lake)
        if (everything or not a.acknowledged) and rule in (None, a.rule) and supervisor in (None, a.route)
    ]
    if as_json:
        more = ("first_seen", "acknowledged", "acknowledged_by", "acknowledged_at", "delivered_at")
        say(json.dumps([fields_of(a) | {n: getattr(a, n) for n in more} for a in found], default=str))
        return DONE
    for a in found:
        state = "acknowledged" if a.acknowledged else "delivered" if a.delivered_at else ""
        say(
            f"{a.severity:<8} {a.dedupe_key:<32} {a.call_date} {a.agent_id or '':<10} {a.route or '*':<8} "
            f"{measured(a):<40} {state}"
        )
    say(f"{len(found)} alerts")
    return DONE


@alerts.command("ack")
def alerts_ack(
    keys: Annotated[list[str], typer.Argument(help="Keys, as `iqs alerts list` shows them.")],
    by: Annotated[str, typer.Option("--by", help="Who takes note; default: the user of this terminal.")] = "",
) -> int:
    """Take note of alerts: they are not sent any more. The next publication shows who did."""
    import getpass

    from pipelines.alerts.delivery import AlertError, acknowledge, published_alerts

    settings = Settings.from_environment()
    found, _ = published_alerts(_database(settings))
    try:
        count = acknowledge(found, keys, (by or getpass.getuser())[:128], settings.lake)
    except AlertError as error:
        raise CommandError(str(error), USED_WRONGLY) from error
    say(f"{count} acknowledged" + (f", {len(set(keys)) - count} were so before" if count < len(set(keys)) else ""))
    return DONE


@alerts.command("send")
def alerts_send(
    within_days: Annotated[
        int | None, typer.Option("--within-days", help="Instead of each rule's own send_within_days.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the messages; send nothing.")] = False,
) -> int:
    """Send the alerts that wait, as the run does after a publication."""
    from pipelines.alerts.channels import Channels
    from pipelines.alerts.delivery import DeliveryOptions, deliver, due, published_alerts
    from pipelines.alerts.messages import subject, text

    settings = Settings.from_environment()
    channels = Channels.of(settings)
    if not channels.on:
        raise CommandError(
            "no channel is configured: set IQS_WEBHOOK, IQS_SLACK_WEBHOOK, or IQS_SMTP_HOST and IQS_SMTP_FROM",
            USED_WRONGLY,
        )
    found, publish_id = published_alerts(_database(settings))
    options = DeliveryOptions(datetime.now(ZoneInfo(settings.timezone)).date(), within_days)
    if dry_run:
        messages = due(found, channels, settings.lake, options)
        for message in messages:
            say(f"--- {message.channel} to {message.route}: {subject(message.alerts)}\n{text(message.alerts)}\n")
        say(f"{len(messages)} messages would be sent")
        return DONE
    made = deliver(found, channels, settings.lake, publish_id, options)
    say(f"{made.delivered} delivered, {made.failed} failed, {made.waiting} waiting, {made.too_old} too old to be sent")
    for problem in made.problems:
        say(f"  {problem}")
    return DONE if made.is_complete else DONE_WITH_WARNINGS


@alerts.command("replay")
def alerts_replay(
    rule: Annotated[str, typer.Option(help="The rule, as in seeds/alert_rules.csv.")],
    threshold: Annotated[float, typer.Option(help="The threshold to try.")],
    first: Annotated[str | None, typer.Option("--from", help="First day.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day.")] = None,
    as_json: Json = False,
) -> int:
    """What this threshold would have raised, by supervisor and week. Nothing is sent."""
    from dataclasses import asdict

    from pipelines.alerts.delivery import AlertError
    from pipelines.alerts.replay import read_rule
    from pipelines.alerts.replay import replay as tried

    settings = Settings.from_environment()
    try:
        known = read_rule(settings.seeds, rule)
    except AlertError as error:
        raise CommandError(str(error), USED_WRONGLY) from error
    found = tried(_database(settings), known, threshold, day_of(first, "--from"), day_of(last, "--to"))
    if as_json:
        say(json.dumps([asdict(f) for f in found], default=str))
        return DONE
    say(f"{rule}: {known.comparison.replace('_', ' ')} {known.threshold:g} now, {threshold:g} tried")
    say(f"{'supervisor':<20} {'week of':<12} {'now':>6} {'then':>6}")
    for f in found:
        say(f"{f.supervisor_id:<20} {f.week!s:<12} {f.now:>6} {f.then:>6}")
    say(f"{'all':<33} {sum(f.now for f in found):>6} {sum(f.then for f in found):>6}")
    return DONE
