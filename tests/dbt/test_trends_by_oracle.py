"""Property tests: trends, decomposition and insights in SQL against the oracle, over random histories."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import polars as pl
import pytest
from dbt_lake import MONDAY, PROJECT
from hypothesis import given
from hypothesis import strategies as st
from oracle import (
    Rules,
    case_mix,
    change,
    components,
    control_chart,
    half_up,
    interval,
    mean_iqs,
    shrunk,
    spearman,
    spread,
)
from sql_models import FEW, MANY, SqlModels

RULES = Rules(PROJECT / "seeds")
SETTINGS = {name: int(value) for name, value in RULES.settings.items()}
with open(PROJECT / "seeds" / "t_quantiles.csv", newline="") as file:
    QUANTILES = {int(r["degrees"]): Fraction(r["quantile"]) for r in csv.DictReader(file)}


@dataclass(frozen=True)
class Scored:
    """One interaction as the trends see it; scores in points, None where it was not scored."""

    id: str
    day: date
    agent: str
    campaign: str
    issue_type: str
    channel: str
    extractor: str
    as_scored: Fraction | None
    restated: Fraction | None
    fails: bool
    is_mature: bool
    csat: int | None

    @property
    def iqs(self) -> Fraction:
        """As scored; 0 where the call fails."""
        return Fraction(0) if self.fails else self.as_scored


@st.composite
def histories(draw) -> list[Scored]:
    """Interactions over four weeks, some of them empty; scores with 4 decimals, ties and extremes among them."""
    n = draw(st.integers(1, 60))
    score = st.one_of(
        st.sampled_from((0, 500_000, 1_000_000)), st.integers(0, 1_000_000), st.integers(700_000, 720_000)
    )
    days = draw(st.lists(st.integers(0, 27), min_size=1, max_size=14, unique=True))
    versions = draw(st.sampled_from((("v1",), ("v1", "v2"))))
    found = []
    for i in range(n):
        is_scored = draw(st.integers(0, 9)) > 0
        as_scored = Fraction(draw(score), 10_000) if is_scored else None
        is_restated_alike = draw(st.booleans())
        found.append(
            Scored(
                f"i{i:03}",
                MONDAY + timedelta(days=draw(st.sampled_from(days))),
                draw(st.sampled_from(("ann", "bob", "cem"))),
                draw(st.sampled_from(("bank", "retail"))),
                draw(st.sampled_from(("billing", "login", "refund"))),
                draw(st.sampled_from(("call", "call", "chat"))),
                draw(st.sampled_from(versions)),
                as_scored,
                as_scored if is_restated_alike or not is_scored else Fraction(draw(score), 10_000),
                is_scored and draw(st.integers(0, 9)) == 0,
                draw(st.booleans()),
                draw(st.sampled_from((None, None, 1, 2, 3, 4, 5))),
            )
        )
    return found


def tables(history: list[Scored]) -> dict[str, pl.DataFrame]:
    """fct_interactions and fct_call_scores of a history."""
    interactions = [
        {
            "interaction_id": s.id,
            "call_date": s.day,
            "agent_id": s.agent,
            "campaign": s.campaign,
            "issue_type": s.issue_type,
            "channel": s.channel,
            "extractor_versions": s.extractor,
            "status": "excluded" if s.as_scored is None else "scored",
            "iqs": None if s.as_scored is None else decimal(s.iqs),
            "csat": s.csat,
            "is_recorded": True,
            "is_transcribed": True,
            "is_mature": s.is_mature,
        }
        for s in history
    ]
    scores = [
        {
            "interaction_id": s.id,
            "basis": basis,
            "call_date": s.day,
            "scorecard": "card",
            "scorecard_version": 1,
            "iqs": decimal(s.iqs if basis == "as_scored" else s.restated),
            "iqs_unfailed": decimal(s.as_scored if basis == "as_scored" else s.restated),
            "is_failed": s.fails and basis == "as_scored",
            "measured_weight": Decimal("0.75"),
        }
        for s in history
        if s.as_scored is not None
        for basis in ("as_scored", "restated")
    ]
    points = pl.Decimal(9, 4)
    types = {"interaction_id": pl.String, "basis": pl.String, "call_date": pl.Date, "scorecard": pl.String}
    types |= {"scorecard_version": pl.Int64, "iqs": points, "iqs_unfailed": points, "is_failed": pl.Boolean}
    return {
        "fct_interactions": pl.DataFrame(
            interactions, schema_overrides={"iqs": points, "csat": pl.Int64, "call_date": pl.Date}
        ),
        "fct_call_scores": pl.DataFrame(scores, schema=types | {"measured_weight": pl.Decimal(9, 6)}),
        "dim_agents": pl.DataFrame([{"agent_id": a, "team": "north"} for a in ("ann", "bob", "cem")]),
    }


def decimal(score: Fraction) -> Decimal:
    return Decimal(score.numerator * (10_000 // score.denominator)).scaleb(-4)


def exact(value: Decimal | None) -> Fraction | None:
    return None if value is None else Fraction(value)


START = {
    "day": lambda d: d,
    "week": lambda d: d - timedelta(days=d.weekday()),
    "month": lambda d: d.replace(day=1),
}
VALUE = {
    "all": lambda s: "all",
    "agent": lambda s: s.agent,
    "campaign": lambda s: s.campaign,
    "issue_type": lambda s: s.issue_type,
    "campaign_issue_type": lambda s: f"{s.campaign} × {s.issue_type}",
}


def groups(history: list[Scored], dimension: str, period: str) -> dict[tuple[str, date], list[Scored]]:
    found: dict[tuple[str, date], list[Scored]] = {}
    for s in history:
        found.setdefault((VALUE[dimension](s), START[period](s.day)), []).append(s)
    return found


def by_issue(rows: list[Scored]) -> dict[str, list[Fraction]]:
    found: dict[str, list[Fraction]] = {}
    for s in rows:
        if s.as_scored is not None:
            found.setdefault(s.issue_type, []).append(s.iqs)
    return found


def near(expected: float | None, absolute: float = 1.1e-4):
    return None if expected is None else pytest.approx(expected, abs=absolute)


def number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


# --- trend_iqs
def check_trends(models: SqlModels, history: list[Scored]) -> None:
    connection = models.run("trend_iqs", given=tables(history))
    cursor = connection.execute("select * from iqs.trends.trend_iqs where basis = 'as_scored'")
    names = [c[0] for c in cursor.description]
    rows = [dict(zip(names, r, strict=True)) for r in cursor.fetchall()]
    for dimension in VALUE:
        for period in START:
            expected = groups(history, dimension, period)
            got = {
                (r["value"], r["period_start"]): r for r in rows if (r["dimension"], r["period"]) == (dimension, period)
            }
            assert got.keys() == expected.keys()
            check_counts(got, expected)
            check_estimates(got, expected, groups(history, "all", period), dimension)
            check_control_charts(got, expected)


def check_counts(got: dict, expected: dict) -> None:
    for key, members in expected.items():
        row, scored = got[key], [s for s in members if s.as_scored is not None]
        iqs = [s.iqs for s in scored]
        assert (row["received"], row["n"], row["failed"]) == (len(members), len(iqs), sum(s.fails for s in scored))
        assert exact(row["score_sum"]) == sum(iqs, Fraction(0))
        assert exact(row["unfailed_sum"]) == sum((s.as_scored for s in scored), Fraction(0))
        assert exact(row["iqs"]) == mean_iqs(iqs)
        assert exact(row["coverage"]) == half_up(Fraction(len(iqs), len(members)), 6)
        assert row["immature"] == sum(not s.is_mature for s in scored)
        assert exact(row["iqs_pooled"]) == mean_iqs(s.as_scored for s in scored)
        assert row["extractor_versions"] == ("; ".join(sorted({s.extractor for s in scored})) or None)
        assert row["is_ranked"] == (len(iqs) >= SETTINGS["rank_at_least"])


def check_estimates(got: dict, expected: dict, centre: dict, dimension: str) -> None:
    starts = {start for _, start in expected}
    peers = {
        start: shrunk(
            {v: [s.iqs for s in m if s.as_scored is not None] for (v, at), m in expected.items() if at == start}
        )
        for start in starts
    }
    for (value, start), members in expected.items():
        row, iqs = got[value, start], [s.iqs for s in members if s.as_scored is not None]
        low, high = interval(iqs, QUANTILES) or (None, None)
        assert number(row["iqs_sd"]) == near(spread(iqs))
        assert (number(row["iqs_low"]), number(row["iqs_high"])) == (near(low), near(high))
        estimate, own = peers[start].get(value, (None, None))
        assert (number(row["iqs_shrunk"]), number(row["own_share"])) == (near(estimate), near(own))
        if not iqs or dimension.endswith("issue_type"):
            assert row["iqs_case_mix"] is None
        else:
            adjusted = case_mix(by_issue(members), by_issue(centre["all", start]))
            assert number(row["iqs_case_mix"]) == near(float(adjusted))


def check_control_charts(got: dict, expected: dict) -> None:
    for value in {v for v, _ in expected}:
        starts = sorted(s for v, s in expected if v == value)
        scores = {s: [x.iqs for x in expected[value, s] if x.as_scored is not None] for s in starts}
        charted = [s for s in starts if scores[s]]
        charts = control_chart(
            [scores[s] for s in charted],
            points_at_least=SETTINGS["dip_periods_at_least"],
            scores_at_least=SETTINGS["dip_at_least"],
        )
        for start, chart in zip(charted, charts, strict=True):
            row = got[value, start]
            if chart is None:
                assert (row["xmr_center"], row["xmr_low"], row["dip"]) == (None, None, None)
                continue
            assert number(row["xmr_center"]) == near(chart.center)
            assert (number(row["xmr_low"]), number(row["xmr_high"])) == (near(chart.low, 2e-3), near(chart.high, 2e-3))
            assert row["dip_rule"] == chart.rule
            is_enough = len(scores[start]) >= SETTINGS["dip_at_least"]
            assert row["dip"] == (chart.rule is not None if is_enough else None)


@FEW
@given(history=histories())
def test_trends_are_what_the_oracle_says(models, history):
    check_trends(models, history)


@pytest.mark.slow
@MANY
@given(history=histories())
def test_trends_are_what_the_oracle_says_of_many_histories(models, history):
    check_trends(models, history)


# --- insights
def check_insights(models: SqlModels, history: list[Scored]) -> None:
    connection = models.run("insight_change", "insight_person_or_process", "insight_survey_gap", given=tables(history))
    check_changes(connection, history)
    check_components(connection, history)
    check_surveys(connection, history)


def check_changes(connection, history: list[Scored]) -> None:
    rows = connection.execute(
        "select dimension, value, period_start, n_before, n, iqs_before, iqs, change, behaviour, mix, scorecard,"
        " extractor, is_separable from iqs.trends.insight_change where period = 'week'"
    ).fetchall()
    got = {r[:3]: r[3:] for r in rows}
    expected = {}
    for dimension in ("all", "agent", "campaign", "issue_type"):
        weeks = groups([s for s in history if s.as_scored is not None], dimension, "week")
        for (value, start), after in weeks.items():
            before = weeks.get((value, start - timedelta(days=7)))
            if before:
                expected[dimension, value, start] = (before, after)
    assert {k for k in got if k[0] in ("all", "agent", "campaign", "issue_type")} == expected.keys()
    for key, (before, after) in expected.items():
        n_before, n, iqs_before, iqs, total, *parts, is_separable = got[key]
        as_seen = [[View(s) for s in rows] for rows in (before, after)]
        should = change(*as_seen)
        assert (n_before, n) == (len(before), len(after))
        assert (exact(iqs_before), exact(iqs)) == tuple(mean_iqs(v.as_scored for v in rows) for rows in as_seen)
        assert sum(parts) == total == iqs - iqs_before
        for got_part, part in zip(
            parts, (should.behaviour, should.mix, should.scorecard, should.extractor), strict=True
        ):
            assert float(got_part) == near(float(part), 2.1e-4)
        assert is_separable == should.is_separable


class View:
    """An interaction for the oracle's `change`: its score counts as failed on the basis as_scored only."""

    def __init__(self, s: Scored) -> None:
        self.issue_type, self.channel, self.extractor = s.issue_type, s.channel, s.extractor
        self.as_scored, self.restated = s.iqs, s.restated


