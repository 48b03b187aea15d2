"""Rules over all history: a scorecard tried and put in force, levels calibrated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.terminal import DONE, CommandError, Json, app, run_ranges, say
from pipelines.settings import PROJECT, Settings


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
    return run_ranges(settings, [(newest, newest)], as_json=as_json)


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
