"""Alerts and coaching progress on small worlds that can be reckoned by hand."""

from __future__ import annotations

import shutil
from datetime import date, datetime, timedelta
from decimal import Decimal

import duckdb
import jinja2
import polars as pl
import pytest
from dbt_lake import MONDAY, PROJECT
from sql_models import SqlModels

POINTS = pl.Decimal(9, 4)
HEADER = (PROJECT / "seeds" / "alert_rules.csv").read_text().splitlines()[0].split(",")
RULE = {"version": "1", "valid_from": "2000-01-01", "severity": "warning", "channels": "all", "enabled": "true"}
EMPATHY = RULE | {"rule": "empathy", "source": "metric", "measure": "empathy_score", "party": "agent"}
EMPATHY |= {"comparison": "below", "threshold": "70", "event_kind": "dismissive"}
NOT_ACKNOWLEDGED = pl.DataFrame(
    schema={"dedupe_key": pl.String, "acknowledged_by": pl.String, "acknowledged_at": pl.Datetime}
)
AGENTS = pl.DataFrame(
    {
        "agent_id": ["ann", "bob", "cy"],
        "name": ["Ann", "Bob", "Cy"],
        "team": ["north", "north", "south"],
        "supervisor_id": ["S1", "S1", None],
    }
)


@pytest.fixture
def seeds(tmp_path):
    """A folder of the project's seeds; `seeds(rules)` puts these alert rules into it."""

    def make(*rules: dict):
        folder = tmp_path / "seeds"
        shutil.copytree(PROJECT / "seeds", folder, dirs_exist_ok=True)
        lines = [",".join(rule.get(name, "") for name in HEADER) for rule in rules]
        (folder / "alert_rules.csv").write_text("\n".join([",".join(HEADER), *lines]) + "\n")
        return folder

    return make


def world(calls: list[dict], *, trends: list[dict] = (), acks: pl.DataFrame = NOT_ACKNOWLEDGED) -> dict:
    """The tables that alerts are made from; a call has `metrics` {(metric, party): value} and `events`."""
    interactions, metrics, events, scores = [], [], [], []
    for i, call in enumerate(calls):
        key = {"interaction_id": call.get("id", f"i{i}"), "call_date": call.get("day", MONDAY)}
        iqs = None if call.get("iqs") is None else Decimal(call["iqs"])
        interactions.append(key | {"agent_id": call.get("agent", "ann"), "team": "north", "iqs": iqs})
        metrics += [key | {"metric": m, "party": p, "value": v} for (m, p), v in call.get("metrics", {}).items()]
        events += [key | {"event": n} | e for n, e in enumerate(call.get("events", ()))]
        if iqs is not None:
            scores.append(
                key | {"basis": "as_scored", "iqs": iqs, "iqs_unfailed": iqs, "is_failed": call.get("failed", False)}
            )
    day = {"call_date": pl.Date}
    attempts = {"dedupe_key": pl.String, "status": pl.String, "attempted_at": pl.Datetime}
    return {
        "fct_interactions": pl.DataFrame(interactions, schema_overrides=day | {"iqs": POINTS}),
        "fct_metrics": pl.DataFrame(
            metrics,
            schema={"interaction_id": pl.String, "call_date": pl.Date}
            | {"metric": pl.String, "party": pl.String, "value": pl.Float64},
        ),
        "fct_events": pl.DataFrame(
            events,
            schema={"interaction_id": pl.String, "call_date": pl.Date, "event": pl.Int64, "kind": pl.String}
            | {"party": pl.String, "start_s": pl.Float64, "end_s": pl.Float64, "evidence": pl.String},
        ),
        "fct_call_scores": pl.DataFrame(
            scores,
            schema={"interaction_id": pl.String, "call_date": pl.Date, "basis": pl.String}
            | {"iqs": POINTS, "iqs_unfailed": POINTS, "is_failed": pl.Boolean},
        ),
        "fct_parameter_scores": pl.DataFrame(schema=day | {"interaction_id": pl.String, "basis": pl.String}),
        "trend_iqs": pl.DataFrame(
            list(trends), schema_overrides=dict.fromkeys(("iqs", "xmr_center"), POINTS) | {"coverage": pl.Decimal(9, 6)}
        )
        if trends
        else pl.DataFrame(schema={"dimension": pl.String}),
        "dim_agents": AGENTS,
        "stg_alert_acks": acks,
        "stg_alert_sightings": pl.DataFrame(schema={"dedupe_key": pl.String, "first_seen": pl.Datetime}),
        "alert_deliveries": pl.DataFrame(schema=attempts),
    }


