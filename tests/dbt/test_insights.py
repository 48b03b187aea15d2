"""Insights on small worlds that can be reckoned by hand."""

from __future__ import annotations

import math
import random
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction

import polars as pl
import pytest
from dbt_lake import MONDAY, Call
from oracle import Rules, control_chart
from sql_models import PROJECT, SqlModels, lake_frames

SETTINGS = {name: int(value) for name, value in Rules(PROJECT / "seeds").settings.items() if value.denominator == 1}
POINTS = pl.Decimal(9, 4)


def rows_of(connection, sql: str) -> list[dict]:
    cursor = connection.execute(sql)
    names = [c[0] for c in cursor.description]
    return [dict(zip(names, r, strict=True)) for r in cursor.fetchall()]


def scored(calls: list[dict]) -> dict[str, pl.DataFrame]:
    """fct_interactions and fct_call_scores of calls with `score`; every other key is a column of fct_interactions."""
    plain = {"interaction_id": "i", "call_date": MONDAY, "agent_id": "ann", "issue_type": "billing", "campaign": "bank"}
    plain |= {"channel": "call", "is_mature": True, "is_recorded": True, "is_transcribed": True}
    interactions, scores = [], []
    for i, call in enumerate(calls):
        score = call.get("score")
        row = plain | {"interaction_id": f"i{i:05}"} | {k: v for k, v in call.items() if k != "score"}
        score = None if score is None else Decimal(str(score)).quantize(Decimal("0.0001"))
        interactions.append(
            row | {"status": "excluded" if score is None else "scored", "iqs": score, "iqs_unfailed": score}
        )
        for basis in ("as_scored", "restated") if score is not None else ():
            scores.append(
                {
                    "interaction_id": row["interaction_id"],
                    "basis": basis,
                    "call_date": row["call_date"],
                    "iqs": score,
                    "iqs_unfailed": score,
                    "is_failed": False,
                    "measured_weight": Decimal("1.000000"),
                }
            )
    overrides = {"iqs": POINTS, "iqs_unfailed": POINTS, "call_date": pl.Date}
    return {
        "fct_interactions": pl.DataFrame(interactions, schema_overrides=overrides, infer_schema_length=None),
        "fct_call_scores": pl.DataFrame(scores, schema_overrides=overrides | {"measured_weight": pl.Decimal(9, 6)}),
        "dim_agents": pl.DataFrame(schema={"agent_id": pl.String}),
    }


# --- control charts
def daily(series: list[list[float]], agent: str = "ann") -> list[dict]:
    return [
        {"call_date": MONDAY + timedelta(days=day), "agent_id": agent, "score": score}
        for day, scores in enumerate(series)
        for score in scores
    ]


def charted(models: SqlModels, series: list[list[float]]) -> list[dict]:
    connection = models.run("trend_iqs", given=scored(daily(series)))
    return rows_of(
        connection,
        "select xmr_center, xmr_low, xmr_high, dip, dip_rule from iqs.trends.trend_iqs"
        " where dimension = 'agent' and period = 'day' and basis = 'as_scored' order by period_start",
    )


def test_limits_of_equal_days_are_the_mean_less_and_plus_2_66_moving_ranges(models):
    # means 70 and 74 in turn: the mean moving range is 4
    rows = charted(models, [[70.0 + 4 * (day % 2)] * 5 for day in range(9)])
    last = rows[8]
    assert last["xmr_center"] == 72
    assert float(last["xmr_low"]) == pytest.approx(72 - 3 / math.sqrt(2 / math.pi) / math.sqrt(2) * 4, abs=0.001)
    assert float(last["xmr_high"]) == pytest.approx(72 + 2.66 * 4, abs=0.01)
    assert (last["dip"], last["dip_rule"]) == (False, None)
    assert rows[7]["xmr_center"] is None
    assert rows[7]["dip"] is None


@pytest.mark.parametrize(
    ("ending", "rule"),
    [
        ([60.0], "below the lower limit"),
        ([63.0, 75.0, 63.0], "2 of 3 more than 2 sigma below the center"),
        ([70.5] * 8, "8 in a row below the center"),
        ([72.0], None),
    ],
)
def test_a_dip_says_which_rule_fired(models, ending, rule):
    rows = charted(models, [[day] * 5 for day in [*(70.0 + 4 * (i % 2) for i in range(20)), *ending]])
    assert rows[-1]["dip_rule"] == rule
    assert rows[-1]["dip"] == (rule is not None)
    assert all(r["dip_rule"] is None for r in rows[:20])


