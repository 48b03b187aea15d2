"""The gate reads the ledger itself: whatever stands in the way of a publication is said in a sentence."""

import json
from dataclasses import replace
from datetime import date

import duckdb
import pytest

from pipelines.contracts import all_tables, conversation
from pipelines.contracts.landing import AGENTS, DAYS, INTERACTIONS
from pipelines.contracts.metrics import OUTCOMES
from pipelines.lake import Lake
from pipelines.publishing import gate as gate_module
from pipelines.publishing.gate import RULES, GateDecision, clear_stale, gate, refuse, stale
from pipelines.publishing.generations import history
from pipelines.quality.checks import required_checks
from pipelines.quality.ledger import record
from pipelines.quality.outcomes import outcome
from pipelines.warehouse import BuildState, Warehouse

FIRST, SECOND = date(2026, 3, 2), date(2026, 3, 3)
TURNS = conversation.TURNS
REQUIRED = required_checks()


def interactions(day, n):
    return INTERACTIONS.frame(
        [{"interaction_id": f"{day}-{i}", "call_date": day, "source_file": "i.csv"} for i in range(n)]
    )


def write(lake, table, frame, day=None, *, passes=True, run="run-1"):
    """Write a partition, with the outcomes of its required checks in the ledger."""
    manifest = lake.write(table, frame, day, inputs="i")
    if passes:
        record(lake.root, run, [passed(table, day, name, manifest) for name in REQUIRED[table.name]])
    return manifest


def passed(table, day, name, manifest, failing=0):
    return outcome(table, day, name, failing, 10, fingerprint=manifest.fingerprint)


def turns(end_s):
    return TURNS.frame([{"interaction_id": "x", "turn": 0, "party": "agent", "start_s": 0.0, "end_s": end_s}])


def build(warehouse, ledger="select * from (values (date '2026-03-02', 3, 1, 1, 1), (date '2026-03-03', 3, 3, 0, 0))"):
    """What a successful build leaves: ops_ledger, and the days that were loaded."""
    warehouse.path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(warehouse.path)) as connection:
        connection.execute("create schema if not exists ops")
        connection.execute(
            "create or replace table ops.ops_ledger as select * from "
            f"({ledger}) t(call_date, received, scored, excluded, quarantined)"
        )
    state = BuildState("success", "2026-03-04T00:00:00+00:00", (), warehouse.day_fingerprints())
    state.write(warehouse.path)
    return state


@pytest.fixture
def sound(tmp_path):
    """Two checked days, loaded by a successful build."""
    lake = Lake(tmp_path / "lake")
    for day in (FIRST, SECOND):
        write(lake, INTERACTIONS, interactions(day, 3), day)
        write(lake, TURNS, turns(1.0), day)
        write(lake, OUTCOMES, OUTCOMES.empty(), day)
    write(lake, AGENTS, AGENTS.empty())
    days = [{"call_date": d, "interactions": 3, "day_key": "k"} for d in (FIRST, SECOND)]
    write(lake, DAYS, DAYS.frame(days))
    warehouse = Warehouse(tmp_path / "warehouse" / "iqs.duckdb", lake, tmp_path)
    build(warehouse)
    return warehouse


def refusals(warehouse):
    decision = gate(warehouse, REQUIRED)
    assert decision.passed is (decision.refusals == ())
    return list(decision.refusals)


def test_what_is_checked_built_and_adds_up_passes(sound):
    assert gate(sound, REQUIRED) == GateDecision(True)


def test_a_warehouse_that_was_never_built_is_refused(tmp_path):
    empty = Warehouse(tmp_path / "w" / "iqs.duckdb", Lake(tmp_path / "lake"), tmp_path)
    assert refusals(empty) == ["The warehouse was never built."]


def test_a_failed_build_is_refused_with_what_failed(sound):
    state = replace(BuildState.read(sound.path), status="failed", failed=("assert_weights_sum_to_one",))
    state.write(sound.path)
    assert refusals(sound) == ["The last build of the warehouse failed: assert_weights_sum_to_one."]


def test_a_failed_blocking_check_on_what_is_loaded_is_refused(sound):
    manifest = sound.lake.manifest(TURNS, FIRST)
    record(sound.lake.root, "run-2", [passed(TURNS, FIRST, "turns_end_after_they_start", manifest, failing=3)])
    assert "conversation/turns of 2026-03-02 failed its checks: turns_end_after_they_start (3 of 10 rows)." in refusals(
        sound
    )