def check_components(connection, history: list[Scored]) -> None:
    rows = connection.execute(
        "select period_start, component, variance from iqs.trends.insight_person_or_process"
        " where dimension = 'all' and period = 'week' and basis = 'as_scored'"
    ).fetchall()
    got = {(start, component): float(variance) for start, component, variance in rows}
    expected = {}
    for (_, start), members in groups([s for s in history if s.as_scored is not None], "all", "week").items():
        cells: dict[tuple[str, str], list[Fraction]] = {}
        for s in members:
            cells.setdefault((s.agent, s.issue_type), []).append(s.as_scored)
        parts = components(cells)
        if parts is not None:
            expected |= {
                (start, name): float(part)
                for name, part in zip(("agents", "issue_types", "residual"), parts, strict=True)
            }
    assert got.keys() == expected.keys()
    for key, variance in expected.items():
        assert got[key] == pytest.approx(variance, abs=0.02, rel=1e-5), key


def check_surveys(connection, history: list[Scored]) -> None:
    rows = connection.execute(
        "select period_start, surveys, csat, pairs_csat, spearman_csat from iqs.trends.insight_survey_gap"
        " where dimension = 'all' and period = 'week'"
    ).fetchall()
    for start, surveys, csat, n_pairs, correlation in rows:
        members = groups(history, "all", "week")["all", start]
        answers = [s.csat for s in members if s.csat is not None]
        pairs = [(s.iqs, s.csat) for s in members if None not in (s.as_scored, s.csat)]
        assert (surveys, n_pairs) == (len(answers), len(pairs))
        assert number(csat) == near(sum(answers) / len(answers) if answers else None)
        assert number(correlation) == near(spearman(pairs))


@FEW
@given(history=histories())
def test_insights_are_what_the_oracle_says(models, history):
    check_insights(models, history)


@pytest.mark.slow
@MANY
@given(history=histories())
def test_insights_are_what_the_oracle_says_of_many_histories(models, history):
    check_insights(models, history)