def test_a_day_with_few_calls_gets_wide_limits_and_no_verdict(models):
    rows = charted(models, [*[[70.0 + 4 * (day % 2)] * 8 for day in range(20)], [60.0] * 2])
    usual, few = rows[-2], rows[-1]
    assert float(few["xmr_high"] - few["xmr_low"]) == pytest.approx(
        2 * float(usual["xmr_high"] - usual["xmr_low"]), rel=0.2
    )
    assert (few["dip"], few["dip_rule"]) == (None, None)


def test_control_charts_of_restless_series_are_what_the_oracle_says(models):
    rng = random.Random(1)
    seen = set()
    for _ in range(4):
        level = [72.0] * 24 + [72.0 - rng.choice((3, 5, 12))] * 10
        series = [
            [min(100.0, max(0.0, round(rng.gauss(mean, 9), 4))) for _ in range(rng.choice((3, 6, 14)))]
            for mean in level
        ]
        expected = control_chart(
            [[Fraction(str(s)) for s in day] for day in series],
            points_at_least=SETTINGS["dip_periods_at_least"],
            scores_at_least=SETTINGS["dip_at_least"],
        )
        for got, chart in zip(charted(models, series), expected, strict=True):
            assert got["dip_rule"] == (chart.rule if chart else None)
            assert (
                got["xmr_low"] is None if chart is None else float(got["xmr_low"]) == pytest.approx(chart.low, abs=2e-3)
            )
            seen.add(chart and chart.rule)
    assert len(seen) >= 4


# --- where points go
def test_points_are_lost_by_sub_driver_greatest_first(models):
    calls = [{"issue_type": "payment", "score": s} for s in (60, 80)] + [{"issue_type": "refund", "score": 90}]
    given = scored(calls) | {
        "dim_issue_types": pl.DataFrame(
            [
                {"issue_type": "payment", "driver": "billing", "sub_driver": "making a payment"},
                {"issue_type": "refund", "driver": "billing", "sub_driver": "refund"},
            ]
        )
    }
    rows = rows_of(
        models.run("insight_sub_drivers", given=given),
        "select sub_driver, n, points_lost, points_lost_per_call, points_of_iqs, share, cumulative_share, position"
        " from iqs.trends.insight_sub_drivers where dimension = 'all' and period = 'week' and basis = 'as_scored'"
        " order by position",
    )
    d = Decimal
    assert [tuple(r.values()) for r in rows] == [
        ("making a payment", 2, d(60), d(30), d(20), d("0.857143"), d("0.857143"), 1),
        ("refund", 1, d(10), d(10), d("3.3333"), d("0.142857"), d(1), 2),
    ]


def test_an_issue_type_that_is_low_with_every_agent_is_a_process_finding(models):
    calls = []
    for agent, level in (("ann", 80), ("bob", 79), ("cem", 81), ("dia", 80)):
        calls += [{"agent_id": agent, "issue_type": "refund", "score": level - 20 + i} for i in range(4)]
        calls += [{"agent_id": agent, "issue_type": "billing", "score": level + i} for i in range(4)]
        calls += [{"agent_id": agent, "issue_type": "login", "score": level + 1 + i} for i in range(4)]
    connection = models.run("insight_findings", "insight_person_or_process", given=scored(calls))
    found = {
        (r["kind"], r["subject"]): r
        for r in rows_of(
            connection, "select * from iqs.trends.insight_findings where period = 'week' and basis = 'restated'"
        )
    }
    refund = found["process", "refund"]
    assert (refund["n"], refund["comparisons"], refund["lower"], refund["gap"]) == (16, 4, 4, Decimal("-20.5"))
    assert {key for key, r in found.items() if r["is_finding"]} == {("process", "refund")}
    verdicts = connection.execute("select distinct verdict from iqs.trends.insight_person_or_process").fetchall()
    assert verdicts == [("process",)]


def test_an_agent_who_is_low_on_every_issue_type_is_a_person_finding(models):
    calls = []
    for agent, level in (("ann", 80), ("bob", 55), ("cem", 82), ("dia", 79)):
        for issue, easy in (("billing", 2), ("login", 0), ("refund", 1)):
            calls += [{"agent_id": agent, "issue_type": issue, "score": level + easy + i} for i in range(4)]
    connection = models.run("insight_findings", "insight_person_or_process", given=scored(calls))
    found = connection.execute(
        "select kind, subject from iqs.trends.insight_findings"
        " where is_finding and period = 'week' and basis = 'restated'"
    ).fetchall()
    assert found == [("person", "bob")]
    verdicts = connection.execute("select distinct verdict from iqs.trends.insight_person_or_process").fetchall()
    assert verdicts == [("person",)]


