"""A new scorecard, tried on all history before anyone commits to it. No audio is touched: only stored metrics are.

A proposal is a CSV file with the rows of one scorecard: scorecard, parameter, weight (percent, together 100), and if
wanted is_critical and threshold, version and valid_from. Without a version it is the next one, without a date it is
valid from the day it is proposed, or from the first day that has no score yet, if that is later.
"""

from __future__ import annotations

import csv
import shutil
import tempfile
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from pipelines.lake import write_text
from pipelines.warehouse import BuildError, Warehouse

CARDS, WEIGHTS = "scorecards.csv", "scorecard_weights.csv"
_NEEDED = ("scorecard", "parameter", "weight")
_KNOWN = (*_NEEDED, "is_critical", "threshold", "version", "valid_from")


class ProposalError(ValueError):
    """The proposed scorecard can't be used; the message names file, row and reason."""


@dataclass(frozen=True)
class Proposal:
    """A new version of one scorecard: `applies_to` are its (channel, call type), `rows` its weights."""

    scorecard: str
    version: int
    valid_from: date
    applies_to: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, str, str, str], ...]  # parameter, weight, is_critical, threshold

    @classmethod
    def read(cls, path: Path, seeds: Path, today: date, scored_until: date | None = None) -> Proposal:
        """From a file, for the scorecards in the folder `seeds`; ProposalError says what is wrong with it.

        `scored_until` is the newest call date that has a score: the proposal can only hold for later ones.
        """
        try:
            with open(path, newline="", encoding="utf-8-sig") as file:
                reader = csv.DictReader(file)
                rows = [{k: (v or "").strip() for k, v in row.items() if k} for row in reader]
                columns = reader.fieldnames or []
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise ProposalError(f"{path} can't be read: {error}") from error
        lacking = [c for c in _NEEDED if c not in columns]
        unknown = [c for c in columns if c not in _KNOWN]
        if lacking or unknown or not rows:
            what = [f"lacks {', '.join(lacking)}"] if lacking else []
            what += [f"has the unknown columns {', '.join(unknown)}"] if unknown else []
            what += [] if rows else ["has no rows"]
            raise ProposalError(f"{path.name} {' and '.join(what)}; it takes {', '.join(_KNOWN)}")
        cards = _read(seeds / CARDS)
        name = _one(path, rows, "scorecard")
        versions = [int(c["version"]) for c in cards if c["scorecard"] == name]
        if not versions:
            known = sorted({c["scorecard"] for c in cards})
            raise ProposalError(f"{path.name}: there is no scorecard {name!r}; known are {', '.join(known)}")
        try:
            version = int(_one(path, rows, "version") or max(versions) + 1)
            first_free = max(today, scored_until + timedelta(days=1)) if scored_until else today
            valid_from = date.fromisoformat(_one(path, rows, "valid_from") or first_free.isoformat())
        except ValueError as error:
            raise ProposalError(f"{path.name}: version takes a whole number and valid_from a date: {error}") from error
        if version in versions:
            raise ProposalError(
                f"{path.name}: {name} version {version} is in force already and scores what was scored by it; "
                f"propose version {max(versions) + 1}"
            )
        newest = max(c["valid_from"] for c in cards if c["scorecard"] == name)
        if valid_from.isoformat() <= newest:
            raise ProposalError(f"{path.name}: valid_from {valid_from} is not after {newest}, when {name} last changed")
        if scored_until and valid_from <= scored_until:
            raise ProposalError(
                f"{path.name}: valid_from {valid_from}, but calls up to {scored_until} have their scores, which stay; "
                f"propose {scored_until + timedelta(days=1)} or later (the basis restated has it for all history)"
            )
        applies_to = {(c["channel"], c["call_type"]) for c in cards if c["scorecard"] == name}
        weights = [(r["parameter"], r["weight"], r.get("is_critical") or "false", r.get("threshold", "")) for r in rows]
        return cls(name, version, valid_from, tuple(sorted(applies_to)), tuple(weights))

    def __str__(self) -> str:
        return f"{self.scorecard} version {self.version}, valid from {self.valid_from}"

    def write(self, seeds: Path) -> None:
        """Add the version to the rules in the folder `seeds`; each file is replaced as a whole."""
        cards = [(self.scorecard, *a, self.version, self.valid_from.isoformat()) for a in self.applies_to]
        _append(seeds / WEIGHTS, [(self.scorecard, self.version, *row) for row in self.rows])
        _append(seeds / CARDS, cards)


def effect(proposal: Proposal | None, warehouse: Warehouse, published: Path) -> pl.DataFrame:
    """What the proposal would change: a row per scored interaction of the publication's database `published`.

    Without a proposal: what the rule files as they are would change.
    Columns interaction_id, call_date, agent_id, campaign, issue_type, iqs_before, iqs_after, change (IQS points, basis
    restated). The rules are copied, the proposal is added, and dbt scores all history from the stored metrics into a
    scratch warehouse. Raises ProposalError with dbt's own sentences where the rules are refused.
    """
    import duckdb

    with tempfile.TemporaryDirectory(prefix="rescore-") as folder:
        project = Path(folder) / "dbt_project"
        shutil.copytree(warehouse.project, project, ignore=shutil.ignore_patterns("target", "logs"))
        if proposal:
            proposal.write(project / "seeds")
        # The file's name is its catalogue's name, by which dbt's views call each other.
        scratch = replace(warehouse, path=Path(folder) / warehouse.path.name, project=project)
        try:
            nodes = scratch.score()
        except BuildError as error:
            raise ProposalError(str(error)) from error
        failed = [f"{n.name}: {n.message}" for n in nodes if not n.passed]
        if failed:
            raise ProposalError("the proposal can't be scored with: " + "; ".join(failed))
        with duckdb.connect() as connection:
            connection.execute(f"attach '{published}' as published (read_only)")
            connection.execute(f"attach '{scratch.path}' as scratch (read_only)")
            return connection.execute(_EFFECT).pl()


_EFFECT = """
select
    old.interaction_id,
    old.call_date,
    interactions.agent_id,
    interactions.campaign,
    interactions.issue_type,
    old.iqs as iqs_before,
    new.iqs as iqs_after,
    new.iqs - old.iqs as change
from published.fct_call_scores as old
inner join scratch.marts.fct_call_scores as new using (interaction_id, basis, call_date)
inner join published.fct_interactions as interactions using (interaction_id)
where old.basis = 'restated'
order by change, old.interaction_id
"""


def by(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """Effect by agent, campaign or issue type: calls, mean before and after, change; the largest loss first."""
    return (
        frame.group_by(column)
        .agg(
            calls=pl.len(),
            iqs_before=pl.col("iqs_before").cast(pl.Float64).mean().round(2),
            iqs_after=pl.col("iqs_after").cast(pl.Float64).mean().round(2),
            change=pl.col("change").cast(pl.Float64).mean().round(2),
        )
        .sort("change", column)
    )


def _one(path: Path, rows: list[dict], column: str) -> str:
    values = sorted({row.get(column, "") for row in rows})
    if len(values) != 1:
        raise ProposalError(f"{path.name}: one {column} in one file, not {', '.join(v or 'nothing' for v in values)}")
    return values[0]


def _read(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def _append(path: Path, rows: list[tuple]) -> None:
    text = path.read_text(encoding="utf-8")
    if not text.endswith("\n"):
        text += "\n"
    write_text(path, text + "".join(",".join(str(cell) for cell in row) + "\n" for row in rows))