def raised(models: SqlModels, folder, given: dict, columns: str = "*") -> list[tuple]:
    with models.run("alerts", given=given, seeds=folder) as connection:
        schema = models.models["alerts"].schema
        return connection.execute(f"select {columns} from iqs.{schema}.alerts order by dedupe_key").fetchall()


EMPATHIC = {("empathy_score", "agent"): 70.0}
COLD = {("empathy_score", "agent"): 69.9}
UNHAPPY = {("sentiment_mean", "customer"): -0.4}
CONTENT = {("sentiment_mean", "customer"): 0.1}


def test_a_value_below_the_threshold_is_an_alert_and_the_threshold_itself_is_none(models, seeds):
    given = world([{"metrics": EMPATHIC}, {"metrics": COLD}, {"metrics": {}}])
    found = raised(models, seeds(EMPATHY), given, "dedupe_key, value, threshold, route, agent_name, acknowledged")
    assert found == [("empathy:i1", 69.9, 70.0, "S1", "Ann", False)]


def test_a_condition_keeps_the_rule_to_customers_who_were_unhappy(models, seeds):
    rule = EMPATHY | {"where_measure": "sentiment_mean", "where_party": "customer", "where_comparison": "below"}
    rule |= {"where_threshold": "-0.15"}
    given = world([{"metrics": COLD | CONTENT}, {"metrics": COLD | UNHAPPY}, {"metrics": COLD}])
    found = raised(models, seeds(rule), given, "dedupe_key, evidence")
    assert found == [("empathy:i1", "customer sentiment_mean -0.40")]


def test_the_evidence_is_what_was_said_longest_before_what_was_reckoned(models, seeds):
    events = [
        {"kind": "dismissive", "party": "call", "start_s": 0.0, "end_s": 90.0, "evidence": "reckoned"},
        {"kind": "dismissive", "party": "agent", "start_s": 5.0, "end_s": 6.0, "evidence": "No."},
        {"kind": "dismissive", "party": "agent", "start_s": 9.0, "end_s": 14.0, "evidence": "That is the policy."},
        {"kind": "empathy", "party": "agent", "start_s": 20.0, "end_s": 60.0, "evidence": "I am sorry."},
    ]
    given = world([{"metrics": COLD, "events": events}])
    found = raised(models, seeds(EMPATHY), given, "evidence, evidence_start_s, evidence_end_s")
    assert found == [("That is the policy.", 9.0, 14.0)]


def test_a_new_version_holds_from_its_first_day_on_and_changes_no_alert_of_before(models, seeds):
    second = EMPATHY | {"version": "2", "valid_from": "2026-03-04", "threshold": "80"}
    third = EMPATHY | {"version": "3", "valid_from": "2026-03-06", "enabled": "false"}
    calls = [
        {"id": f"d{n}", "day": MONDAY + timedelta(days=n), "metrics": {("empathy_score", "agent"): 75.0}}
        for n in range(6)
    ]
    found = raised(models, seeds(EMPATHY, second, third), world(calls), "interaction_id, version, threshold")
    assert found == [("d2", 2, 80.0), ("d3", 2, 80.0)]


def test_iqs_and_flags_are_rules_too(models, seeds):
    low = RULE | {"rule": "iqs", "source": "iqs", "measure": "iqs", "comparison": "below", "threshold": "60"}
    failed = RULE | {"rule": "failed", "source": "flag", "measure": "is_failed", "comparison": "at_least"}
    failed |= {"threshold": "1"}
    calls = [{"iqs": "59.9999"}, {"iqs": "60"}, {"iqs": "0", "failed": True}, {"iqs": None}]
    found = raised(models, seeds(low, failed), world(calls), "dedupe_key")
    assert found == [("failed:i2",), ("iqs:i0",), ("iqs:i2",)]


def trend(**given) -> dict:
    plain = {"dimension": "agent", "value": "ann", "period": "week", "period_start": MONDAY, "basis": "as_scored"}
    plain |= {"n": 12, "received": 12, "quarantined": 0, "iqs": Decimal("70"), "xmr_center": Decimal("80")}
    plain |= {"dip": True, "dip_rule": "below the lower limit", "is_complete": True, "coverage": Decimal("1")}
    return plain | given