# --- what was said
def talk(models: SqlModels, calls: list[Call], lines: dict[str, list[tuple]]) -> dict[str, pl.DataFrame]:
    """A lake in which the calls have these lines: (party, text, sentiment), one every 10 s, silence as an event."""
    lake = lake_frames(calls)
    utterances, sentiments, silences, repetitions = [], [], [], []
    for call in calls:
        for i, (party, text, sentiment) in enumerate(lines[call.id]):
            base = {"interaction_id": call.id, "date": call.day}
            at = {"start_s": 10.0 * i, "end_s": 10.0 * i + 5}
            if party == "silence":
                start = {"start_s": 10.0 * (i - 1) + 5, "end_s": 10.0 * i + 9}
                silences.append(base | start | {"event": i, "kind": "dead_air", "party": "call"})
                continue
            utterances.append(
                base | at | {"utterance": i, "party": party, "text": text, "n_words": 5, "source": "recognition"}
            )
            if sentiment == "repeats":
                kind = {"event": i, "kind": "keyword", "party": party, "evidence": "repetition: as I said"}
                repetitions.append(base | at | kind)
            elif sentiment is not None:
                sentiments.append(base | {"utterance": i, "party": party, "sentiment": sentiment})
    for name, rows in (
        ("transcripts/utterances", utterances),
        ("language/sentiments", sentiments),
        ("conversation/events", silences),
        ("language/events", repetitions),
    ):
        lake[name] = pl.DataFrame(rows, schema=lake[name].schema) if rows else lake[name].clear()
    return lake


def test_a_line_of_the_script_after_which_customers_break_off_is_found(models):
    calls = [
        Call(f"c{i}", MONDAY, {("empathy_score", "agent"): 80.0}, agent="007" if i % 2 else "008") for i in range(8)
    ]
    bad = "Unfortunately that is the company's policy and nothing can be done. Bye."
    reaction = [("customer", "no way", -0.8), ("customer", "I said it before", "repeats"), ("silence", "", None)]
    lines = {
        c.id: [
            ("agent", "Thank you for calling, how can I help you today?", 0.2),
            ("customer", "I want my money back", -0.1),
            ("agent", bad, 0.0),
            reaction[i % 3],
            ("agent", "Let me see what I can do for you.", 0.3),
            ("customer", "fine", 0.1),
        ]
        for i, c in enumerate(calls)
    }
    rows = rows_of(
        models.run("insight_script_breaks", lake=talk(models, calls, lines)),
        "select * from iqs.trends.insight_script_breaks",
    )
    assert [r["passage"] for r in rows] == ["unfortunately that is the company's policy and nothing"]
    row = rows[0]
    assert (row["agents"], row["interactions"], row["n"], row["broken"]) == (2, 8, 8, 8)
    assert (row["pushed_back"], row["repeated"], row["silent"]) == (3, 3, 2)
    assert row["usual_share"] == Decimal("0.333333")
    assert float(row["break_share_low"]) == pytest.approx(
        (1 + 1.96**2 / 16 - 1.96**2 / 16) / (1 + 1.96**2 / 8), abs=1e-6
    )


def test_keywords_are_compared_by_log_odds_with_a_prior(models):
    week = timedelta(days=7)
    said = {("outage", MONDAY): 2, ("outage", MONDAY + week): 40, ("bill", MONDAY): 50, ("bill", MONDAY + week): 50}
    rows = [
        {"call_date": day, "party": "customer", "keyword": keyword, "interactions": n, "example_interaction_id": "x"}
        for (keyword, day), n in said.items()
    ]
    connection = models.run("insight_keywords", given={"int_keyword_days": pl.DataFrame(rows)})
    found = {
        r["keyword"]: r for r in rows_of(connection, "select * from iqs.trends.insight_keywords where period = 'week'")
    }
    prior = 100 * 42 / 142
    odds = math.log((40 + prior) / (90 + 100 - 40 - prior)) - math.log((2 + prior) / (52 + 100 - 2 - prior))
    z = odds / math.sqrt(1 / (40 + prior) + 1 / (2 + prior))
    assert float(found["outage"]["log_odds"]) == pytest.approx(odds, abs=1e-4)
    assert float(found["outage"]["z"]) == pytest.approx(z, abs=1e-4)
    assert (found["outage"]["direction"], found["outage"]["is_beyond_chance"]) == ("rising", True)
    assert (found["outage"]["n"], found["outage"]["n_before"]) == (40, 2)
    assert found["bill"]["direction"] == "falling"


