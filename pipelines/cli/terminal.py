"""What the commands share: exit codes, errors for people, and the run with its summary."""

from __future__ import annotations

import json
import sys
from datetime import date
from typing import Annotated

import typer

from pipelines.settings import Settings

DONE, FAILED, USED_WRONGLY, DONE_WITH_WARNINGS, REFUSED = 0, 1, 2, 3, 4

app = typer.Typer(
    help="Internal Quality Score: from recordings, chats and e-mails to a checked publication and a report.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


class CommandError(Exception):
    """Something that the person at the terminal can put right; the message says how."""

    def __init__(self, message: str, code: int = FAILED):
        super().__init__(message)
        self.code = code


def say(text: str = "") -> None:
    print(text, flush=True)


def day_of(text: str | None, option: str) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"{option} takes a date such as 2026-03-02, not {text!r}", USED_WRONGLY) from error


def run_ranges(settings: Settings, ranges: list[tuple[date, date]] | None, *, as_json: bool = False) -> int:
    """Run the ranges (None: what is new), print what came of it, and return the exit code."""
    from pipelines.lake import Lake
    from pipelines.publishing.days import ranges as in_ranges
    from pipelines.publishing.days import unpublished_days

    if ranges is None:
        landing = open_landing(settings)
        waiting = unpublished_days(Lake(settings.lake), landing.day_table())
        if not waiting:
            rejects = landing.rejects().height
            say(json.dumps({"ran": [], "rejects": rejects}) if as_json else "nothing new in the landing folder")
            return DONE_WITH_WARNINGS if rejects and not landing.days() else DONE
        ranges = in_ranges(waiting)
    elif not settings.landing.is_dir():
        raise CommandError(
            f"the landing folder {settings.landing} does not exist; make it, or set IQS_LANDING to yours"
        )

    from pipelines.automation.launch import run_days
    from pipelines.definitions import build

    definitions = build(settings)
    results = []
    for first, last in ranges:
        print(f"{first}" if first == last else f"{first} to {last}", file=sys.stderr, flush=True)
        results.append(run_days(definitions, settings, first, last))
    summary = summary_of(settings)
    if as_json:
        runs = [r.__dict__ for r in results]
        say(json.dumps({"runs": runs, **summary}, default=str))
    else:
        print_summary(settings, summary)
    for result in results:
        for name in result.failed_checks:
            print(f"blocking check failed: {name}", file=sys.stderr)
        for error in result.errors:
            print(f"failed: {error}", file=sys.stderr)
    if any(r.errors for r in results) and not any(r.failed_checks for r in results):
        return FAILED
    if any(r.failed_checks for r in results):
        print("nothing was published; the last publication stays", file=sys.stderr)
        return REFUSED
    if summary["quarantined"] or any(r.warnings for r in results):
        return DONE_WITH_WARNINGS
    return DONE


def open_landing(settings: Settings):
    from pipelines.landing import Landing, LandingOptions

    return Landing(LandingOptions.of(settings))


def summary_of(settings: Settings) -> dict:
    """What is published, and what is in quarantine."""
    from pipelines.publishing.generations import current_id, generation_folder

    summary: dict = {"publication": None, "days": 0, "quarantined": quarantine_of(settings).height}
    publish_id = current_id(settings.published)
    if publish_id is None:
        return summary
    import duckdb

    with duckdb.connect(
        str(generation_folder(settings.published, publish_id) / "iqs.duckdb"), read_only=True
    ) as connection:
        received, scored, excluded, quarantined, days = connection.execute(
            "select sum(received), sum(scored), sum(excluded), sum(quarantined), count(*) from ops_ledger"
        ).fetchone()
        iqs = connection.execute("select round(avg(iqs), 1) from fct_interactions where status = 'scored'").fetchone()[
            0
        ]
    return summary | {
        "publication": publish_id,
        "days": days,
        "received": int(received or 0),
        "scored": int(scored or 0),
        "excluded": int(excluded or 0),
        "interactions_in_quarantine": int(quarantined or 0),
        "mean_iqs": float(iqs) if iqs is not None else None,
        "database": str(settings.published / "current" / "iqs.duckdb"),
        "report": str(settings.published / "current" / "report" / "index.html"),
    }


def print_summary(settings: Settings, summary: dict) -> None:
    if summary["publication"] is None:
        say("nothing is published yet")
        return
    say(f"publication  {summary['publication']}: {summary['days']} days")
    say(
        f"interactions {summary['received']} received = {summary['scored']} scored + {summary['excluded']} excluded"
        f" + {summary['interactions_in_quarantine']} in quarantine; mean IQS {summary['mean_iqs']}"
    )
    if summary["quarantined"]:
        say(f"quarantine   {summary['quarantined']} items: see `iqs quarantine list`")
    say(f"database     {summary['database']}")
    say(f"report       {summary['report']}")


def quarantine_of(settings: Settings):
    from pipelines.lake import Lake
    from pipelines.quality.quarantine import quarantined

    return quarantined(Lake(settings.lake))