def test_dips_are_alerts_of_the_agent_where_they_are_deep_and_rest_on_enough(models, seeds):
    rule = RULE | {"rule": "agent_dip", "source": "dip", "measure": "agent", "period": "week", "calls_at_least": "10"}
    rule |= {"comparison": "at_least", "threshold": "3"}
    trends = [
        trend(),
        trend(value="bob", iqs=Decimal("77.5")),
        trend(value="cy", n=9),
        trend(period="day"),
        trend(value="dee", is_complete=False),
        trend(value="eve", dip=False),
    ]
    found = raised(models, seeds(rule), world([{}], trends=trends), "dedupe_key, value, route, agent_id, iqs, evidence")
    words = "IQS 70.0000, usually 80.0000, 12 interactions: below the lower limit"
    assert found == [("agent_dip:ann@2026-03-02", 10.0, "S1", "ann", Decimal("70.0000"), words)]


def test_low_coverage_is_an_alert_and_a_team_goes_to_its_only_supervisor(models, seeds):
    rule = RULE | {"source": "coverage", "period": "day", "comparison": "below", "threshold": "0.7"}
    rules = [
        rule | {"rule": "coverage", "measure": "all", "calls_at_least": "10"},
        rule | {"rule": "team_coverage", "measure": "team", "calls_at_least": "10"},
    ]
    low = {"period": "day", "coverage": Decimal("0.5"), "n": 10, "received": 20, "quarantined": 4}
    trends = [
        trend(dimension="all", value="all", **low),
        trend(dimension="team", value="north", **low),
        trend(dimension="team", value="south", **(low | {"received": 9})),
    ]
    found = raised(models, seeds(*rules), world([{}], trends=trends), "dedupe_key, route, evidence")
    words = "10 of 20 interactions scored, 4 in quarantine"
    assert found == [("coverage:all@2026-03-02", None, words), ("team_coverage:north@2026-03-02", "S1", words)]


def test_the_first_acknowledgement_stands(models, seeds):
    acks = pl.DataFrame(
        {
            "dedupe_key": ["empathy:i0", "empathy:i0"],
            "acknowledged_by": ["later", "first"],
            "acknowledged_at": [datetime(2026, 3, 4), datetime(2026, 3, 3)],
        }
    )
    given = world([{"metrics": COLD}], acks=acks)
    found = raised(models, seeds(EMPATHY), given, "acknowledged, acknowledged_by, acknowledged_at")
    assert found == [(True, "first", datetime(2026, 3, 3))]


@pytest.mark.parametrize(
    ("change", "fires"),
    [
        ({}, True),
        ({"measure": "empathy"}, False),
        ({"comparison": "<"}, False),
        ({"threshold": ""}, False),
        ({"severity": "red"}, False),
        ({"source": "metrics"}, False),
        ({"source": "parameter", "measure": "empathy"}, True),
        ({"source": "dip", "measure": "agent"}, False),
        ({"source": "dip", "measure": "agent", "period": "week"}, True),
        ({"where_measure": "sentiment", "where_comparison": "below", "where_threshold": "0"}, False),
        ({"where_measure": "sentiment_mean", "where_comparison": "below"}, False),
        ({"measure": "empathy", "enabled": "false"}, True),
    ],
)
def test_a_rule_that_could_never_fire_is_refused(models, seeds, change, fires):
    sql = jinja2.Template((PROJECT / "tests" / "assert_alert_rules_can_fire.sql").read_text()).render(
        ref=lambda name: name, dimensions=lambda: {"all": 1, "agent": 1, "team": 1, "campaign": 1}
    )
    path = seeds(EMPATHY | change) / "alert_rules.csv"
    with duckdb.connect() as connection:
        connection.execute(
            f"create table alert_rules as select * replace (cast(enabled as boolean) as enabled)"
            f" from read_csv('{path}', all_varchar = true);"
            "create table dim_metrics as select unnest(['empathy_score', 'sentiment_mean']) as metric;"
            "create table dim_parameters as select 'empathy' as parameter"
        )
        assert (connection.execute(sql).fetchall() == []) == fires