# --- surveys, changes, fairness
def test_a_survey_that_says_the_opposite_is_listed(models):
    calls = [
        {"score": 92, "csat": 1},
        {"score": 45, "nps": 10},
        {"score": 92, "csat": 5},
        {"score": 70, "csat": 1},
        {"score": 92},
        {"score": 30, "csat": 2, "nps": 0},
    ]
    given = scored(calls)
    connection = models.run("insight_survey_disagreements", "insight_survey_gap", given=given)
    rows = connection.execute(
        "select interaction_id, gap from iqs.trends.insight_survey_disagreements order by interaction_id"
    ).fetchall()
    assert rows == [("i00000", "scored high, customer unhappy"), ("i00001", "scored low, customer happy")]
    row = rows_of(
        connection, "select * from iqs.trends.insight_survey_gap where dimension = 'all' and period = 'week'"
    )[0]
    assert (row["received"], row["surveys"], row["response_rate"]) == (6, 5, Decimal("0.833333"))
    assert (row["n_csat"], row["csat"], row["satisfied_share"]) == (4, Decimal("2.25"), Decimal("0.25"))
    assert (row["n_nps"], row["promoters"], row["detractors"], row["nps"]) == (2, 1, 1, 0)
    assert row["disagreements"] == 2


def test_the_effect_of_a_process_change_is_the_change_less_what_others_changed(models):
    day = MONDAY + timedelta(days=30)
    calls = []
    for campaign, before, after in (("bank", 60, 72), ("retail", 70, 75)):
        for i in range(10):
            calls.append({"campaign": campaign, "call_date": day - timedelta(days=1 + i), "score": before + i % 2})
            calls.append({"campaign": campaign, "call_date": day + timedelta(days=i), "score": after + i % 2})
    calls.append({"campaign": "bank", "call_date": day - timedelta(days=29), "score": 0})  # before the window
    changes = [
        {"changed_on": day, "name": "new form", "campaign": "bank", "issue_type": None},
        {"changed_on": day, "name": "new music", "campaign": None, "issue_type": None},
    ]
    given = scored(calls) | {"stg_process_changes": pl.DataFrame(changes, schema_overrides={"issue_type": pl.String})}
    rows = rows_of(models.run("process_change_effects", given=given), "select * from iqs.trends.process_change_effects")
    found = {r["name"]: r for r in rows if r["measure"] == "iqs"}
    form = found["new form"]
    assert (form["n_before"], form["n_after"], form["mean_before"], form["mean_after"]) == (
        10,
        10,
        Decimal("60.5"),
        Decimal("72.5"),
    )
    assert (form["change"], form["others_change"], form["effect"]) == (12, 5, 7)
    # every variance is 10/36 (0 and 1 in turn), so the error is sqrt(4 * 10/36 / 10) with 36 degrees of freedom
    margin = 2.0423 * math.sqrt(4 * (10 / 36) / 10)
    assert float(form["effect_low"]) == pytest.approx(7 - margin, abs=1e-4)
    assert float(form["effect_high"]) == pytest.approx(7 + margin, abs=1e-4)
    assert (form["is_beyond_chance"], form["has_comparison"], form["is_complete"], form["other_changes"]) == (
        True,
        True,
        False,
        1,
    )
    music = found["new music"]
    assert (music["has_comparison"], music["others_change"], music["effect"]) == (False, None, Decimal("8.5"))


def test_noise_that_explains_the_scores_is_a_warning_with_its_figure(models):
    rng = random.Random(2)
    calls = [
        {"score": 50 + snr + rng.uniform(-2, 2), "snr_db": float(snr), "asr_confidence": rng.random(), "language": "en"}
        for snr in range(40)
    ]
    calls += [c | {"call_date": MONDAY - timedelta(days=40), "score": 0.0} for c in calls]  # too long ago
    rows = rows_of(models.run("insight_fairness", given=scored(calls)), "select * from iqs.trends.insight_fairness")
    found = {r["factor"]: r for r in rows}
    assert found["snr_db"]["is_warning"]
    assert found["snr_db"]["n"] == 40
    assert float(found["snr_db"]["explained_share"]) > 0.95
    assert not found["asr_confidence"]["is_warning"]
    assert (found["language"]["n_groups"], found["language"]["explained_share"], found["language"]["is_warning"]) == (
        1,
        0,
        False,
    )


