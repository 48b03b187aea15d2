"""What the warehouse knows of its lake and of its own file without reading all of it again."""

from __future__ import annotations

import os
from datetime import date, timedelta
from unittest.mock import Mock

import polars as pl
import pytest

from pipelines.contracts import all_tables
from pipelines.contracts.landing import INTERACTIONS
from pipelines.contracts.metrics import OUTCOMES
from pipelines.lake import Lake
from pipelines.settings import Settings
from pipelines.warehouse import BuildState, Warehouse, file_stamp, hash_file

MONDAY = date(2026, 3, 2)
DAYS = [MONDAY + timedelta(days=i) for i in range(3)]


@pytest.fixture
def warehouse(tmp_path) -> Warehouse:
    lake = Lake(tmp_path / "lake")
    for day in DAYS:
        for table in (INTERACTIONS, OUTCOMES):
            lake.write(table, table.empty(), day, inputs="test")
    (tmp_path / "warehouse").mkdir()
    return Warehouse(tmp_path / "warehouse" / "warehouse.duckdb", lake, tmp_path)


def outcome(name: str) -> pl.DataFrame:
    return OUTCOMES.frame([{"interaction_id": name, "outcome": "eligible"}])


def test_a_day_of_the_lake_changes_with_its_partitions_and_no_other_day_does(warehouse):
    before = warehouse.day_fingerprints()
    assert list(before) == [d.isoformat() for d in DAYS]
    assert warehouse.day_fingerprints() == before
    warehouse.lake.write(OUTCOMES, outcome("new"), DAYS[1], inputs="test")
    after = warehouse.day_fingerprints()
    assert [d for d in before if after[d] != before[d]] == [DAYS[1].isoformat()]
    # as if nothing had been known
    (warehouse.path.parent / "partitions.json").unlink()
    assert warehouse.day_fingerprints() == after


def test_an_unchanged_lake_is_looked_at_and_not_read(warehouse, monkeypatch):
    before, read = warehouse.day_fingerprints(), []
    manifest = Lake.manifest
    monkeypatch.setattr(Lake, "manifest", lambda *a: read.append(a) or manifest(*a))
    assert warehouse.day_fingerprints() == before
    assert read == []
    warehouse.lake.write(OUTCOMES, outcome("new"), DAYS[1], inputs="test")
    warehouse.day_fingerprints()
    assert {(table.name, day) for _, table, day in read} == {(OUTCOMES.name, DAYS[1])}


@pytest.mark.parametrize("damage", ["torn", "gone", "not its own"])
def test_a_partition_that_cant_be_trusted_any_more_is_none(warehouse, damage):
    warehouse.day_fingerprints()
    path = warehouse.lake.path(OUTCOMES, DAYS[1])
    if damage == "torn":
        path.write_bytes(path.read_bytes()[:40])
    elif damage == "gone":
        path.unlink()
    else:
        os.replace(warehouse.lake.path(INTERACTIONS, DAYS[1]), path)
    assert list(warehouse.day_fingerprints()) == [DAYS[0].isoformat(), DAYS[2].isoformat()]


def test_another_contract_makes_what_was_known_unknown(warehouse, monkeypatch):
    warehouse.day_fingerprints()
    monkeypatch.setattr("pipelines.warehouse.schemas", lambda: ("another",))
    read = []
    manifest = Lake.manifest
    monkeypatch.setattr(Lake, "manifest", lambda *a: read.append(a) or manifest(*a))
    warehouse.day_fingerprints()
    daily = [t for t in all_tables().values() if t.daily]
    assert len(read) == 2 * len(DAYS) < len(daily) * len(DAYS)  # those of which there are files


def test_a_warehouse_that_somebody_wrote_to_is_not_sound_and_an_untouched_one_is_not_hashed(warehouse, monkeypatch):
    import duckdb

    with duckdb.connect(str(warehouse.path)) as connection:
        connection.execute("create table t as select range as i from range(100000)")
    built = BuildState("success", "", sha256=hash_file(warehouse.path), stamp=file_stamp(warehouse.path))
    with monkeypatch.context() as patch:
        patch.setattr("pipelines.warehouse.hash_file", lambda path: pytest.fail("it was hashed"))
        assert warehouse.is_sound(built)
    os.utime(warehouse.path)  # copied or restored: its bytes are the same
    assert warehouse.is_sound(built)
    with warehouse.path.open("r+b") as file:
        file.seek(200_000)
        file.write(b"damage")
    assert not warehouse.is_sound(built)


@pytest.mark.parametrize(("set_to", "least", "most"), [("", 1, 8000), ("3GB", 3000, 3000)])
def test_the_memory_that_duckdb_may_take_is_8_gb_or_less_or_as_set(set_to, least, most, tmp_path, monkeypatch):
    told = {}
    monkeypatch.setattr("dbt.cli.main.dbtRunner.invoke", lambda *_: told.update(os.environ) or Mock(exception=None))
    Warehouse.of(Settings(data=tmp_path, warehouse_memory=set_to))._invoke(["parse"])
    memory = told["IQS_WAREHOUSE_MEMORY"].replace("GB", "000MB")
    assert least <= int(memory.removesuffix("MB")) <= most
