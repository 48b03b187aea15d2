"""`iqs`: thin calls of the jobs that Dagster runs, for people and scripts at a terminal.

Exit codes: 0 done; 1 it failed and says why; 2 used wrongly; 3 done, but something is in quarantine or a warning
stands; 4 a blocking check failed and nothing was published.
"""

from __future__ import annotations

import json
import os
import sys
import webbrowser
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from pipelines.settings import PROJECT, SettingError, Settings

DONE, FAILED, USED_WRONGLY, DONE_WITH_WARNINGS, REFUSED = 0, 1, 2, 3, 4

app = typer.Typer(
    help="Internal Quality Score: from recordings, chats and e-mails to a checked publication and a report.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
quarantine = typer.Typer(help="What could not be read, why, and what to do.", no_args_is_help=True)
app.add_typer(quarantine, name="quarantine")

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


class CommandError(Exception):
    """Something that the person at the terminal can put right; the message says how."""

    def __init__(self, message: str, code: int = FAILED):
        super().__init__(message)
        self.code = code


def say(text: str = "") -> None:
    print(text, flush=True)


def _day(text: str | None, option: str) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"{option} takes a date such as 2026-03-02, not {text!r}", USED_WRONGLY) from error


@app.command()
def run(
    date_: Annotated[str | None, typer.Option("--date", help="One day.")] = None,
    from_: Annotated[str | None, typer.Option("--from", help="First day of a range.")] = None,
    to: Annotated[str | None, typer.Option("--to", help="Last day of a range.")] = None,
    new: Annotated[bool, typer.Option("--new", help="The days for which something came in (the default).")] = False,
    as_json: Json = False,
) -> int:
    """Measure, score, check and publish: a day, a range of days, or all that is new."""
    day, first, last = _day(date_, "--date"), _day(from_, "--from"), _day(to, "--to")
    if sum((day is not None, first is not None or last is not None, new)) > 1:
        raise CommandError("give --date, or --from and --to, or --new", USED_WRONGLY)
    if (first is None) != (last is None) or (first and last and first > last):
        raise CommandError("--from and --to go together, the earlier day first", USED_WRONGLY)
    settings = Settings.from_environment()
    return _run(settings, [(first or day, last or day)] if first or day else None, as_json=as_json)


def _run(settings: Settings, ranges: list[tuple[date, date]] | None, *, as_json: bool = False) -> int:
    """Run the ranges (None: what is new), print what came of it, and return the exit code."""
    from pipelines.lake import Lake
    from pipelines.publishing.days import ranges as in_ranges
    from pipelines.publishing.days import unpublished_days

    if ranges is None:
        landing = _landing(settings)
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
    summary = _summary(settings)
    if as_json:
        runs = [r.__dict__ for r in results]
        say(json.dumps({"runs": runs, **summary}, default=str))
    else:
        _print_summary(settings, summary)
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


def _landing(settings: Settings):
    from pipelines.landing import Landing, LandingOptions

    return Landing(LandingOptions.of(settings))


def _summary(settings: Settings) -> dict:
    """What is published, and what is in quarantine."""
    from pipelines.publishing.generations import current_id, generation_folder

    summary: dict = {"publication": None, "days": 0, "quarantined": _quarantine(settings).height}
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


def _print_summary(settings: Settings, summary: dict) -> None:
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


@app.command()
def demo(open_: Annotated[bool, typer.Option("--open", help="Open the report in a browser.")] = False) -> int:
    """Run everything on the sample recordings, offline, into data/demo."""
    data = Path(os.environ.get("IQS_DATA", PROJECT / "data" / "demo"))
    os.environ |= {"IQS_DATA": str(data), "IQS_LANDING": str(PROJECT / "data" / "sample" / "landing")}
    settings = Settings.from_environment()
    code = _run(settings, None)
    if code in (DONE, DONE_WITH_WARNINGS):
        # The sample holds a few bad files on purpose, so that the quarantine has something to show.
        if open_:
            _open(settings)
        return DONE
    return code


