"""Take any one check away, and a bad fixture passes unnoticed that is caught with it. Every registry is walked:
a new check without a bad fixture fails here.

Python's checks are taken away here; dbt's tests in tests/dbt/test_project.py (bad rows in damages.py), the gate's
rules in tests/unit/publishing/test_gate.py.
"""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from pipelines.contracts import Column, Table, all_tables
from pipelines.quality import checks, contracts
from pipelines.quality.checks import CHECKS, domain_outcomes
from pipelines.quality.contracts import contract_outcomes
from tests.bad_days import DAY, FAULTS, sound_around, sound_day

# --- facts and warnings of the stages


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: f"{c.table.name}-{c.name}")
def test_without_a_check_its_fault_passes_every_other_check_of_the_table(check, monkeypatch):
    frames = sound_day()
    bad_days = [frames | fault(frames) for fault, _ in FAULTS[check.table, check.name]]
    assert all(check.name in complaints(check.table, bad) for bad in bad_days)
    monkeypatch.setattr(checks, "CHECKS", tuple(c for c in CHECKS if c is not check))
    assert any(complaints(check.table, bad) == [] for bad in bad_days)


def complaints(table, frames) -> list[str]:
    found = domain_outcomes(frames, DAY, {table.name: "print"}, sound_around())
    return [o.check_name for o in found if not o.passed]


# --- contracts: one bad frame for each kind of rule
SINGLE = Table(
    "landing/singles",
    "Singles.",
    "one row per id",
    ("id",),
    (
        Column("id", pl.String, "id"),
        Column("ratio", pl.Float64, "ratio", at_least=0, at_most=1, optional=True),
        Column("kind", pl.String, "kind", one_of=("a", "b"), optional=True),
        Column("value", pl.Float64, "value", null_because="reason"),
        Column("reason", pl.String, "reason", optional=True),
    ),
)
PAIRS = Table(
    "landing/pairs",
    "Pairs.",
    "one row per pair",
    ("id", "n"),
    (Column("id", pl.String, "id"), Column("n", pl.Int32, "n")),
)
GOOD = {"id": "x", "ratio": 0.5, "kind": "a", "value": 1.0}

# (expectation, for which rows) -> (table, rows, the check that finds it)
BAD_FRAMES = {
    ("ExpectColumnValuesToBeUnique", ""): (SINGLE, [GOOD, GOOD], "id_is_unique"),
    ("ExpectCompoundColumnsToBeUnique", ""): (PAIRS, [{"id": "x", "n": 1}] * 2, "id_n_is_unique"),
    ("ExpectColumnValuesToNotBeNull", ""): (SINGLE, [GOOD | {"id": None}], "id_is_never_missing"),
    ("ExpectColumnValuesToNotBeNull", "null"): (
        SINGLE,
        [GOOD | {"value": None}],
        "reason_is_given_where_value_is_missing",
    ),
    ("ExpectColumnValuesToBeNull", "given"): (
        SINGLE,
        [GOOD | {"reason": "r"}],
        "value_is_missing_where_reason_is_given",
    ),
    ("ExpectColumnValuesToBeBetween", ""): (SINGLE, [GOOD | {"ratio": 1.1}], "ratio_is_between_0_and_1"),
    ("ExpectColumnValuesToBeInSet", ""): (SINGLE, [GOOD | {"kind": "c"}], "kind_is_a_declared_word"),
}


def test_every_kind_of_rule_that_a_contract_uses_has_a_bad_frame():
    used = {(r.expectation, (r.only_where or ("", ""))[1]) for t in all_tables().values() for r in contracts._rules(t)}
    assert used == set(BAD_FRAMES)


@pytest.mark.parametrize(("table", "rows", "check_name"), BAD_FRAMES.values(), ids=[c for *_, c in BAD_FRAMES.values()])
def test_without_a_rule_of_the_contract_its_bad_frame_passes(table, rows, check_name, monkeypatch):
    frame = table.frame(rows)
    assert broken(table, frame) == [check_name]
    rules = [r for r in contracts._rules(table) if r.check_name != check_name]
    monkeypatch.setattr(contracts, "_rules", lambda _: rules)
    assert broken(table, frame) == []


def test_without_the_check_of_the_columns_a_column_of_another_type_passes(monkeypatch):
    frame = PAIRS.frame([{"id": "x", "n": 1}]).with_columns(pl.col("n").cast(pl.Int64))
    assert broken(PAIRS, frame) == ["columns_are_as_declared"]
    passed = next(o for o in contract_outcomes(PAIRS, PAIRS.empty(), None, "p"))
    monkeypatch.setattr(contracts, "_columns", lambda *_: passed)
    assert broken(PAIRS, frame) == []


def broken(table, frame) -> list[str]:
    return [o.check_name for o in contract_outcomes(table, frame, date(2026, 3, 2), "p") if not o.passed]