def test_channels_that_differ_no_more_than_chance_explain_nothing(models):
    rng = random.Random(3)
    calls = [{"score": rng.uniform(40, 90), "channel": rng.choice(("call", "chat", "email"))} for _ in range(400)]
    rows = rows_of(models.run("insight_fairness", given=scored(calls)), "select * from iqs.trends.insight_fairness")
    assert {r["factor"]: float(r["explained_share"]) for r in rows}["channel"] < 0.02


# --- peers' definitions
def test_other_products_count_interruptions_and_silences_by_simpler_rules(models):
    values = {
        ("interruption_count", "agent"): 1.0,
        ("interruption_count", "customer"): 0.0,
        ("silence_ratio", "call"): 0.2,
    }
    values |= {("conversation_s", "call"): 100.0, ("hold_s", "call"): 15.0, ("aht_s", "call"): 150.0}
    calls = [
        Call("c", MONDAY, values, hold_s=40.0, acw_s=25.0),
        Call("mono", MONDAY, {("conversation_s", "call"): 9.0}),
    ]
    lake = lake_frames(calls)
    base = {"interaction_id": "c", "date": MONDAY}
    turns = [("customer", 0, 10), ("agent", 9.7, 14), ("customer", 13.2, 20), ("agent", 18, 25), ("customer", 25, 30)]
    lake["conversation/turns"] = pl.DataFrame(
        [
            base | {"turn": i, "party": p, "start_s": float(a), "end_s": float(b), "speech_s": float(b - a)}
            for i, (p, a, b) in enumerate(turns)
        ],
        schema=lake["conversation/turns"].schema,
    )
    waits = [("dead_air", 40, 43.5), ("hold", 50, 65), ("retrieval", 70, 72)]
    lake["conversation/events"] = pl.DataFrame(
        [
            base | {"event": i, "kind": k, "party": "call", "start_s": float(a), "end_s": float(b)}
            for i, (k, a, b) in enumerate(waits)
        ],
        schema=lake["conversation/events"].schema,
    )
    rows = rows_of(models.run("fct_peer_definitions", lake=lake), "select * from iqs.marts.fct_peer_definitions")
    found = {r["interaction_id"]: r for r in rows}
    call, mono = found["c"], found["mono"]
    assert (call["agent_interruptions"], call["customer_interruptions"]) == (1, 0)
    rules = ("any_overlap", "over_half_s", "over_1_s")
    assert [call[f"agent_interruptions_{r}"] for r in rules] == [2, 1, 1]
    assert [call[f"customer_interruptions_{r}"] for r in rules] == [1, 1, 0]
    assert (call["silences_over_3_s"], call["silence_over_3_s_s"]) == (2, 18.5)
    assert (call["silences_over_10_s"], call["silence_over_10_s_s"]) == (1, 15.0)
    # 100 s of talk, of the 40 s of hold those 25 that were not heard in it; and 25 s of work after
    assert (call["aht_without_acw_s"], call["aht_s"]) == (125.0, 150.0)
    assert [mono[f"agent_interruptions_{r}"] for r in rules] == [None] * 3
    assert mono["silences_over_3_s"] is None


# --- what the rows rest on
def test_the_check_status_of_a_day_is_that_of_the_last_outcome_of_each_check(models):
    outcomes = [
        ("turns", MONDAY, "a", True, False, 1),
        ("turns", MONDAY, "a", True, True, 2),  # it was made again and passed
        ("turns", MONDAY + timedelta(days=1), "b", False, False, 1),
        ("turns", MONDAY + timedelta(days=2), "a", True, False, 3),
    ]
    dq = [
        {
            "table_name": table,
            "call_date": day,
            "check_name": check,
            "blocking": blocking,
            "passed": passed,
            "checked_at": datetime.combine(MONDAY, time(hour)),
        }
        for table, day, check, blocking, passed, hour in outcomes
    ]
    calls = [{"call_date": MONDAY + timedelta(days=i), "score": 50} for i in range(4)]
    connection = models.run("trend_iqs", given=scored(calls) | {"stg_dq_results": pl.DataFrame(dq)})
    rows = connection.execute(
        "select period, period_start, check_status, is_complete, last_call_date from iqs.trends.trend_iqs"
        " where dimension = 'all' and basis = 'as_scored' order by 1, 2"
    ).fetchall()
    last = MONDAY + timedelta(days=3)
    status = ["passed", "warning", "failed", "unchecked"]
    assert rows == [
        *[("day", MONDAY + timedelta(days=i), status[i], True, MONDAY + timedelta(days=i)) for i in range(4)],
        ("month", date(2026, 3, 1), "failed", False, last),
        ("week", MONDAY, "failed", False, last),
    ]
