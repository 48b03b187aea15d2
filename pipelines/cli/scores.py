"""Rules over all history: a scorecard tried and put in force, levels calibrated."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.terminal import DONE, REFUSED, CommandError, Json, app, run_ranges, say
from pipelines.settings import PROJECT, Settings


@app.command()
def rescore(
    scorecard: Annotated[Path | None, typer.Option("--scorecard", help="CSV: scorecard, parameter, weight, …")] = None,
    accept_edits: Annotated[
        bool, typer.Option("--accept-edits", help="Score all history by the rule files as they are, edits included.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change, and for whom.")] = False,
    as_json: Json = False,
) -> int:
    """What other rules would have given, and for whom; then (without --dry-run) score all history by them.

    With --scorecard a new version of a scorecard, which is put in force; without it the rule files as they stand.
    """
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from pipelines.contracts.landing import INTERACTIONS
    from pipelines.lake import Lake
    from pipelines.publishing.generations import remember
    from pipelines.quality.rules_in_force import accept, edits_of_history, frozen_until
    from pipelines.rescoring import Proposal, effect
    from pipelines.warehouse import Warehouse

    settings = Settings.from_environment()
    lake, seeds = Lake(settings.lake), PROJECT / "dbt_project" / "seeds"
    published = settings.published / "current" / "iqs.duckdb"
    if not published.exists():
        raise CommandError("nothing is published yet, so there is nothing to score again; `iqs run` first")
    proposal = None
    if scorecard is not None:
        today = datetime.now(ZoneInfo(settings.timezone)).date()
        proposal = Proposal.read(scorecard, seeds, today, frozen_until(lake.root))
    edits = edits_of_history(seeds, lake.root)
    for edit in edits:
        print(edit, file=sys.stderr)
    if edits and not accept_edits and not dry_run:
        return REFUSED
    warehouse = Warehouse.of(settings)
    changed = effect(proposal, warehouse, published)
    _print_effect(proposal, changed, as_json=as_json)
    if dry_run:
        return DONE
    if edits:
        accept(lake.root)
        remember(settings.published, None, "rules_edited", note="; ".join(edits[:-1])[:2000])
    if proposal:
        proposal.write(seeds)
    newest = lake.days(INTERACTIONS)[-1]
    return run_ranges(settings, [(newest, newest)], as_json=as_json)


def _print_effect(proposal, changed, *, as_json: bool) -> None:
    from pipelines.rescoring import by

    if as_json:
        groups = {column: by(changed, column).to_dicts() for column in ("agent_id", "campaign", "issue_type")}
        calls = changed.with_columns(changed["call_date"].cast(str)).to_dicts()
        about = {"scorecard": proposal.scorecard, "version": proposal.version} if proposal else {}
        say(json.dumps({**about, **groups, "calls": calls}, default=float))
        return
    moved = changed.filter(changed["change"] != 0)
    say(
        f"{proposal or 'the rule files as they are'}: {moved.height} of"
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