@app.command()
def status(as_json: Json = False) -> int:
    """What is published, what waits in the landing folder, what is in quarantine."""
    settings = Settings.from_environment()
    from pipelines.lake import Lake
    from pipelines.publishing.days import unpublished_days

    summary = _summary(settings)
    if settings.landing.is_dir():
        landing = _landing(settings)
        summary["waiting_days"] = [d.isoformat() for d in unpublished_days(Lake(settings.lake), landing.day_table())]
    stale = settings.published / "STALE.json"
    summary["stale"] = json.loads(stale.read_text()) if stale.exists() else None
    if as_json:
        say(json.dumps(summary))
        return DONE
    _print_summary(settings, summary)
    waiting = summary.get("waiting_days")
    if waiting is None:
        say(f"landing      {settings.landing} does not exist")
    else:
        say(f"waiting      {', '.join(waiting) if waiting else 'nothing'}")
    if summary["stale"]:
        say(f"STALE        {'; '.join(summary['stale'].get('reasons', []))}")
    return DONE


@app.command()
def report(open_: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False) -> int:
    """Where the trend report of the current publication is."""
    settings = Settings.from_environment()
    path = settings.published / "current" / "report" / "index.html"
    if not path.exists():
        raise CommandError("nothing is published yet; `iqs run` makes a publication with its report")
    say(str(path))
    if open_:
        _open(settings)
    return DONE


def _open(settings: Settings) -> None:
    webbrowser.open((settings.published / "current" / "report" / "index.html").resolve().as_uri())


