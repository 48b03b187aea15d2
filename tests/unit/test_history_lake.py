"""The generated history is what the Python stages could have written, and the query by hand reads it as dbt does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest

from pipelines.contracts import all_tables
from pipelines.contracts.landing import INTERACTIONS
from pipelines.contracts.metrics import INTERACTION_METRICS, MEASURED, OUTCOMES
from pipelines.lake import Lake
from pipelines.publishing.gate import RULES, DbtState, _Asked
from pipelines.quality.checks import required_checks
from pipelines.quality.ledger import latest_by_fingerprint
from pipelines.settings import PROJECT
from pipelines.warehouse import Warehouse
from tests.benchmarks.history_lake import History, day_frames, write_history

SMALL = History(days=9, calls=60, agents=12, utterances=4)


@pytest.fixture(scope="module")
def lake(tmp_path_factory) -> Lake:
    lake = Lake(tmp_path_factory.mktemp("history") / "lake")
    write_history(lake, SMALL)
    return lake


def test_every_partition_is_there_and_trusted_and_its_keys_are_unique(lake):
    days = [SMALL.day(n) for n in range(SMALL.days)]
    for table in all_tables().values():
        for day in days if table.daily else [None]:
            assert lake.manifest(table, day) is not None
            frame = lake.read(table, day)
            assert frame.schema == table.schema
            assert frame.select(table.key).is_unique().all()
    assert lake.days(INTERACTIONS) == days
    assert lake.read(INTERACTIONS, days[0]).height == SMALL.calls


def test_a_value_is_missing_exactly_where_there_is_a_reason_and_every_metric_has_its_row(lake):
    day = SMALL.last_day
    metrics = lake.read(INTERACTION_METRICS, day)
    assert (metrics["value"].is_null() == metrics["reason"].is_not_null()).all()
    assert 0.1 < metrics["value"].null_count() / metrics.height < 0.6
    read = lake.read(OUTCOMES, day).filter(pl.col("outcome") != "quarantined").height
    assert metrics.height == read * len(MEASURED)
    in_range = metrics.join(lake.read(all_tables()["metrics/catalogue"]), on="metric")
    assert in_range.filter((pl.col("value") < pl.col("at_least")) | (pl.col("value") > pl.col("at_most"))).is_empty()


def test_an_interaction_of_a_chat_has_no_level_and_a_call_no_response_time(lake):
    channels = lake.read(INTERACTIONS, SMALL.last_day).select("interaction_id", "channel")
    metrics = lake.read(INTERACTION_METRICS, SMALL.last_day).join(channels, on="interaction_id")
    why = metrics.filter(
        ((pl.col("channel") == "call") & (pl.col("metric") == "first_response_s"))
        | ((pl.col("channel") != "call") & (pl.col("metric") == "level_db"))
    )
    assert why["reason"].unique().to_list() == ["not_applicable_to_call_type"]


def test_the_same_seed_draws_the_same_day_and_another_seed_another():
    one, again = day_frames(SMALL, 3), day_frames(SMALL, 3)
    assert all(one[name].equals(again[name]) for name in one)
    other = day_frames(replace(SMALL, seed=8), 3)
    assert not other["metrics/interaction_metrics"].equals(one["metrics/interaction_metrics"])
    assert not day_frames(SMALL, 4)["metrics/outcomes"].equals(one["metrics/outcomes"])


def test_agents_come_and_go(lake):
    agents = {day: set(lake.read(INTERACTIONS, day)["agent_id"]) for day in lake.days(INTERACTIONS)}
    first, last = agents[SMALL.first_day], agents[SMALL.last_day]
    assert first - last
    assert last - first


def test_the_gate_finds_every_check_of_every_partition_passed(lake, tmp_path):
    warehouse = Warehouse(tmp_path / "warehouse.duckdb", lake, tmp_path)
    build = DbtState("success", days=warehouse.day_fingerprints())
    asked = _Asked(warehouse, build, required_checks(), latest_by_fingerprint(lake.root))
    assert list(build.days) == [(SMALL.first_day + timedelta(days=n)).isoformat() for n in range(SMALL.days)]
    for rule in ("every_partition_passed_its_checks_as_it_is", "no_partition_failed_its_checks_when_it_was_last_made"):
        assert RULES[rule](asked) == []


@pytest.mark.slow
def test_the_trends_by_hand_and_those_of_the_warehouse_agree(lake, tmp_path):
    import duckdb

    from tests.benchmarks.by_hand import differences, trends

    warehouse = Warehouse(tmp_path / "warehouse" / "warehouse.duckdb", lake, PROJECT / "dbt_project")
    assert [n.name for n in warehouse.build() if not n.passed] == []
    with duckdb.connect() as connection:
        trends(connection, lake.root, PROJECT / "dbt_project" / "seeds")
        rows, points = differences(connection, warehouse.path)
    assert rows > 1000
    # Two calls with scores rounded to 0.0001: 12.7 times that in the interval.
    assert points < 0.002
