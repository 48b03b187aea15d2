"""The IQS a second, slow, obvious way: fractions, loops, the rule files read as they stand. No SQL, nothing shared."""

from __future__ import annotations

import csv
import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path


def half_up(value: Fraction, digits: int) -> Fraction:
    """`value` (not negative) rounded to `digits` decimals, halves up."""
    return Fraction(math.floor(value * 10**digits + Fraction(1, 2)), 10**digits)


@dataclass(frozen=True)
class Score:
    """Score of one interaction. `parameters` holds (score, contribution) of the applicable ones, unrounded."""

    scorecard: str
    version: int
    iqs: Fraction
    unfailed: Fraction
    fail_reason: str | None
    parameters: Mapping[str, tuple[Fraction, Fraction]]


class Rules:
    """The rules in a seeds folder."""

    def __init__(self, folder: Path) -> None:
        def rows(name: str) -> list[dict[str, str]]:
            with open(folder / f"{name}.csv", newline="", encoding="utf-8") as file:
                return list(csv.DictReader(file))

        self.parameters = {r["parameter"]: r for r in rows("parameters")}
        self.curves: dict[str, dict[str, list[tuple[Fraction, Fraction]]]] = {}
        for r in rows("score_curves"):
            knots = self.curves.setdefault(r["parameter"], {}).setdefault(r["metric"], [])
            knots.append((Fraction(r["x"]), Fraction(r["score"])))
        self.scorecards = rows("scorecards")
        self.weights = rows("scorecard_weights")

    def scorecard(self, channel: str, call_type: str | None, day: date | None) -> tuple[str, int] | None:
        """Scorecard and version in force on `day` (None: the newest), or None."""
        fitting = [
            r
            for r in self.scorecards
            if r["channel"] == channel
            and r["call_type"] in ("*", call_type)
            and (day is None or date.fromisoformat(r["valid_from"]) <= day)
        ]
        own = [r for r in fitting if r["call_type"] != "*"]
        if not fitting:
            return None
        newest = max(own or fitting, key=lambda r: (r["valid_from"], int(r["version"])))
        return newest["scorecard"], int(newest["version"])

    def parameter_score(self, parameter: str, values: Mapping[tuple[str, str], float]) -> Fraction | None:
        """0 to 100 with 4 decimals, or None where the main metric is missing."""
        rule = self.parameters[parameter]
        if values.get((rule["metric"], rule["party"])) is None:
            return None
        scores = []
        for metric, knots in self.curves[parameter].items():
            value = values.get((metric, rule["party"]))
            if value is not None:
                scores.append(half_up(on_curve(sorted(knots), millionths(value)), 4))
        return half_up(sum(scores) / len(scores), 4)

    def score(
        self,
        values: Mapping[tuple[str, str], float],
        *,
        channel: str,
        call_type: str | None,
        day: date | None,
    ) -> Score | None:
        """Score of an interaction with these metric values, or None where nothing can score it."""
        card = self.scorecard(channel, call_type, day)
        if card is None:
            return None
        rows = [r for r in self.weights if (r["scorecard"], int(r["version"])) == card]
        scores = {r["parameter"]: self.parameter_score(r["parameter"], values) for r in rows}
        applicable = {r["parameter"]: Fraction(r["weight"]) for r in rows if scores[r["parameter"]] is not None}
        whole = sum(applicable.values())
        if whole == 0:
            return None
        parts = {p: (scores[p], w / whole * scores[p]) for p, w in applicable.items()}
        failing = sorted(
            r["parameter"]
            for r in rows
            if r["is_critical"].lower() == "true"
            and scores[r["parameter"]] is not None
            and scores[r["parameter"]] < Fraction(r["threshold"])
        )
        unfailed = half_up(sum(c for _, c in parts.values()), 4)
        return Score(
            *card,
            iqs=Fraction(0) if failing else unfailed,
            unfailed=unfailed,
            fail_reason=",".join(failing) or None,
            parameters=parts,
        )


def millionths(value: float) -> Fraction:
    """A measured value with 6 decimals, halves away from zero: what scores are computed from."""
    scaled = Fraction(abs(value) * 1_000_000)
    return half_up(scaled, 0) / 1_000_000 * (1 if value >= 0 else -1)


def on_curve(knots: list[tuple[Fraction, Fraction]], x: Fraction) -> Fraction:
    """Straight lines between the knots, level beyond the ends."""
    if x <= knots[0][0]:
        return knots[0][1]
    for (x0, y0), (x1, y1) in itertools.pairwise(knots):
        if x <= x1:
            return y0 + (x - x0) / (x1 - x0) * (y1 - y0)
    return knots[-1][1]


def mean_iqs(scores: Iterable[Fraction]) -> Fraction | None:
    """IQS of a group: the mean of its interactions' scores, 4 decimals; None of an empty group."""
    scores = list(scores)
    return half_up(sum(scores, Fraction(0)) / len(scores), 4) if scores else None
