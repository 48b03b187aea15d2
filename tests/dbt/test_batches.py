"""A long history is built a batch of days at a time: the same tables, in bounded memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import duckdb
import pytest

from pipelines.lake import Lake
from pipelines.settings import PROJECT
from pipelines.warehouse import BuildState, Node, Warehouse
from tests.benchmarks.history_lake import History, write_day, write_undated

HISTORY = History(days=19, calls=20, agents=4)


@pytest.fixture
def lake(tmp_path) -> Lake:
    """The first twelve days of the history."""
    lake = Lake(tmp_path / "lake")
    write_days(lake, range(12))
    return lake


def write_days(lake: Lake, numbers: range) -> None:
    for number in numbers:
        write_day(lake, HISTORY, number)
    write_undated(lake, HISTORY, numbers.stop)


def a_warehouse(lake: Lake, name: str, batch: int) -> Warehouse:
    (lake.root.parent / name).mkdir()
    return Warehouse(
        lake.root.parent / name / "warehouse.duckdb", lake, PROJECT / "dbt_project", threads=2, batch=batch
    )


def tables(warehouse: Warehouse) -> dict[str, list[tuple]]:
    """Every table and view that readers get, its rows in order; not when the lake was written."""
    with duckdb.connect(str(warehouse.path), read_only=True) as connection:
        names = connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables"
            " where table_schema in ('marts', 'trends', 'ops', 'restricted') and table_name <> 'ops_freshness'"
        ).fetchall()
        return {n: connection.execute(f"select * from {n} order by all").fetchall() for (n,) in names}


def differing(one: dict[str, list[tuple]], other: dict[str, list[tuple]]) -> list[str]:
    return [name for name in one.keys() | other.keys() if one.get(name) != other.get(name)]


@pytest.mark.promise
def test_batches_give_what_one_build_gives_also_where_many_days_come_late(lake):
    at_once, in_batches = a_warehouse(lake, "once", 10_000), a_warehouse(lake, "batches", 100)
    assert [n.message for n in at_once.build() if not n.passed] == []
    assert [len(b) for b in in_batches._batches(sorted(at_once.day_fingerprints()))] == [5, 5, 2]
    nodes = in_batches.build()
    assert [n.message for n in nodes if not n.passed] == []
    # each model is told once, and each test after all of them
    assert len({n.unique_id for n in nodes}) == len(nodes)
    kinds = [n.kind for n in nodes]
    assert kinds == sorted(kinds, key=lambda kind: kind == "test")
    assert kinds.count("test") > 50
    assert differing(tables(in_batches), tables(at_once)) == []

    write_days(lake, range(12, 19))
    for warehouse in (at_once, in_batches):
        assert [n.message for n in warehouse.build() if not n.passed] == []
    found = tables(in_batches)
    assert differing(found, tables(at_once)) == []
    assert {row[0] for row in found["ops.ops_ledger"]} == {
        date.fromisoformat(d) for d in BuildState.read(in_batches.path).days
    }


def test_a_batch_holds_as_many_days_as_it_may_and_at_least_one(lake):
    days = sorted(a_warehouse(lake, "w", 1).day_fingerprints())

    def batches(batch: int) -> list[list[str]]:
        return replace(Warehouse(lake.root, lake, PROJECT), batch=batch)._batches(days)

    assert batches(1) == [[day] for day in days]
    assert batches(45) == [days[i : i + 2] for i in range(0, 12, 2)]
    assert batches(240) == [days]
    assert Warehouse(lake.root, lake, PROJECT)._batches([]) == [[]]


def test_where_a_node_fails_no_later_batch_is_built_and_the_state_says_so(lake, monkeypatch):
    warehouse, asked = a_warehouse(lake, "w", 100), []

    def second_batch_fails(self, arguments, days=()):
        asked.append((arguments, list(days)))
        status = "error" if len(asked) == 2 else "success"
        return [Node("model.iqs.trend_iqs", "trend_iqs", "model", status, 0.5, 0, "")]

    monkeypatch.setattr(Warehouse, "_invoke", second_batch_fails)
    (node,) = warehouse.build()
    assert (node.status, node.seconds) == ("error", 1.0)
    assert [("--full-refresh" in arguments, len(days)) for arguments, days in asked] == [(True, 5), (False, 5)]
    state = BuildState.read(warehouse.path)
    assert (state.status, state.failed, state.days, state.project) == ("failed", ["trend_iqs"], {}, "")
