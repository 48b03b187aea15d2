"""Rules that have scored something stay as they are: `as_scored` never changes unnoticed.

After each publication the rules that its scores come from are written down beside the ledger: scorecard versions with
their weights, versions of curves, and what each parameter is measured by. Before each build the rule files are held
against them. A change is a new version with a later `valid_from`; an edit of history is refused until it is accepted.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from pipelines.lake import write_text

CARDS, WEIGHTS, CURVES, PARAMETERS = "scorecards.csv", "scorecard_weights.csv", "score_curves.csv", "parameters.csv"


@dataclass(frozen=True)
class Rule:
    """One versioned rule: `content` in one text, `first_day` from which it scores (None: whenever it is used)."""

    content: str
    first_day: date | None


def frozen_until(lake_root: Path) -> date | None:
    """The newest call date that the frozen rules have scored; None where nothing is frozen."""
    frozen = _frozen(lake_root)
    return date.fromisoformat(frozen["until"]) if frozen else None


def freeze(seeds: Path, lake_root: Path, until: date) -> None:
    """Write down the rules in the folder `seeds` that calls up to `until` are scored by."""
    rules = {
        key: rule.content for key, rule in _rules(seeds).items() if rule.first_day is None or rule.first_day <= until
    }
    write_text(_path(lake_root), json.dumps({"until": until.isoformat(), "rules": rules}, indent=1))


def accept(lake_root: Path) -> None:
    """Forget the frozen rules: the next build scores all history by the files as they are now."""
    _path(lake_root).unlink(missing_ok=True)


def edits_of_history(seeds: Path, lake_root: Path) -> list[str]:
    """A sentence for each rule that has scored something and is not in the folder `seeds` as it was; and for each new
    one that would score days which have been scored. Empty where nothing is frozen."""
    frozen = _frozen(lake_root)
    if not frozen:
        return []
    before, until, now = frozen["rules"], date.fromisoformat(frozen["until"]), _rules(seeds)
    problems = []
    for key, content in before.items():
        if key not in now:
            problems.append(f"{key} is gone, but has scored calls up to {until}; put it back")
        elif now[key].content != content:
            problems.append(f"{key} was {content} when it scored calls up to {until}, and is {now[key].content}")
    for key, rule in now.items():
        if key not in before and rule.first_day is not None and rule.first_day <= until:
            problems.append(f"{key} is new and valid from {rule.first_day}, but calls up to {until} are scored already")
    if problems:
        problems.append(
            "what has scored stays: add a version that is valid from a later day (`iqs rescore --scorecard FILE`), "
            "or let all history be scored anew by the files as they are with `iqs rescore --accept-edits`"
        )
    return problems


def _path(lake_root: Path) -> Path:
    return lake_root / "ops" / "rules_in_force.json"


def _frozen(lake_root: Path) -> dict | None:
    try:
        return json.loads(_path(lake_root).read_text())
    except FileNotFoundError:
        return None


def _rules(seeds: Path) -> dict[str, Rule]:
    """Rule by its place in words. Rules that can't be read are left out: dbt refuses them by their row."""
    first_day: dict[tuple[str, str], date] = {}
    found = {}
    for row in _rows(seeds / CARDS):
        if (day := _day(row["valid_from"])) is not None:
            card = (row["scorecard"], row["version"])
            first_day[card] = min(day, first_day.get(card, day))
            key = f"{CARDS}: {row['scorecard']} version {row['version']} for {row['channel']} {row['call_type']}"
            found[key] = Rule(f"valid from {day}", day)
    weights: dict[tuple[str, str], list[str]] = {}
    used = set()
    for row in _rows(seeds / WEIGHTS):
        critical = f" critical below {_number(row['threshold'])}" if row["is_critical"].lower() == "true" else ""
        card = (row["scorecard"], row["version"])
        weights.setdefault(card, []).append(f"{row['parameter']} {_number(row['weight'])} %{critical}")
        used.add(row["parameter"])
    for card, parts in weights.items():
        if card in first_day:
            found[f"{WEIGHTS}: {card[0]} version {card[1]}"] = Rule(", ".join(sorted(parts)), first_day[card])
    knots: dict[tuple[str, str, date], list[tuple[str, str]]] = {}
    for row in _rows(seeds / CURVES):
        day = _day(row["valid_from"])
        if row["parameter"] in used and day is not None:
            knot = (_number(row["x"]), _number(row["score"]))
            knots.setdefault((row["parameter"], row["metric"], day), []).append(knot)
    for (parameter, metric, day), points in knots.items():
        key = f"{CURVES}: {parameter} by {metric}, valid from {day}"
        found[key] = Rule(", ".join(f"{x}→{score}" for x, score in sorted(points, key=_by_size)), day)
    for row in _rows(seeds / PARAMETERS):
        if row["parameter"] in used:
            measured = f"{row['metric']} of {row['party']}, combined by {row['combine']}"
            found[f"{PARAMETERS}: {row['parameter']}"] = Rule(measured, None)
    return found


def _rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8-sig") as file:
        return [{name: value or "" for name, value in row.items() if name} for row in csv.DictReader(file)]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _by_size(knot: tuple[str, str]) -> tuple[float, str]:
    try:
        return float(knot[0]), knot[1]
    except ValueError:
        return float("inf"), knot[0]


def _number(text: str) -> str:
    """12, 12.0 and 12.00 are one number."""
    try:
        return f"{Decimal(text).normalize():f}"
    except InvalidOperation:
        return text
