"""What must go: erasure of an interaction or a customer."""

from __future__ import annotations

import json
import sys
from datetime import date
from typing import Annotated

import typer

from pipelines.cli.terminal import DONE, USED_WRONGLY, CommandError, Json, app, run_ranges, say
from pipelines.settings import Settings


@app.command()
def erase(
    interaction: Annotated[str | None, typer.Option("--interaction", help="Id of a call, chat or e-mail.")] = None,
    customer: Annotated[str | None, typer.Option("--customer", help="The customer's real id.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="Take publications away even if no new one can be made.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Erase an interaction or a customer everywhere, also from the landing folder; writes a certificate."""
    if (interaction is None) == (customer is None) or not (interaction or customer or "").strip():
        raise CommandError("give --interaction ID or --customer ID", USED_WRONGLY)
    settings = Settings.from_environment()
    if not settings.landing.is_dir():
        raise CommandError(f"the landing folder {settings.landing} does not exist; set IQS_LANDING to yours")
    from pipelines.privacy import erasure
    from pipelines.publishing.lock import LockHeld

    kind = erasure.INTERACTION if interaction else erasure.CUSTOMER
    try:
        subject = erasure.find(settings, kind, interaction or customer)
    except erasure.NotThere as error:
        raise CommandError(str(error), USED_WRONGLY) from error
    except erasure.ErasureError as error:
        raise CommandError(str(error)) from error
    if not yes:
        _confirm(erasure.described(subject))
    try:
        path = erasure.erase(settings, subject, lambda days: _run_again(settings, days), withdraw=withdraw)
    except (erasure.ErasureError, LockHeld) as error:
        raise CommandError(str(error)) from error
    certificate = json.loads(path.read_text())
    if as_json:
        say(json.dumps({"certificate": str(path), **certificate}))
    else:
        say(f"erased: {certificate['interactions']} interactions of {len(certificate['days'])} days")
        say(f"certificate  {path}")
    return DONE


@app.command()
def retention(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would go.")] = False,
    as_json: Json = False,
) -> int:
    """Remove what is older than the rules in seeds/retention.csv allow; by default they keep everything."""
    from contextlib import nullcontext

    from pipelines.privacy import retention as kept
    from pipelines.privacy.erasure import quiet
    from pipelines.publishing.lock import LockHeld

    settings = Settings.from_environment()
    try:
        with nullcontext() if dry_run else quiet(settings, "retention"):
            rules = kept.read_rules(settings.seeds)
            items = kept.expired(settings)
            removed = 0 if dry_run else kept.apply(items, settings)
    except kept.RetentionError as error:
        raise CommandError(str(error), USED_WRONGLY) from error
    except (LockHeld, FileNotFoundError) as error:
        raise CommandError(str(error)) from error
    if as_json:
        shown = [{"class": i.kind, "path": str(i.path), "since": i.since.isoformat(), "bytes": i.bytes} for i in items]
        say(json.dumps({"removed": removed, "items": shown}))
        return DONE
    for rule in rules:
        mine = [i for i in items if i.kind == rule.kind]
        days = "for good" if rule.keep_days is None else f"{rule.keep_days} days"
        say(f"{rule.kind:<22} kept {days:<10} {len(mine):>6} expired {sum(i.bytes for i in mine) / 1e6:>10.1f} MB")
    say("nothing was removed (--dry-run)" if dry_run else f"removed {removed}")
    return DONE


def _run_again(settings: Settings, days: list[date]) -> int:
    """Run the days; what the run says goes to the other stream, so that --json prints one object."""
    from contextlib import redirect_stdout

    from pipelines.publishing.days import ranges

    with redirect_stdout(sys.stderr):
        return run_ranges(settings, ranges(days, bridge_days=1))


def _confirm(lines) -> None:
    for line in lines:
        print(line, file=sys.stderr)
    if not sys.stdin.isatty():
        raise CommandError("this can't be undone; add --yes to do it without being asked", USED_WRONGLY)
    if not typer.confirm("Erase this for good, everywhere?"):
        raise CommandError("nothing was erased")
