"""Large facts are published by month, and a month that nobody touched is shared with the publication before."""

import json
import random
import shutil
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipelines.publishing import months
from pipelines.publishing.generations import PublicationError, rollback
from pipelines.publishing.publisher import LeakFound, PublishOptions, publish
from pipelines.warehouse import BuildState
from tests.unit.publishing.conftest import PUBLIC

BUILT = BuildState("success", "2026-03-04T05:06:07+00:00")
LARGE = ("fct_interactions", "fct_utterances")
MARCH, APRIL, MAY = ("2026-03", "2026-04", "2026-05")
SETUP = (
    "create schema intermediate",
    "create table intermediate.int_fact_days as select distinct call_date, 'first' as made_by"
    " from marts.fct_interactions",
    "create or replace table marts.fct_utterances as select interaction_id, call_date, 'my words' as text"
    " from marts.fct_interactions",
)


@pytest.fixture
def change(change):
    change("update marts.fct_interactions set call_date = date '2026-03-30' + (value * 7)::int % 40", *SETUP)
    return change


@pytest.fixture
def make(warehouse, tmp_path, change):
    def run(keep=5, table_rows=10, **more):
        options = PublishOptions(keep=keep, by_month=LARGE, table_rows=table_rows)
        more = {"public": PUBLIC, "restricted": ("marts.fct_utterances",), "dbt": BUILT, "options": options} | more
        return publish(warehouse, tmp_path / "published", **more)

    return run


def read(path, query):
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(query).fetchall()


def files(made, table="fct_interactions", base=""):
    folder = made.path / base / "parquet" / table / f"publish_id={made.publish_id}"
    return {p.stem: p.stat().st_ino for p in folder.iterdir()}


def touch(day, made_by):
    """Statements that change a day as a build does."""
    return (
        f"update marts.fct_interactions set iqs = iqs + 1 where call_date = date '{day}'",
        f"update intermediate.int_fact_days set made_by = '{made_by}' where call_date = date '{day}'",
    )


def assert_is_the_warehouse(made, warehouse):
    expected = read(warehouse, "select * from marts.fct_interactions order by all")
    query = "select * exclude (publish_id) from fct_interactions order by all"
    assert read(made.path / "iqs.duckdb", query) == expected
    assert read(made.path.parent / "live.duckdb", query) == expected
    assert read(made.path / "iqs.duckdb", "select distinct publish_id from fct_interactions") == [(made.publish_id,)]


def test_a_large_table_is_a_view_over_its_months_with_its_rows_types_and_comments(make, warehouse):
    made = make()
    database = made.path / "iqs.duckdb"
    assert set(files(made)) == {MARCH, APRIL, MAY}
    assert made.rows["fct_interactions"] == 40
    assert_is_the_warehouse(made, warehouse)
    types = "select column_name, column_type from (describe {}) where column_name <> 'publish_id'"
    assert read(database, types.format("fct_interactions")) == read(warehouse, types.format("marts.fct_interactions"))
    query = "select comment from duckdb_columns() where table_name = 'fct_interactions' and column_name = 'iqs'"
    assert read(database, query) == read(made.path.parent / "live.duckdb", query) == [("IQS, 0 to 100 %",)]
    query = "select comment from duckdb_views() where view_name = 'fct_interactions'"
    assert read(database, query) == [("One row per interaction; it's all here.",)]


def test_readers_of_parquet_get_the_publication_from_the_folder(make):
    made = make()
    frame = pl.read_parquet(made.path / "parquet" / "fct_interactions", hive_partitioning=True)
    assert frame.height == 40
    assert frame["publish_id"].unique().to_list() == [made.publish_id]


def test_a_month_lies_in_the_order_of_its_interactions(make):
    made = make()
    for file in (made.path / "parquet" / "fct_interactions").rglob("*.parquet"):
        assert pl.read_parquet(file, hive_partitioning=False)["interaction_id"].is_sorted()


def test_a_table_of_fewer_rows_stays_a_table(make):
    made = make(table_rows=40)
    assert read(made.path / "iqs.duckdb", "select count(*) from duckdb_tables() where table_name = 'fct_interactions'")
    assert (made.path / "parquet" / "fct_interactions.parquet").is_file()


def test_months_that_nobody_touched_are_shared_and_the_others_written_again(make, change, warehouse):
    first = make()
    change(*touch("2026-04-03", "second"))
    second = make()
    before, after = files(first), files(second)
    assert {m for m in after if after[m] == before[m]} == {MARCH, MAY}
    assert_is_the_warehouse(second, warehouse)


def test_a_month_is_written_again_where_a_column_changed(make, change, warehouse):
    first = make()
    change("alter table marts.fct_interactions rename value to measured")
    second = make()
    assert not set(files(first).values()) & set(files(second).values())
    assert_is_the_warehouse(second, warehouse)


def test_nothing_is_shared_where_the_warehouse_tells_no_builds(make, change, warehouse):
    change("drop table intermediate.int_fact_days")
    first, second = make(), make()
    assert not set(files(first).values()) & set(files(second).values())
    assert_is_the_warehouse(second, warehouse)


def test_the_manifest_holds_the_hashes_of_shared_files_and_who_compared_them(make):
    make()
    made = make()
    manifest = json.loads((made.path / "manifest.json").read_text())
    for name, about in manifest["files"].items():
        assert months.hash_of(made.path / name) == about["sha256"]
    told = [m["compared_by"] for table in manifest["months"].values() for m in table.values()]
    assert len(told) == 6
    assert told.count(made.publish_id) == 1


