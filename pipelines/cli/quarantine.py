"""What could not be read: list it, explain it, try it again."""

from __future__ import annotations

import shlex
from datetime import date
from typing import Annotated

import typer

from pipelines.cli.terminal import DONE, USED_WRONGLY, CommandError, Json, app, quarantine_of, run_ranges, say
from pipelines.settings import Settings

quarantine = typer.Typer(help="What could not be read, why, and what to do.", no_args_is_help=True)
app.add_typer(quarantine, name="quarantine")


@quarantine.command("list")
def quarantine_list(as_json: Json = False) -> int:
    """Every item that could not be read, with its reason."""
    items = quarantine_of(Settings.from_environment())
    if as_json:
        say(items.write_json())
        return DONE
    for item in items.iter_rows(named=True):
        say(f"{item['item']:<44} {item['call_date'] or '':<10} {item['reason']:<20} {item['detail'] or ''}")
    say(f"{items.height} items")
    return DONE


@quarantine.command("show")
def quarantine_show(item: str) -> int:
    """One item: what is wrong, and what to do."""
    from pipelines.contracts.vocabulary import QUARANTINED

    items = quarantine_of(Settings.from_environment()).filter(item=item)
    if items.is_empty():
        raise CommandError(f"{item} is not in quarantine; `iqs quarantine list` shows what is", USED_WRONGLY)
    for row in items.iter_rows(named=True):
        meaning, remedy = QUARANTINED[row["reason"]]
        replay = f"iqs quarantine replay {shlex.quote(item)}"
        for name, text in (*row.items(), ("meaning", meaning), ("remedy", remedy), ("then", replay)):
            say(f"{name:<15} {'' if text is None else text}")
    return DONE


@quarantine.command("replay")
def quarantine_replay(item: Annotated[str | None, typer.Argument(help="Default: every item.")] = None) -> int:
    """Try again what is in quarantine: its days are run anew, and only what failed is processed."""
    settings = Settings.from_environment()
    items = quarantine_of(settings)
    if item is not None:
        items = items.filter(item=item)
        if items.is_empty():
            raise CommandError(f"{item} is not in quarantine; `iqs quarantine list` shows what is", USED_WRONGLY)
    from pipelines.contracts.recordings import RECORDINGS
    from pipelines.lake import Lake
    from pipelines.publishing.days import ranges

    days = [date.fromisoformat(d) for d in items["call_date"].drop_nulls().unique().sort()]
    for day in days:
        Lake(settings.lake).forget_inputs(RECORDINGS, day)
    return run_ranges(settings, ranges(days) or None)
