"""dbt's arithmetic against the oracle; rebuilt days; equal dumps; refused rules; checks that bite."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from datetime import time, timedelta
from decimal import Decimal
from fractions import Fraction

import duckdb
import pytest
import yaml
from damages import DAMAGES, FAMILIES, bad_row_problem, complaints, generic_tests, singular_tests
from dbt_lake import MONDAY, PROJECT, Call, Ticket, write_day, write_lake, write_tickets
from oracle import Resolution, Rules, half_up, mean_iqs, resolutions

from pipelines.contracts import all_tables
from pipelines.contracts.metrics import METRICS

ADDED_IN_SQL = ("resolved", "repeat_within_7d")

# Up to the sums that all trends are made from; what comes after them is built anew each time.
SCORES = ("--select", "+int_group_days")
NO_CHECKS = ("--exclude-resource-type", "unit_test", "--exclude-resource-type", "test")
RULES = Rules(PROJECT / "seeds")
KNOTS = {
    m: [x for x, _ in knots]
    for curves in RULES.curves.values()
    for m, versions in curves.items()
    for knots in versions.values()
}


def random_values(rng: random.Random) -> dict[tuple[str, str], float]:
    """Metric values as Python measures them: knots, values between them and beyond, some missing."""
    values = {}
    for metric in METRICS.values():
        for party in metric.parties:
            if metric.id in ADDED_IN_SQL or rng.random() < 0.2:
                continue
            knots = [float(x) for x in KNOTS.get(metric.id, (0, 1))]
            low = metric.at_least if metric.at_least is not None else knots[0] - 5
            high = metric.at_most if metric.at_most is not None else knots[-1] + 5
            value = rng.choice(knots) if rng.random() < 0.2 else rng.uniform(low, high)
            values[metric.id, party] = min(max(value, low), high)
    if ("resolved_evidence", "call") in values:
        values["resolved_evidence", "call"] = float(rng.random() < 0.6)
    values["zero_tolerance_hits", "agent"] = float(rng.random() < 0.1)
    return values


def random_calls(n: int, *, days: int, seed: int = 7) -> list[Call]:
    rng = random.Random(seed)
    calls = []
    for i in range(n):
        outcome = rng.choices(("eligible", "excluded", "quarantined"), (8, 1, 1))[0]
        calls.append(
            Call(
                f"c{i:03}",
                MONDAY + timedelta(days=rng.randrange(days)),
                random_values(rng),
                outcome=outcome,
                reason={"excluded": "too_short", "quarantined": "empty"}.get(outcome),
                at=time(rng.randrange(24), rng.randrange(60)),
                channel=rng.choice(("call", "call", "chat", "email", "social")),
                call_type=rng.choice(("support", "cancellation", None)),
                agent=rng.choice(("007", "008", "009", None)),
                campaign=rng.choice(("retail", "bank")),
                issue_type=rng.choice(("billing_dispute", "payment", "other", None)),
                customer=rng.choice((*(f"k{k}" for k in range(n // 10)), None)),
                transferred_at=None,
                ticket=rng.choice(("t1", "t2", *[None] * 18)),
                hold_s=rng.choice((None, 30.0)),
                acw_s=rng.choice((None, 20.0)),
            )
        )
    return [
        replace(
            c,
            issue_type=None if c.outcome == "quarantined" else c.issue_type,  # it is inferred from the words
            ended_at=c.started_at + timedelta(seconds=rng.randrange(900)) if c.channel == "chat" else None,
            transferred_at=c.started_at + timedelta(minutes=5) if rng.random() < 0.1 else None,
        )
        for c in calls
    ]


def random_tickets(calls: list[Call], n: int, seed: int = 5) -> list[Ticket]:
    """Tickets of some of the calls, by every kind of link, in every state."""
    rng = random.Random(seed)
    tickets = []
    for i in range(n):
        call = rng.choice(calls)
        opened_at = call.started_at + timedelta(hours=rng.randrange(-40, 40))
        resolved_at = rng.choice((None, opened_at + timedelta(hours=rng.randrange(400))))
        reopened_at = resolved_at + timedelta(hours=rng.randrange(200)) if resolved_at and rng.random() < 0.4 else None
        linked = rng.random() < 0.5
        tickets.append(
            Ticket(
                f"t{i}",
                interaction=call.id if linked else None,
                customer=None if linked else call.customer,
                issue_type=None if linked else call.issue_type,
                status=rng.choice((None, "open", "Closed", "reopened")),
                opened_at=rng.choice((opened_at, None)),
                resolved_at=resolved_at,
                reopened_at=reopened_at,
            )
        )
    return tickets


def as_fraction(value: Decimal | None) -> Fraction | None:
    return None if value is None else Fraction(value)


def expected_resolutions(calls: list[Call]):
    return resolutions(calls, random_tickets(calls, 40), enough=int(RULES.settings["aht_median_at_least"]))


def expected_scores(calls: list[Call], basis: str):
    known = expected_resolutions(calls)
    return {
        c.id: score
        for c in calls
        if c.outcome == "eligible"
        and (
            score := RULES.score(
                c.values | known[c.id].values,
                channel=c.channel,
                call_type=c.call_type,
                day=c.day if basis == "as_scored" else None,
            )
        )
    }


@pytest.fixture(scope="module")
def calls() -> list[Call]:
    return random_calls(150, days=12)


@pytest.fixture(scope="module")
def built(project, calls):
    """The project, built whole from random calls, with its unit tests. Tests that use it only read."""
    project.clean()
    write_lake(project.lake, calls, random_tickets(calls, 40))
    assert project.build(days=[]) == {}
    return project


def test_every_interaction_scores_what_the_oracle_says(built, calls):
    for basis in ("as_scored", "restated"):
        rows = built.query(
            "select interaction_id, scorecard, scorecard_version, iqs, iqs_unfailed, fail_reason"
            f" from marts.fct_call_scores where basis = '{basis}'"
        ).rows()
        got = {r[0]: (r[1], r[2], as_fraction(r[3]), as_fraction(r[4]), r[5]) for r in rows}
        expected = {
            i: (s.scorecard, s.version, s.iqs, s.unfailed, s.fail_reason)
            for i, s in expected_scores(calls, basis).items()
        }
        assert got == expected


def test_every_parameter_scores_and_contributes_what_the_oracle_says(built, calls):
    expected = expected_scores(calls, "as_scored")
    rows = built.query(
        "select interaction_id, parameter, score, contribution from marts.fct_parameter_scores"
        " where basis = 'as_scored'"
    ).rows()
    assert len(rows) > 1000
    for interaction, parameter, score, contribution in rows:
        should = expected[interaction].parameters.get(parameter)
        assert as_fraction(score) == (should and should[0]), (interaction, parameter)
        if should:
            # what rounding left over went to one of at most 16 contributions
            assert abs(as_fraction(contribution) - should[1]) <= Fraction(16, 10_000)


def test_every_group_has_the_mean_of_its_interactions(built, calls):
    scores = expected_scores(calls, "as_scored")
    starts = {
        "day": lambda d: d,
        "week": lambda d: d - timedelta(days=d.weekday()),
        "month": lambda d: d.replace(day=1),
    }
    attribute = {
        "all": lambda c: "all",
        "agent": lambda c: c.agent or "unknown",
        "campaign": lambda c: c.campaign,
        "channel": lambda c: c.channel,
        "call_type": lambda c: c.call_type or "unknown",
    }
    rows = built.query(
        "select dimension, value, period, period_start, received, n, score_sum, iqs, iqs_sd, iqs_low, iqs_high"
        " from trends.trend_iqs where basis = 'as_scored'"
    ).rows()
    seen = 0
    for dimension, value, period, start, received, n, total, iqs, sd, low, high in rows:
        if dimension not in attribute:
            continue
        group = [c for c in calls if attribute[dimension](c) == value and starts[period](c.day) == start]
        group_scores = [scores[c.id].iqs for c in group if c.id in scores]
        assert (received, n) == (len(group), len(group_scores))
        assert as_fraction(total) == sum(group_scores, Fraction(0))
        assert as_fraction(iqs) == mean_iqs(group_scores)
        if n > 1:
            mean = sum(group_scores) / n
            variance = sum((s - mean) ** 2 for s in group_scores) / (n - 1)
            assert float(sd) == pytest.approx(float(variance) ** 0.5, abs=1e-4)
            assert 0 <= low <= iqs <= high <= 100
        else:
            assert sd is None
            assert low is None
        seen += 1
    assert seen > 150


def test_five_calls_of_the_worked_example_have_the_mean_52_97():
    scores = [Fraction(s) for s in ("100", "9.91", "63.96", "90.99", "0")]
    assert half_up(mean_iqs(scores), 2) == Fraction("52.97")


def test_the_change_between_two_weeks_splits_into_behaviour_and_mix(built, calls):
    scores = expected_scores(calls, "as_scored")
    weeks = {0: {}, 1: {}}
    for c in calls:
        if c.id in scores and (c.day - MONDAY).days // 7 in weeks:
            weeks[(c.day - MONDAY).days // 7].setdefault(c.issue_type, []).append(scores[c.id].iqs)
    before, after = weeks[0], weeks[1]
    n0, n1 = (sum(map(len, w.values())) for w in (before, after))
    behaviour = sum(
        (Fraction(len(after[i]), n1) + Fraction(len(before[i]), n0))
        / 2
        * (sum(after[i]) / len(after[i]) - sum(before[i]) / len(before[i]))
        for i in before.keys() & after.keys()
    )
    row = built.query(
        "select change, behaviour, mix, scorecard, extractor from trends.insight_change"
        " where dimension = 'all' and period = 'week'"
    ).row(0)
    change = sum(sum(s) for s in after.values()) / n1 - sum(sum(s) for s in before.values()) / n0
    assert float(row[0]) == pytest.approx(float(change), abs=2e-4)
    assert float(row[1]) == pytest.approx(float(behaviour), abs=2e-4)
    assert row[1] + row[2] + row[3] + row[4] == row[0]


def test_every_interaction_that_came_in_has_one_row_and_the_ledger_reconciles(built, calls):
    rows = built.query("select interaction_id, status, reason from marts.fct_interactions").rows()
    assert sorted(r[0] for r in rows) == sorted(c.id for c in calls)
    scores = expected_scores(calls, "as_scored")
    for interaction, status, reason in rows:
        call = next(c for c in calls if c.id == interaction)
        if call.outcome == "eligible":
            assert (status, reason) == (("scored", None) if interaction in scores else (status, reason))
            assert (status == "scored") == (interaction in scores)
        else:
            assert (status, reason) == (call.outcome, call.reason)
    assert built.query("select count(*) from ops.ops_ledger where not reconciles").item() == 0
    assert built.query("select sum(received) from ops.ops_ledger").item() == len(calls)


def test_resolution_is_what_the_oracle_says(built, calls):
    expected = expected_resolutions(calls)
    rows = built.query(
        "select interaction_id, resolved, resolved_source, repeats_within_7d, is_mature, aht_ratio"
        " from marts.fct_interactions where status <> 'quarantined'"
    ).rows()
    got = {r[0]: Resolution(*r[1:]) for r in rows}
    assert got == expected
    sources = {r.source for r in expected.values()}
    assert sources == {"ticket", "repeat_contact", "no_repeat_contact", "evidence", None}
    assert {r.is_mature for r in expected.values()} == {True, False}
    assert sum(r.aht_ratio is not None for r in expected.values()) > 30


def test_metrics_say_of_resolution_what_the_interactions_say(built, calls):
    expected = expected_resolutions(calls)
    rows = built.query(
        "select interaction_id, metric, value, reason is null from marts.fct_metrics"
        " where metric in ('resolved', 'repeat_within_7d')"
    ).rows()
    assert len(rows) == 2 * len(expected)
    for interaction, metric, value, has_value in rows:
        known = expected[interaction]
        assert value == (known.resolved if metric == "resolved" else known.repeats)
        assert has_value == (value is not None)


def test_marts_hold_only_types_that_bi_tools_read_and_every_column_is_described(built):
    rows = built.query(
        "select schema_name || '.' || table_name || '.' || column_name as name, data_type, comment"
        " from duckdb_columns() where schema_name in ('marts', 'trends', 'ops', 'restricted')"
    ).rows()
    assert len(rows) > 300
    plain = {"VARCHAR", "BIGINT", "DOUBLE", "DATE", "TIMESTAMP", "BOOLEAN"}
    for name, data_type, comment in rows:
        precision = data_type.removeprefix("DECIMAL(").split(",")[0]
        assert data_type in plain or (data_type.startswith("DECIMAL(") and int(precision) <= 18), name
        assert comment, f"{name} has no description"


def test_the_sources_are_the_tables_of_the_contracts():
    declared = yaml.safe_load((PROJECT / "models/staging/_sources.yml").read_text())["sources"]
    names = {
        f"{s['name']}/{t['name']}": "date=*" in t.get("config", s.get("config"))["meta"]["external_location"]
        for s in declared
        for t in s["tables"]
        if s["name"] != "ops"
    }
    assert names == {t.name: t.daily for t in all_tables().values()}


@pytest.mark.parametrize(("test", "damage"), DAMAGES)
def test_a_singular_test_finds_the_damage_and_without_it_nobody_outside_its_family_would(built, tmp_path, test, damage):
    tests = singular_tests(built)
    shutil.copy(built.warehouse, tmp_path / "iqs.duckdb")
    with duckdb.connect(str(tmp_path / "iqs.duckdb")) as connection:
        assert complaints(connection, tests) == set()
        connection.execute(damage)
        noticed = complaints(connection, tests)
    assert test in noticed
    assert noticed - {test} <= FAMILIES.get(test, set())


def test_every_singular_test_is_shown_to_bite():
    assert {test for test, _ in DAMAGES} == {f.stem for f in (PROJECT / "tests").glob("*.sql")}


def test_every_generic_test_finds_its_bad_row_and_without_it_nobody_outside_its_family_would(built):
    tests = generic_tests(built)
    assert len(tests) > 40
    with duckdb.connect(str(built.warehouse), read_only=True) as connection:
        problems = {t.name: problem for t in tests if (problem := bad_row_problem(connection, t, tests))}
    assert problems == {}


@pytest.mark.promise
def test_a_rebuilt_day_replaces_itself_and_order_and_threads_change_nothing(dbt):
    days = [MONDAY + timedelta(days=i) for i in range(3)]
    calls = random_calls(40, days=3, seed=3)
    lake = write_lake(dbt.lake, calls)
    assert dbt.build(*NO_CHECKS, days=[]) == {}
    whole = dbt.dump()

    # a day comes again without some of its interactions, another one is emptied
    write_day(lake, days[1], [c for c in calls if c.day == days[1]][::2])
    write_day(lake, days[2], [])
    assert dbt.build("--selector", "daily", days=days[1:]) == {}
    changed = dbt.dump()
    kept = {c.id for c in calls if c.day == days[0]} | {c.id for c in calls if c.day == days[1]} - {
        c.id for c in [c for c in calls if c.day == days[1]][1::2]
    }
    assert {r[0] for r in changed["marts.fct_interactions"]} == kept
    # of the day before only what later contacts tell may differ
    day_0 = [
        [r for r in dump["marts.fct_metrics"] if r[1] == days[0] and r[2] not in ADDED_IN_SQL]
        for dump in (whole, changed)
    ]
    assert len(day_0[0]) > 500
    assert day_0[0] == day_0[1]

    # the days as they were, one by one, the last first, on one thread
    for day in reversed(days[1:]):
        write_day(lake, day, [c for c in calls if c.day == day])
        assert dbt.build("--selector", "daily", *NO_CHECKS, days=[day], threads=1) == {}
    assert dbt.dump() == whole


def said_to_be_resolved(id: str, day: int, **more) -> Call:
    values = {("resolved_evidence", "call"): 1.0, ("empathy_score", "agent"): 80.0}
    return Call(id, MONDAY + timedelta(days=day), values, customer="k", **more)


def resolution_of(dbt, id: str) -> tuple:
    return dbt.query(
        "select cast(i.resolved as integer), i.resolved_source, i.is_mature, cast(s.score as integer), m.value"
        " from marts.fct_interactions i join marts.fct_parameter_scores s using (interaction_id)"
        f" join marts.fct_metrics m using (interaction_id) where interaction_id = '{id}'"
        " and s.basis = 'as_scored' and s.parameter = 'resolution' and m.metric = 'repeat_within_7d'"
    ).row(0)


@pytest.mark.promise
def test_later_days_change_what_is_known_of_a_call_and_its_score(dbt):
    lake = write_lake(dbt.lake, [said_to_be_resolved("first", 0), said_to_be_resolved("other", 0, issue_type="x")])
    assert dbt.build(*NO_CHECKS, *SCORES, days=[]) == {}
    assert resolution_of(dbt, "first") == (1, "evidence", False, 100, 0)

    # the same customer calls again three days later
    write_day(lake, MONDAY + timedelta(days=3), [said_to_be_resolved("again", 3)])
    assert dbt.build(*NO_CHECKS, *SCORES, days=[MONDAY + timedelta(days=3)]) == {}
    assert resolution_of(dbt, "first") == (0, "repeat_contact", False, 0, 1)
    assert resolution_of(dbt, "other") == (1, "evidence", False, 100, 0)

    # nothing comes in for three weeks: the windows have closed when the next day does
    write_day(lake, MONDAY + timedelta(days=24), [said_to_be_resolved("late", 24)])
    assert dbt.build(*NO_CHECKS, *SCORES, days=[MONDAY + timedelta(days=24)]) == {}
    assert resolution_of(dbt, "first") == (0, "repeat_contact", True, 0, 1)
    assert resolution_of(dbt, "other") == (1, "no_repeat_contact", True, 100, 0)

    # a ticket tells otherwise, of a day that is not built again itself
    reopened = said_to_be_resolved("other", 0).started_at + timedelta(days=2)
    write_tickets(lake, [Ticket("t", "other", resolved_at=reopened - timedelta(days=1), reopened_at=reopened)])
    assert dbt.build(*NO_CHECKS, *SCORES, days=[MONDAY + timedelta(days=24)]) == {}
    assert resolution_of(dbt, "other") == (0, "ticket", True, 0, 0)

    piecewise = dbt.dump()
    assert dbt.build("--full-refresh", *NO_CHECKS, *SCORES, days=[]) == {}
    assert dbt.dump() == piecewise


def test_a_run_that_dies_before_the_scores_leaves_the_day_to_the_next_run(dbt):
    lake = write_lake(dbt.lake, [said_to_be_resolved("first", 0)])
    assert dbt.build(*NO_CHECKS, *SCORES, days=[]) == {}
    later = MONDAY + timedelta(days=3)
    write_day(lake, later, [said_to_be_resolved("again", 3)])
    # as far as the list of changed days, and no further
    assert dbt.build("--select", "+int_changed_days,config.materialized:incremental", *NO_CHECKS, days=[later]) == {}
    assert dbt.build(*NO_CHECKS, *SCORES, days=[later]) == {}
    assert resolution_of(dbt, "first") == (0, "repeat_contact", False, 0, 1)


REFUSED = {
    "scorecard_weights": [
        ("voice_support,1,empathy,14,", "voice_support,1,empathy,15,"),
        ("text_support,1,readability", "text_support,1,legibility"),
        ("voice_cancellation,1,volume,4,false", "voice_cancellation,1,volume,4,perhaps"),
        ("text_support,1,zero_tolerance,0,true,100", "text_support,1,zero_tolerance,0,true,"),
    ],
    "scorecards": [
        ("voice_cancellation,call,cancellation,1,2000-01-01", "voice_cancellation,call,*,1,2000-01-01"),
        ("text_support,chat,*,1,2000-01-01", "text_support,chat,*,1,2000-01-01\ntext_support,chat,*,2,1999-01-01"),
        ("text_support,social,*,1", "text_support,fax,*,1"),
    ],
    "score_curves": [
        (
            "readability,readability,100,100,2000-01-01",
            "readability,readability,100,101,soon\nlegibility,x,1,1,2000-01-01",
        )
    ],
}


def test_bad_rules_are_refused_before_anything_is_written_with_the_row_named(dbt, tmp_path):
    write_lake(dbt.lake, [Call("a", values={("empathy_score", "agent"): 80.0})])
    (tmp_path / "seeds").mkdir()
    copies = []
    for name, edits in REFUSED.items():
        text = (PROJECT / "seeds" / f"{name}.csv").read_text()
        for old, new in edits:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        (tmp_path / "seeds" / f"{name}.csv").write_text(text)
        seed = f"seed.iqs.{name}"
        copies += [(dbt.manifest.nodes[seed], dbt.manifest.flat_graph["nodes"][seed])]
    root = copies[0][0].root_path
    try:
        for node, flat in copies:
            node.root_path = flat["root_path"] = str(tmp_path)
        result = dbt.invoke("build")
    finally:
        for node, flat in copies:
            node.root_path = flat["root_path"] = root
    message = str(result.exception or [r.message for r in result.result])
    for sentence in (
        "rows 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15: the weights of voice_support version 1 sum to 101.0000 %",
        "scorecard_weights.csv row 37: text_support version 1 names the unknown parameter legibility",
        "scorecard_weights.csv row 17: voice_cancellation version 1 volume says perhaps in is_critical",
        "scorecard_weights.csv row 38: text_support version 1 zero_tolerance is critical but has no threshold",
        "scorecards.csv rows 2 and 3: voice_support version 1 and voice_cancellation version 1 are all valid for call",
        "scorecards.csv row 5: text_support version 2 for chat * is valid from 1999-01-01, not after version 1 (row 4,",
        "scorecards.csv row 5: text_support version 2 has no rows in scorecard_weights.csv",
        "scorecards.csv row 7: text_support version 1 is for the channel fax",
        "a curve of the unknown parameter legibility",
        "the curve of readability for readability has the score 101",
        "the curve of readability for readability is valid from soon; it takes a date",
    ):
        assert sentence in message
    assert dbt.query("select count(*) from information_schema.tables").item() == 0