def test_each_shared_file_is_compared_with_the_warehouse_in_turn(make):
    seen = [make()]
    for _ in range(6):
        seen.append(make())
    manifest = json.loads((seen[-1].path / "manifest.json").read_text())
    told = {m["compared_by"] for table in manifest["months"].values() for m in table.values()}
    assert told == {made.publish_id for made in seen[1:]}


@pytest.mark.parametrize("damage", ["bytes", "values"])
def test_a_shared_file_that_is_not_what_the_warehouse_holds_is_written_again_in_its_turn(
    make, change, warehouse, damage
):
    first = make()
    before = files(first)
    if damage == "values":  # nobody said that the day was made anew
        change("update marts.fct_interactions set iqs = iqs + 5 where call_date = date '2026-03-30'")
    else:
        path = first.path / "parquet" / "fct_interactions" / f"publish_id={first.publish_id}" / f"{MARCH}.parquet"
        content = bytearray(path.read_bytes())
        content[40] ^= 255
        path.chmod(0o644)
        path.write_bytes(content)
    for _ in range(6):
        made = make()
    assert files(made)[MARCH] != before[MARCH]
    assert_is_the_warehouse(made, warehouse)


def test_whatever_days_change_the_publication_is_the_warehouse(make, change, warehouse):
    rng, days = (
        random.Random(5),
        [str(date(2026, 3, 30 + i)) for i in range(2)] + [f"2026-04-{i:02}" for i in range(1, 31)],
    )
    for number in range(8):
        for day in rng.sample(days, rng.randrange(4)):
            change(*touch(day, f"build {number}"))
        if number == 4:
            change(
                "delete from marts.fct_interactions where call_date = date '2026-04-20'",
                "delete from intermediate.int_fact_days where call_date = date '2026-04-20'",
            )
        assert_is_the_warehouse(make(), warehouse)


def test_shared_months_outlive_the_publication_that_wrote_them(make, warehouse, tmp_path):
    make()
    for _ in range(3):
        made = make(keep=2)
    assert_is_the_warehouse(made, warehouse)
    back = rollback(tmp_path / "published")
    assert_is_the_warehouse(back, warehouse)


def test_without_links_on_the_file_system_months_are_copied(make, warehouse, monkeypatch):
    def refuse(*_):
        raise OSError("no links here")

    first = make()
    monkeypatch.setattr(months.os, "link", refuse)
    second = make()
    assert not set(files(first).values()) & set(files(second).values())
    assert_is_the_warehouse(second, warehouse)


def test_a_large_restricted_table_stays_where_nobody_else_can_read(make):
    first, made = make(), make()
    base = made.path / "restricted"
    assert read(base / "iqs_restricted.duckdb", "select count(*), any_value(text) from fct_utterances") == [
        (40, "my words")
    ]
    assert files(made, "fct_utterances", "restricted") == files(first, "fct_utterances", "restricted")
    assert base.stat().st_mode & 0o77 == 0
    assert not (made.path / "parquet" / "fct_utterances").exists()


def test_what_is_personal_is_found_in_a_month_too(make, change):
    make()
    change(
        "update marts.fct_interactions set detail = 'mail me: ann.lee@example.com' where call_date = date '2026-04-03'",
        *touch("2026-04-03", "second"),
    )
    with pytest.raises(LeakFound, match="e-mail addresses in 1 values"):
        make()


def test_rows_without_a_day_are_not_published(make, change):
    change("update marts.fct_interactions set call_date = null where interaction_id = 'call-3'")
    with pytest.raises(PublicationError, match="1 rows without a call_date"):
        make()


def test_a_month_that_was_torn_while_it_was_written_is_not_published(make, monkeypatch, tmp_path):
    real, calls = months.checksums, []

    def one_row_less(connection, columns, source):
        calls.append(source)
        found = real(connection, columns, source)
        return (found[0] - 1, *found[1:]) if len(calls) == 2 else found

    monkeypatch.setattr(months, "checksums", one_row_less)
    with pytest.raises(PublicationError, match="differs from the warehouse"):
        make()
    assert not (tmp_path / "published" / "current").exists()
    assert [p.name for p in (tmp_path / "published").iterdir() if p.name.startswith((".staging", "gen="))] == []


def test_a_folder_that_was_moved_is_readable_after_the_next_publication(make, warehouse, tmp_path):
    make()
    shutil.move(tmp_path / "published", tmp_path / "elsewhere")
    shutil.copytree(tmp_path / "elsewhere", tmp_path / "published", symlinks=True)
    assert_is_the_warehouse(make(), warehouse)


def test_a_query_that_found_its_files_opens_them_after_the_swap_and_the_next_one_finds_the_new_ones(make, tmp_path):
    live = tmp_path / "published" / "current" / "live" / "fct_interactions"

    def found():
        return [Path(name) for (name,) in duckdb.sql(f"select file from glob('{live}/**/*.parquet')").fetchall()]

    def ids():
        return {path.parent.name.removeprefix("publish_id=") for path in found()}

    before = make()
    held = found()
    bytes_of = {path: path.read_bytes() for path in held}
    assert len(held) == 3
    between, after = make(), make()
    assert {path: path.read_bytes() for path in held} == bytes_of
    assert ids() == {after.publish_id}

    # Going back, a query at work may end with an error; never does it see both.
    held = found()
    rollback(tmp_path / "published")
    assert ids() == {between.publish_id}
    assert not any(path.exists() for path in held)
    rollback(tmp_path / "published", before.publish_id)
    assert ids() == {before.publish_id}
    assert {path: path.read_bytes() for path in found()} == bytes_of
    make()
    assert len(found()) == 3