def test_a_check_that_passed_later_on_the_same_content_passes(sound):
    manifest = sound.lake.manifest(TURNS, FIRST)
    for failing in (3, 0):
        record(
            sound.lake.root, f"run-{failing}", [passed(TURNS, FIRST, "turns_end_after_they_start", manifest, failing)]
        )
    assert refusals(sound) == []


def test_a_warning_does_not_stand_in_the_way(sound):
    manifest = sound.lake.manifest(TURNS, FIRST)
    warning = outcome(TURNS, FIRST, "pace_is_odd", 3, 9, fingerprint=manifest.fingerprint, blocking=False)
    record(sound.lake.root, "run-2", [warning])
    assert refusals(sound) == []


def test_a_partition_that_was_refused_by_its_checks_blocks_though_the_old_one_still_stands(sound):
    staged = sound.lake.stage(TURNS, turns(-1.0), FIRST, inputs="j")
    record(sound.lake.root, "run-2", [passed(TURNS, FIRST, "turns_end_after_they_start", staged.manifest, failing=1)])
    sound.lake.discard(staged)
    (sentence,) = refusals(sound)
    assert sentence == (
        "conversation/turns of 2026-03-02 failed its checks when it was last made: "
        "turns_end_after_they_start (1 of 10 rows)."
    )
    record(sound.lake.root, "run-3", [passed(TURNS, FIRST, "x_is_y", sound.lake.manifest(TURNS, FIRST))])
    assert refusals(sound) == []


def test_a_new_day_that_failed_before_it_was_written_blocks_while_it_is_in_the_landing_folder(sound):
    third = date(2026, 3, 4)
    record(sound.lake.root, "run-2", [outcome(TURNS, third, "a_check", 1, 1, fingerprint="never-written")])
    assert refusals(sound) == []
    days = [{"call_date": d, "interactions": 3, "day_key": "k"} for d in (FIRST, SECOND, third)]
    write(sound.lake, DAYS, DAYS.frame(days))
    assert refusals(sound) == ["conversation/turns of 2026-03-04 failed its checks when it was last made: "
                               "a_check (1 of 1 rows)."]  # fmt: skip


def test_a_partition_that_nobody_checked_is_refused(sound):
    write(sound.lake, TURNS, turns(2.0), FIRST, passes=False)
    build(sound)
    assert refusals(sound) == ["conversation/turns of 2026-03-02 was never checked as it is now."]


@pytest.mark.parametrize("left_out", REQUIRED[TURNS.name])
def test_leaving_out_any_one_check_is_noticed(sound, left_out):
    manifest = sound.lake.write(TURNS, turns(2.0), FIRST, inputs="i")
    names = [n for n in REQUIRED[TURNS.name] if n != left_out]
    record(sound.lake.root, "run-2", [passed(TURNS, FIRST, name, manifest) for name in names])
    build(sound)
    assert refusals(sound) == [f"conversation/turns of 2026-03-02 was not checked for: {left_out}."]


def test_a_table_without_days_is_checked_too(sound):
    write(sound.lake, AGENTS, AGENTS.frame([{"agent_id": "a", "source_file": "f"}]), passes=False)
    assert refusals(sound) == ["landing/agents was never checked as it is now."]


def test_a_lake_that_changed_after_the_build_is_refused(sound):
    write(sound.lake, TURNS, turns(2.0), FIRST)
    (sentence,) = refusals(sound)
    assert sentence == "The lake has changed since the warehouse was built: 2026-03-02. Build it again."


def test_days_that_only_the_lake_or_only_the_warehouse_has_are_refused(sound):
    state = BuildState.read(sound.path)
    days = {"2026-03-02": state.days["2026-03-02"], "2026-02-01": "gone"}
    replace(state, days=days).write(sound.path)
    assert refusals(sound) == [
        "The warehouse lacks days that are in the lake: 2026-03-03. Build it again.",
        "The warehouse holds days that are not in the lake any more: 2026-02-01. Build it again.",
    ]


def test_a_partition_whose_data_is_not_that_of_its_manifest_is_refused(sound):
    path = sound.lake.path(TURNS, FIRST)
    path.write_bytes(path.read_bytes()[:-10])
    said = "conversation/turns of 2026-03-02 can't be trusted: its manifest is missing or not that of its data, "
    assert any(r.startswith(said) for r in refusals(sound))


def test_interactions_that_do_not_add_up_are_refused(sound):
    build(sound, "select * from (values (date '2026-03-02', 3, 1, 1, 0), (date '2026-03-03', 3, 3, 0, 0))")
    assert refusals(sound) == [
        "The interactions of 2026-03-02 don't add up: 3 received, 2 scored, excluded or in quarantine."
    ]


