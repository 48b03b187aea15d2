"""The tables: worked examples that can be followed by hand, and what must hold for any ratings."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.calibration import RATED, CalibrationOptions, calibrated
from pipelines.contracts.calibration import AGENTS, AGREEMENT, RATERS, RATINGS, SESSIONS, STATISTICS, TABLES, WEEKS
from pipelines.contracts.landing import REVIEWS
from pipelines.quality.checks import domain_outcomes

UTC_ZONE = ZoneInfo("UTC")
MONDAY = date(2026, 3, 2)


def rating(
    reviewer: str,
    points: float | None,
    *,
    session: str = "s1",
    interaction: str = "c1",
    parameter: str = "empathy",
    department: str | None = "ops",
    expert: bool = False,
    of: float = 100,
    day: date = MONDAY,
    agent: str = "a1",
    hired: date | None = date(2020, 1, 1),
    reason: str | None = None,
    at: datetime | None = None,
) -> dict:
    """One rating, `points` of `of`. The reviewer machine is the machine."""
    machine = reviewer == "machine"
    return {
        "session_id": session,
        "interaction_id": interaction,
        "parameter": parameter,
        "reviewer_id": reviewer,
        "is_machine": machine,
        "department": "machine" if machine else department,
        "is_expert": expert,
        "rating": points,
        "max_rating": of,
        "points": None if points is None else 100 * points / of,
        "reason": reason,
        "rated_at": None if machine else at or datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
        "call_date": day,
        "agent_id": agent,
        "hired_on": hired,
    }


def tables(*ratings: dict, zone: ZoneInfo = UTC_ZONE) -> dict:
    return calibrated(pl.DataFrame(list(ratings), schema=RATED), zone=zone)


def one(frame: pl.DataFrame, **where) -> dict:
    (row,) = frame.filter(*[pl.col(k) == v for k, v in where.items()]).to_dicts()
    return row


def test_ten_against_seven_of_fifteen_points_is_an_alignment_of_80_percent():
    found = tables(rating("r1", 10, of=15), rating("r2", 7, of=15))
    assert found[RATINGS]["alignment"].to_list() == pytest.approx([80, 80])
    assert one(found[RATINGS], reviewer_id="r2")["bias"] == pytest.approx(-20)
    assert one(found[SESSIONS], session_id="s1")["alignment"] == pytest.approx(80)


def test_a_rating_is_compared_with_the_expert_and_the_expert_with_the_others():
    found = tables(
        rating("r1", 92), rating("r2", 78, department="training"), rating("x", 94, department="quality", expert=True)
    )[RATINGS]
    assert one(found, reviewer_id="r2")["bias"] == pytest.approx(-16)
    assert one(found, reviewer_id="r2")["reference_kind"] == "expert"
    assert one(found, reviewer_id="x")["reference_points"] == pytest.approx(85)
    assert one(found, reviewer_id="x")["reference_kind"] == "panel"


def test_without_an_expert_a_rating_is_compared_with_the_mean_of_the_others():
    found = tables(rating("r1", 60), rating("r2", 70), rating("r3", 80))[RATINGS]
    assert dict(found.select("reviewer_id", "bias").iter_rows()) == pytest.approx({"r1": -15, "r2": 0, "r3": 15})


def test_the_machine_is_one_more_rater_and_no_reference():
    ratings = [rating("r1", 60), rating("x", 70, expert=True), rating("machine", 95)]
    found = tables(*ratings)
    assert one(found[RATINGS], reviewer_id="machine")["bias"] == pytest.approx(25)
    row = one(found[SESSIONS], session_id="s1")
    assert (row["machine_points"], row["machine_bias"], row["machine_alignment"]) == (95, 25, 75)
    assert (row["n_raters"], row["panel_mean"], row["highest"]) == (2, 65, 70)
    assert row["diagnosis_text"].endswith("The machine is 25 points above the expert.")
    without = tables(*ratings[:2])
    assert without[SESSIONS]["panel_mean"].to_list() == found[SESSIONS]["panel_mean"].to_list()
    people = pl.col("rater_kind") != "machine"
    assert without[RATERS].filter(people).equals(found[RATERS].filter(people))


def test_a_name_of_the_centres_own_has_ratings_and_no_machine():
    found = tables(
        rating("r1", 10, of=15, parameter="courtesy"),
        rating("r2", 7, of=15, parameter="courtesy"),
        rating("machine", None, parameter="courtesy", reason="not_a_parameter"),
    )
    row = one(found[SESSIONS], parameter="courtesy")
    assert (row["machine_points"], row["machine_reason"]) == (None, "not_a_parameter")
    panels = found[AGREEMENT].filter(parameter="courtesy", period="all", statistic="krippendorff_alpha")
    assert dict(panels.select("panel", "reason").iter_rows()) == {
        "reviewers": "too_few_units",
        "reviewers_and_machine": "not_scored",
        "machine_and_reference": "not_scored",
    }
    assert found[RATERS].filter(rater_kind="machine").is_empty()


@pytest.mark.parametrize(
    ("points", "diagnosis", "words"),
    [
        # departments 35, 30, 40: all low, variance 25
        ((35, 30, 40), "knowledge_gap", "All departments rate it low (ops 35, quality 40, training 30)"),
        # departments 80, 45, 72: variance 343
        ((80, 45, 72), "read_differently", "the teams read the rubric differently"),
        ((88, 92, 84), "agreed", "The raters agree within 8 points."),
    ],
)
def test_the_diagnosis_of_a_session_follows_from_the_departments(points, diagnosis, words):
    departments = ("ops", "training", "quality")
    found = tables(*(rating(d, p, department=d) for d, p in zip(departments, points, strict=True)))
    row = one(found[SESSIONS], session_id="s1")
    assert row["department_variance"] == pytest.approx(np.var(points, ddof=1))
    assert row["diagnosis"] == diagnosis
    assert words in row["diagnosis_text"]


def test_raters_of_one_department_who_differ_are_no_difference_between_departments():
    found = tables(
        rating("r1", 95),
        rating("r2", 55),
        rating("r3", 76, department="quality"),
        rating("r4", 74, department="quality"),
    )
    row = one(found[SESSIONS], session_id="s1")
    assert row["department_variance"] == 0
    assert row["diagnosis"] == "raters_differ"


def test_one_person_alone_is_compared_with_nobody():
    found = tables(rating("r1", 50))
    row = one(found[RATINGS], reviewer_id="r1")
    assert (row["reference_kind"], row["bias"], row["alignment"]) == ("none", None, None)
    assert one(found[SESSIONS], session_id="s1")["diagnosis"] == "too_few_raters"
    assert one(found[RATERS], rater_kind="reviewer", parameter="all")["reason"] == "not_compared"


def test_a_session_belongs_to_the_day_of_its_first_rating_where_the_centre_is():
    late = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)  # Tuesday in Berlin, Monday afternoon in Portland
    ratings = [rating("r1", 50, at=late), rating("r2", 50, at=late + timedelta(days=9))]
    found = {zone: tables(*ratings, zone=ZoneInfo(zone))[SESSIONS] for zone in ("Europe/Berlin", "America/Los_Angeles")}
    assert found["Europe/Berlin"]["session_on"].to_list() == [date(2026, 3, 3)]
    assert found["America/Los_Angeles"]["session_on"].to_list() == [date(2026, 3, 2)]
    undated = tables(rating("r1", 50) | {"rated_at": None}, rating("r2", 50) | {"rated_at": None})
    assert undated[SESSIONS]["session_on"].to_list() == [MONDAY]


def weekly(gaps: list[float]) -> list[dict]:
    """A session a week in which two departments lie `gap` points apart."""
    return [
        rating(
            d,
            70 + side * gap / 2,
            department=d,
            session=f"s{week}",
            interaction=f"c{week}",
            day=MONDAY + timedelta(weeks=week),
        )
        for week, gap in enumerate(gaps)
        for d, side in (("ops", 1), ("quality", -1))
    ]


def test_departments_that_come_closer_from_week_to_week_converge():
    weeks = tables(*weekly([24, 20, 18, 14, 10, 8, 4, 2]))[WEEKS].filter(parameter="all").sort("week_start")
    assert weeks["department_variance"].to_list()[:2] == pytest.approx([24**2 / 2, 20**2 / 2])
    assert weeks["trend"].to_list()[:3] == [None] * 3
    assert weeks["reason"].to_list()[:4] == ["too_few_weeks"] * 3 + [None]
    assert weeks["trend"].to_list()[-1] == "converging"
    last = weeks.to_dicts()[-1]
    assert last["change_low"] <= last["variance_change_per_week"] <= last["change_high"] < 0
    # a week that is over does not change when another one comes
    fewer = tables(*weekly([24, 20, 18, 14, 10]))[WEEKS].filter(parameter="all").sort("week_start")
    assert fewer.equals(weeks.head(5))


def test_one_odd_week_does_not_turn_the_trend():
    steady = tables(*weekly([10, 11, 9, 10, 40, 10, 9, 11]))[WEEKS].filter(parameter="all").sort("week_start")
    assert steady["trend"].to_list()[-1] == "steady"


def test_a_tenured_agent_who_scores_low_is_an_outlier_and_a_new_one_is_not():
    ratings = [
        rating(r, points + offset, session=f"{agent}{i}", interaction=f"{agent}{i}", agent=agent, hired=hired)
        for agent, points, hired in (
            ("old", 40, date(2017, 11, 20)),
            ("new", 42, date(2026, 1, 5)),
            ("good", 90, date(2018, 1, 1)),
            ("unknown", 30, None),
        )
        for i in range(3)
        for r, offset in (("r1", 2), ("r2", -2))
    ]
    agents = tables(*ratings)[AGENTS].filter(parameter="empathy")
    found = {r["agent_id"]: (r["is_low"], r["is_tenured"], r["is_outlier"]) for r in agents.to_dicts()}
    assert found == {
        "old": (True, True, True),
        "new": (True, False, False),
        "good": (False, True, False),
        "unknown": (True, None, None),
    }
    row = one(agents, agent_id="old")
    assert (row["reference_mean"], row["others_mean"]) == (40, pytest.approx((42 + 90 + 30) / 3))
    assert row["diagnosis_text"] == "Outlier: 8.3 years with the centre, yet low: 40 points, the other agents 54."


def test_several_parameters_of_one_call_are_not_several_calls_of_the_agent():
    ratings = [rating(r, 20, parameter=p) for p in ("empathy", "resolution", "courtesy") for r in ("r1", "r2")]
    row = one(tables(*ratings)[AGENTS], parameter="all")
    assert (row["n"], row["n_interactions"], row["is_outlier"], row["reason"]) == (3, 1, None, "too_few_of_agent")


def test_departments_are_raters_too():
    rng = np.random.default_rng(6)
    ratings = []
    for s in range(12):
        worth = 70 + 12 * rng.standard_normal()
        for reviewer, department, bias in (
            ("r1", "ops", 0),
            ("r2", "ops", 1),
            ("r3", "quality", 0),
            ("r4", "training", -14),
        ):
            points = float(np.clip(worth + bias + 2 * rng.standard_normal(), 0, 100))
            ratings.append(rating(reviewer, points, department=department, session=f"s{s:02}", interaction=f"c{s}"))
    raters = tables(*ratings)[RATERS].filter(parameter="empathy")
    severe = dict(raters.filter(rater_kind="department").select("reviewer_id", "is_severe").iter_rows())
    assert severe == {"ops": False, "quality": False, "training": True}
    row = one(raters, reviewer_id="training")
    assert row["bias_low"] < -14 < row["bias_high"]
    assert row["diagnosis_text"].startswith("Severe")


def test_the_order_of_the_rows_changes_nothing():
    ratings = weekly([24, 20, 18, 14, 10, 8, 4, 2]) + [
        rating("machine", 60.5 + i, session=f"s{i}", interaction=f"c{i}") for i in range(8)
    ]
    before = tables(*ratings)
    after = tables(*np.random.default_rng(1).permutation(np.array(ratings, dtype=object)).tolist())
    assert all(before[t].equals(after[t]) for t in TABLES)


def test_no_rating_at_all_gives_empty_tables():
    assert all(frame.is_empty() for frame in tables().values())


def test_ratings_without_a_column_are_refused_by_name():
    with pytest.raises(ValueError, match="points, agent_id"):
        calibrated(pl.DataFrame(schema=RATED).drop("points", "agent_id"), zone=UTC_ZONE)


@st.composite
def any_ratings(draw):
    rows = {}
    for _ in range(draw(st.integers(1, 30))):
        session, interaction = draw(st.sampled_from("abcdefghij")), draw(st.sampled_from(["", "-2"]))
        parameter, reviewer = (
            draw(st.sampled_from(["empathy", "courtesy"])),
            draw(st.sampled_from(["r1", "r2", "r3", "x"])),
        )
        of = draw(st.sampled_from([100, 15, 5]))
        given = {"session": session, "interaction": session + interaction, "parameter": parameter}
        rows[session, interaction, parameter, reviewer] = rating(
            reviewer,
            draw(st.integers(0, of)),
            of=of,
            expert=reviewer == "x",
            department=draw(st.sampled_from(["ops", "training", None])),
            day=MONDAY + timedelta(weeks=ord(session) - 97),
            agent=interaction or "a1",
            hired=draw(st.sampled_from([None, date(2020, 1, 1)])),
            **given,
        )
        scored = draw(st.integers(0, 100)) if parameter == "empathy" and draw(st.booleans()) else None
        rows[session, interaction, parameter, "machine"] = rating(
            "machine",
            scored,
            day=MONDAY + timedelta(weeks=ord(session) - 97),
            agent=interaction or "a1",
            reason=None if scored is not None else "not_scored" if parameter == "empathy" else "not_a_parameter",
            **given,
        )
    return list(rows.values())


@settings(max_examples=8, deadline=None)
@given(any_ratings())
def test_whatever_is_rated_nothing_is_lost_and_the_contracts_are_kept(ratings):
    found = tables(*ratings)
    people = [r for r in ratings if not r["is_machine"]]
    assert found[RATINGS].filter(~pl.col("is_machine")).height == len(people)
    units = {(r["session_id"], r["interaction_id"], r["parameter"]) for r in people}
    assert found[SESSIONS].height == len(units)
    assert found[AGREEMENT].height % len(STATISTICS) == 0
    reviews = REVIEWS.frame(
        [{c: r.get(c, "f" if c == "source_file" else False) for c in REVIEWS.schema if c != "rated_at"} for r in people]
    )
    outcomes = domain_outcomes({REVIEWS: reviews, **found}, None, {t.name: "p" for t in TABLES})
    assert len(outcomes) == 8
    assert [(o.table_name, o.check_name, o.detail) for o in outcomes if not o.passed] == []
    for table in TABLES:
        assert found[table].height == found[table].select(table.key).n_unique(), table.name
        for column in table.columns:
            assert_kept(found[table], column)


def assert_kept(frame: pl.DataFrame, column) -> None:
    """NULLs, ranges and words of one column are as its contract says."""
    values = frame[column.name]
    if column.null_because:
        assert frame.filter(values.is_null(), pl.col(column.null_because).is_null()).is_empty(), column
    elif not column.optional:
        assert values.null_count() == 0, column
    known = values.drop_nulls()
    if known.is_empty():
        return
    assert column.at_least is None or known.min() >= column.at_least, column
    assert column.at_most is None or known.max() <= column.at_most, column
    assert column.one_of is None or set(known) <= set(column.one_of), column


def test_thresholds_are_options():
    ratings = pl.DataFrame(weekly([24, 20]), schema=RATED)
    strict = calibrated(ratings, zone=UTC_ZONE, options=CalibrationOptions(high_variance_points2=10_000.0))
    assert set(strict[SESSIONS]["diagnosis"]) == {"raters_differ", "agreed"}
