"""Property tests: scores in SQL against the oracle, over random scorecards, curves, N/A patterns and calls."""

from __future__ import annotations

import csv
import tempfile
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from dbt_lake import MONDAY, PROJECT, Call
from hypothesis import given
from hypothesis import strategies as st
from oracle import Rules, resolutions
from sql_models import FEW, MANY, SqlModels, lake_frames

SEEDS = PROJECT / "seeds"
PARAMETERS = {p: (r["metric"], r["party"]) for p, r in Rules(SEEDS).parameters.items()}
CHANNELS = ("call", "chat")
CALL_TYPES = ("support", "cancellation")


@dataclass(frozen=True)
class World:
    """Rules (rows of the seeds that are random; the others stay) and the calls that they score."""

    scorecards: tuple[dict, ...]
    weights: tuple[dict, ...]
    curves: tuple[dict, ...]
    calls: tuple[Call, ...]


@st.composite
def weights_of(draw, parameters: list[str]) -> list[int]:
    """Weights in 1/10000 %, some of them 0, that sum to 100 %."""
    cuts = sorted(draw(st.lists(st.integers(0, 1_000_000), min_size=len(parameters) - 1, max_size=len(parameters) - 1)))
    return [b - a for a, b in zip([0, *cuts], [*cuts, 1_000_000], strict=True)]


@st.composite
def curves(draw, parameter: str) -> list[dict]:
    """The parameter's curves with other knots and versions: 2 to 5 values, in any order, scores up and down."""
    rows = []
    for metric in Rules(SEEDS).curves[parameter]:
        for start in draw(st.lists(st.integers(-3, 6), min_size=1, max_size=3, unique=True)):
            xs = draw(st.lists(st.integers(-50_000, 200_000), min_size=2, max_size=5, unique=True))
            scores = draw(st.lists(st.integers(0, 1_000_000), min_size=len(xs), max_size=len(xs)))
            valid_from = (MONDAY + timedelta(days=start)).isoformat()
            rows += [
                {"parameter": parameter, "metric": metric, "x": x / 1000, "score": s / 10_000, "valid_from": valid_from}
                for x, s in zip(xs, scores, strict=True)
            ]
    return rows


@st.composite
def worlds(draw) -> World:
    used = draw(st.lists(st.sampled_from(sorted(PARAMETERS)), min_size=2, max_size=6, unique=True))
    cards, weights = [], []
    for scorecard, channel, call_type in (("a", "call", "*"), ("b", "call", "cancellation"), ("c", "chat", "*")):
        starts = sorted(draw(st.lists(st.integers(-3, 6), min_size=1, max_size=3, unique=True)))
        for version, start in enumerate(starts, 1):
            card = {"scorecard": scorecard, "version": version}
            valid_from = (MONDAY + timedelta(days=start)).isoformat()
            cards.append(card | {"channel": channel, "call_type": call_type, "valid_from": valid_from})
            for parameter, weight in zip(used, draw(weights_of(used)), strict=True):
                critical = draw(st.integers(0, 5)) == 0
                threshold = draw(st.integers(0, 100)) if critical else ""
                rule = {"parameter": parameter, "weight": f"{weight / 10_000:.4f}", "threshold": threshold}
                weights.append(card | rule | {"is_critical": str(critical).lower()})
    knots = [row for p in sorted(PARAMETERS) for row in draw(curves(p))] if draw(st.booleans()) else []
    return World(
        tuple(cards), tuple(weights), tuple(knots), tuple(draw(st.lists(a_call(used), min_size=1, max_size=8)))
    )


@st.composite
def a_call(draw, parameters: list[str]) -> Call:
    inputs = {PARAMETERS[p] for p in parameters} | {("sentiment_shift", "customer"), ("resolved_evidence", "call")}
    value = st.one_of(
        st.none(), st.sampled_from((0.0, 1.0, 0.5, 100.0)), st.floats(-60, 220, allow_nan=False, width=32)
    )
    values = {key: v for key in sorted(inputs) if (v := draw(value)) is not None}
    if ("resolved_evidence", "call") in values:
        values["resolved_evidence", "call"] = float(values["resolved_evidence", "call"] > 0.5)
    values.pop(("resolved", "call"), None)
    return Call(
        f"c{draw(st.uuids())}",
        MONDAY + timedelta(days=draw(st.integers(0, 6))),
        values,
        outcome=draw(st.sampled_from(("eligible", "eligible", "eligible", "excluded"))),
        channel=draw(st.sampled_from(CHANNELS)),
        call_type=draw(st.sampled_from((*CALL_TYPES, None))),
        customer=draw(st.sampled_from((None, "k"))),
    )


def write_rules(world: World, folder: Path) -> Path:
    for seed in SEEDS.glob("*.csv"):
        (folder / seed.name).write_bytes(seed.read_bytes())
    random_rows = {"scorecards": world.scorecards, "scorecard_weights": world.weights, "score_curves": world.curves}
    for name, rows in random_rows.items():
        if rows:
            with open(SEEDS / f"{name}.csv", newline="") as file:
                header = next(csv.reader(file))
            with open(folder / f"{name}.csv", "w", newline="") as file:
                writer = csv.DictWriter(file, header)
                writer.writeheader()
                writer.writerows(rows)
    return folder


def check_scores(models: SqlModels, world: World) -> None:
    with tempfile.TemporaryDirectory() as folder:
        seeds = write_rules(world, Path(folder))
        rules = Rules(seeds)
        connection = models.run("fct_call_scores", lake=lake_frames(world.calls), seeds=seeds)
    known = resolutions(world.calls, enough=int(rules.settings["aht_median_at_least"]))
    for basis in ("as_scored", "restated"):
        expected = {}
        for call in world.calls:
            if call.outcome != "eligible":
                continue
            day: date | None = call.day if basis == "as_scored" else None
            in_force = rules.scorecard(call.channel, call.call_type, call.day)
            values = call.values | known[call.id].values
            score = in_force and rules.score(values, channel=call.channel, call_type=call.call_type, day=day)
            if score:
                expected[call.id] = score
        got = {
            r[0]: (r[1], r[2], Fraction(r[3]), Fraction(r[4]), r[5])
            for r in connection.execute(
                "select interaction_id, scorecard, scorecard_version, iqs, iqs_unfailed, fail_reason"
                f" from iqs.marts.fct_call_scores where basis = '{basis}'"
            ).fetchall()
        }
        assert got == {i: (s.scorecard, s.version, s.iqs, s.unfailed, s.fail_reason) for i, s in expected.items()}, (
            basis
        )
        check_parts(connection, expected, basis)


def check_parts(connection, expected: dict, basis: str) -> None:
    rows = connection.execute(
        "select interaction_id, parameter, score, contribution, effective_weight from iqs.marts.fct_parameter_scores"
        f" where basis = '{basis}' and score is not null"
    ).fetchall()
    weights: dict[str, Fraction] = {}
    for interaction, parameter, score, contribution, weight in rows:
        should, part = expected[interaction].parameters[parameter]
        assert Fraction(score) == should
        # what rounding left over went to one of at most 6 contributions
        assert abs(Fraction(contribution) - part) <= Fraction(6, 10_000)
        weights[interaction] = weights.get(interaction, Fraction(0)) + Fraction(weight)
    assert weights == dict.fromkeys(expected, Fraction(1))


@FEW
@given(world=worlds())
def test_scores_are_what_the_oracle_says(models, world):
    check_scores(models, world)


@pytest.mark.slow
@MANY
@given(world=worlds())
def test_scores_are_what_the_oracle_says_of_many_worlds(models, world):
    check_scores(models, world)