def test_interactions_that_the_warehouse_lost_are_refused(sound):
    build(sound, "select date '2026-03-02', 3, 3, 0, 0")
    assert refusals(sound) == ["The lake has 3 interactions of 2026-03-03, ops_ledger counts 0."]


def test_a_warehouse_without_a_ledger_is_refused(sound):
    with duckdb.connect(str(sound.path)) as connection:
        connection.execute("drop table ops.ops_ledger")
    assert refusals(sound) == ["The warehouse has no ops_ledger: nothing proves that the interactions add up."]


def test_a_corrupted_warehouse_is_refused(sound):
    sound.path.write_bytes(b"x" * 20000)
    (sentence,) = refusals(sound)
    assert sentence.startswith("ops_ledger can't be read")


def fail_the_build(sound):
    replace(BuildState.read(sound.path), status="failed", failed=("a_test",)).write(sound.path)


def change_the_lake(sound):
    write(sound.lake, TURNS, turns(2.0), FIRST)


def leave_a_partition_unchecked(sound):
    write(sound.lake, TURNS, turns(2.0), FIRST, passes=False)
    build(sound)


def fail_an_attempt(sound):
    record(sound.lake.root, "run-2", [outcome(TURNS, FIRST, "a_check", 1, 1, fingerprint="never-written")])


def lose_an_interaction(sound):
    build(sound, "select * from (values (date '2026-03-02', 3, 1, 1, 0), (date '2026-03-03', 3, 3, 0, 0))")


WRONGS = {
    "the_last_build_succeeded": fail_the_build,
    "the_warehouse_holds_the_lake_as_it_is": change_the_lake,
    "every_partition_passed_its_checks_as_it_is": leave_a_partition_unchecked,
    "no_partition_failed_its_checks_when_it_was_last_made": fail_an_attempt,
    "every_interaction_is_accounted_for": lose_an_interaction,
}


@pytest.mark.parametrize("rule", RULES)
def test_without_a_rule_what_it_refuses_would_be_published(sound, rule, monkeypatch):
    WRONGS[rule](sound)
    decision = gate(sound, REQUIRED)
    assert [name for name, said in decision.by_rule.items() if said] == [rule]
    monkeypatch.setattr(gate_module, "RULES", {name: r for name, r in RULES.items() if name != rule})
    assert gate(sound, REQUIRED).passed


def test_what_the_gate_says_goes_into_the_ledger_one_outcome_a_rule(sound):
    fail_an_attempt(sound)
    found = {o.check_name: o for o in gate(sound, REQUIRED).outcomes()}
    assert set(found) == set(RULES)
    refused = found["no_partition_failed_its_checks_when_it_was_last_made"]
    assert (refused.blocking, refused.passed, refused.failing_rows) == (True, False, 1)
    assert refused.detail == (
        "conversation/turns of 2026-03-02 failed its checks when it was last made: a_check (1 of 1 rows)."
    )
    assert (refused.stage, refused.table_name) == ("publication", "publication/database")
    record(sound.lake.root, "run-3", found.values())
    assert refusals(sound) == list(gate(sound, REQUIRED).refusals)  # what the gate said blocks nobody
    record(sound.lake.root, "run-4", [passed(TURNS, FIRST, "x_is_y", sound.lake.manifest(TURNS, FIRST))])
    assert refusals(sound) == []


def test_a_refusal_leaves_the_mark_with_its_reasons_and_since_when(tmp_path):
    refuse(tmp_path, ["one"])
    first = stale(tmp_path)
    refuse(tmp_path, ["two", "three"], days=["2026-03-02"])
    second = stale(tmp_path)
    assert (first["reasons"], second["reasons"]) == (["one"], ["two", "three"])
    assert second["since"] == first["since"]
    assert [(r["status"], r["publish_id"], r["note"]) for r in history(tmp_path)] == [
        ("refused", None, "one"),
        ("refused", None, "two; three"),
    ]
    clear_stale(tmp_path)
    clear_stale(tmp_path)
    assert stale(tmp_path) is None


def test_an_unreadable_mark_counts_as_none(tmp_path):
    (tmp_path / "STALE.json").write_text("{")
    assert stale(tmp_path) is None
    refuse(tmp_path, ["one"])
    assert json.loads((tmp_path / "STALE.json").read_text())["reasons"] == ["one"]


def test_the_required_checks_name_tables_of_the_lake():
    assert set(REQUIRED) == set(all_tables())