# --- coaching
def progress(models: SqlModels, coachings: list[tuple], scores: list[tuple]) -> list[dict]:
    """`scores` are (agent, day after MONDAY, score) of empathy; `coachings` (agent, day, parameter)."""
    rows = [
        {"interaction_id": f"i{i}", "call_date": MONDAY + timedelta(days=day), "agent_id": agent, "status": "scored"}
        for i, (agent, day, _) in enumerate(scores)
    ]
    given = {
        "fct_interactions": pl.DataFrame(rows),
        "fct_parameter_scores": pl.DataFrame(
            [
                {n: row[n] for n in ("interaction_id", "call_date")}
                | {"basis": "restated", "parameter": "empathy", "score": Decimal(str(score))}
                for row, (_, _, score) in zip(rows, scores, strict=True)
            ],
            schema_overrides={"score": POINTS},
        ),
        "fct_call_scores": pl.DataFrame(schema={"interaction_id": pl.String, "call_date": pl.Date}),
        "dim_parameters": pl.DataFrame({"parameter": ["empathy"]}),
        "dim_agents": AGENTS,
        "stg_coaching": pl.DataFrame(
            [
                {"agent_id": a, "coached_on": MONDAY + timedelta(days=d), "parameter": p, "coach_id": "C1"}
                for a, d, p in coachings
            ]
        ),
    }
    with models.run("coaching_progress", given=given) as connection:
        schema = models.models["coaching_progress"].schema
        cursor = connection.execute(f"select * from iqs.{schema}.coaching_progress order by agent_id, coached_on")
        names = [c[0] for c in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


BEFORE, AFTER = [40, 50, 60, 50, 50], [70, 80, 90, 80, 80]


def test_progress_is_after_less_before_with_welchs_interval_beside_the_peers(models):
    scores = [("ann", n, s) for n, s in enumerate(BEFORE)] + [("ann", 11 + n, s) for n, s in enumerate(AFTER)]
    scores += [("ann", 10, 0)]  # the day of the coaching counts on neither side
    scores += [("bob", 1, 60), ("bob", 12, 65), ("cy", 100, 0)]
    (row,) = progress(models, [("ann", 10, "empathy")], scores)
    assert (row["n_before"], row["n_after"], row["change"]) == (5, 5, Decimal("30.0000"))
    # s² = 50 on both sides: standard error sqrt(50/5 + 50/5) = 4.472 with 8 degrees, t = 2.306
    assert (float(row["change_low"]), float(row["change_high"])) == pytest.approx((19.687, 40.313), abs=0.01)
    assert (row["n_peers_before"], row["peers_change"]) == (1, Decimal("5.0000"))
    assert row["change_beside_peers"] == Decimal("25.0000")
    assert (row["outcome"], row["is_complete"]) == ("better", True)


def test_another_coaching_ends_the_days_and_a_coached_agent_is_no_peer(models):
    scores = [("ann", n, 50) for n in range(5)] + [("ann", n, 90) for n in range(21, 26)]
    scores += [("bob", 1, 10), ("bob", 15, 90), ("cy", 1, 40), ("cy", 15, 40)]
    rows = progress(models, [("ann", 10, "empathy"), ("ann", 20, "empathy"), ("bob", 8, "empathy")], scores)
    first, second, _ = rows
    assert (first["last_day"], first["n_after"], first["outcome"]) == (date(2026, 3, 21), 0, "too_few")
    assert (second["first_day"], second["n_before"]) == (date(2026, 3, 13), 0)
    assert (first["n_peers_before"], first["peers_change"]) == (1, Decimal("0.0000"))


def test_a_fall_a_flat_line_too_few_and_an_unknown_parameter_are_told_apart(models):
    scores = [("ann", n, s) for n, s in enumerate(AFTER)] + [("ann", 11 + n, s) for n, s in enumerate(BEFORE)]
    scores += [("bob", n, s) for n, s in enumerate(BEFORE)] + [("bob", 11 + n, s) for n, s in enumerate(BEFORE)]
    scores += [("cy", 1, 50), ("cy", 12, 90)]
    coachings = [("ann", 10, "empathy"), ("bob", 10, "empathy"), ("cy", 10, "empathy"), ("dee", 10, "charm")]
    outcomes = [r["outcome"] for r in progress(models, coachings, scores)]
    assert outcomes == ["worse", "no_clear_change", "too_few", "unknown_parameter"]