@app.command()
def rescore(
    scorecard: Annotated[Path, typer.Option("--scorecard", help="CSV: scorecard, parameter, weight, …")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change, and for whom.")] = False,
    as_json: Json = False,
) -> int:
    """A new version of a scorecard over all history: what would change, then (without --dry-run) put it in force."""
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from pipelines.lake import Lake
    from pipelines.rescoring import Proposal, effect
    from pipelines.warehouse import Warehouse

    settings = Settings.from_environment()
    seeds = PROJECT / "dbt_project" / "seeds"
    published = settings.published / "current" / "iqs.duckdb"
    if not published.exists():
        raise CommandError("nothing is published yet, so there is nothing to score again; `iqs run` first")
    proposal = Proposal.read(scorecard, seeds, datetime.now(ZoneInfo(settings.timezone)).date())
    warehouse = Warehouse(settings.warehouse, Lake(settings.lake), PROJECT / "dbt_project", settings.workers)
    changed = effect(proposal, warehouse, published)
    _print_effect(proposal, changed, as_json=as_json)
    if dry_run:
        return DONE
    proposal.write(seeds)
    newest = Lake(settings.lake).days(_interactions())[-1]
    return _run(settings, [(newest, newest)], as_json=as_json)


def _interactions():
    from pipelines.contracts.landing import INTERACTIONS

    return INTERACTIONS


def _print_effect(proposal, changed, *, as_json: bool) -> None:
    from pipelines.rescoring import by

    if as_json:
        groups = {column: by(changed, column).to_dicts() for column in ("agent_id", "campaign", "issue_type")}
        calls = changed.with_columns(changed["call_date"].cast(str)).to_dicts()
        say(
            json.dumps(
                {"scorecard": proposal.scorecard, "version": proposal.version, **groups, "calls": calls}, default=float
            )
        )
        return
    moved = changed.filter(changed["change"] != 0)
    say(
        f"{proposal.scorecard} version {proposal.version}, valid from {proposal.valid_from}: {moved.height} of"
        f" {changed.height} scored interactions would change (basis restated; as_scored never does)"
    )
    for column in ("agent_id", "campaign", "issue_type"):
        say(f"\n{column:<28} calls   before    after   change")
        for row in by(changed, column).iter_rows():
            say(f"{row[0] or '(none)':<28} {row[1]:>5} {row[2]:>8.2f} {row[3]:>8.2f} {row[4]:>+8.2f}")
    say("\ninteraction                          agent        before    after   change")
    for row in [*moved.head(5).iter_rows(named=True), *moved.tail(5).iter_rows(named=True)][: moved.height]:
        say(
            f"{row['interaction_id'][:36]:<36} {row['agent_id']:<10} {row['iqs_before']:>8.2f} {row['iqs_after']:>8.2f}"
            f" {row['change']:>+8.2f}"
        )


@app.command()
def calibrate_level(
    write: Annotated[bool, typer.Option("--write", help="Freeze the offsets in the seed level_offsets.csv.")] = False,
    as_json: Json = False,
) -> int:
    """What dB the recorders' full scale stands for, per site, measured from the agents' own voices."""
    from datetime import datetime
    from zoneinfo import ZoneInfo

    import polars as pl

    from pipelines.contracts.acoustics import VOICES
    from pipelines.contracts.landing import AGENTS, INTERACTIONS
    from pipelines.contracts.transcripts import SPEAKERS
    from pipelines.lake import Lake
    from pipelines.metrics.level_offsets import FEWEST_VOICES, freeze, measured_offsets

    settings = Settings.from_environment()
    lake = Lake(settings.lake)
    days = lake.days(SPEAKERS)
    if not days:
        raise CommandError("no voice has been measured yet; `iqs run` first")
    daily = [pl.concat([lake.read(t, day) for day in days]) for t in (VOICES, SPEAKERS, INTERACTIONS)]
    found = measured_offsets(*daily, lake.read(AGENTS)).to_dicts()
    enough = [row for row in found if row["voices"] >= FEWEST_VOICES]
    if as_json:
        say(json.dumps(found))
    else:
        say(f"{'site':<20} voices  median dBFS  offset dB")
        for row in found:
            few = "" if row in enough else f"  fewer than {FEWEST_VOICES} voices: not frozen"
            site = row["site"] or "(none)"
            say(f"{site:<20} {row['voices']:>6} {row['median_dbfs']:>12.1f} {row['offset_db']:>10.1f}{few}")
    if write and enough:
        freeze(enough, PROJECT / "dbt_project" / "seeds", datetime.now(ZoneInfo(settings.timezone)).date())
        say("frozen in dbt_project/seeds/level_offsets.csv; the next run measures every level anew")
    return DONE


@app.command()
def rollback(publish_id: Annotated[str | None, typer.Argument(help="Default: the one before.")] = None) -> int:
    """Make an earlier publication the current one."""
    from pipelines.publishing.generations import PublicationError
    from pipelines.publishing.generations import rollback as roll
    from pipelines.publishing.lock import LockHeld

    try:
        publication = roll(Settings.from_environment().published, publish_id)
    except (PublicationError, LockHeld) as error:
        raise CommandError(str(error)) from error
    say(f"the current publication is {publication.publish_id}")
    return DONE


def _quarantine(settings: Settings):
    from pipelines.lake import Lake
    from pipelines.quality.quarantine import quarantined

    return quarantined(Lake(settings.lake))


@quarantine.command("list")
def quarantine_list(as_json: Json = False) -> int:
    """Every item that could not be read, with its reason."""
    items = _quarantine(Settings.from_environment())
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

    items = _quarantine(Settings.from_environment()).filter(item=item)
    if items.is_empty():
        raise CommandError(f"{item} is not in quarantine; `iqs quarantine list` shows what is", USED_WRONGLY)
    for row in items.iter_rows(named=True):
        meaning, remedy = QUARANTINED[row["reason"]]
        for name, text in (*row.items(), ("meaning", meaning), ("remedy", f"{remedy}; then `iqs quarantine replay`")):
            say(f"{name:<15} {'' if text is None else text}")
    return DONE


@quarantine.command("replay")
def quarantine_replay(item: Annotated[str | None, typer.Argument(help="Default: every item.")] = None) -> int:
    """Try again what is in quarantine: its days are run anew, and only what failed is processed."""
    settings = Settings.from_environment()
    items = _quarantine(settings)
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
    return _run(settings, ranges(days) or None)


def main() -> None:
    """Entry point: errors become a sentence and an exit code, never a stack trace (IQS_DEBUG=1 shows it)."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    try:
        code = app(standalone_mode=False)
    except CommandError as error:
        code = _complain(str(error), error.code)
    except SettingError as error:
        code = _complain(str(error), USED_WRONGLY)
    except (typer.Abort, KeyboardInterrupt):
        code = _complain("stopped; finished recordings are kept, the next run goes on from there", FAILED)
    except Exception as error:
        if type(error).__module__.startswith(("click", "typer")):
            code = _complain(error.format_message() if hasattr(error, "format_message") else str(error), USED_WRONGLY)
        elif os.environ.get("IQS_DEBUG"):
            raise
        elif type(error).__module__.startswith("pipelines") or isinstance(error, OSError):
            code = _complain(str(error), FAILED)
        else:
            code = _complain(f"{type(error).__name__}: {error}; IQS_DEBUG=1 shows where", FAILED)
    sys.exit(code if isinstance(code, int) else DONE)


def _complain(message: str, code: int) -> int:
    print(f"iqs: {message}", file=sys.stderr)
    return code


if __name__ == "__main__":
    main()
