"""Generations: the last ones are kept, an older one can come back, and an open reader is never disturbed."""

import json
import os
from datetime import UTC, datetime, timedelta, timezone

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.publishing.generations import (
    PublicationError,
    copy_history,
    current,
    current_id,
    damaged_files,
    history,
    new_publish_id,
    publications,
    rollback,
    swap,
)
from pipelines.publishing.publisher import PublishOptions, publish
from pipelines.warehouse import BuildState

PUBLIC = ("marts.fct_interactions", "marts.dim_agents")


def make(warehouse, published, *, public=PUBLIC, **options):
    return publish(
        warehouse,
        published,
        public=public,
        dbt=BuildState("success", ""),
        options=PublishOptions(**options),
    ).publish_id


@given(st.datetimes(min_value=datetime(2000, 1, 1)), st.integers(1, 10**9))
def test_ids_sort_by_time(moment, later_ms):
    moment = moment.replace(tzinfo=UTC)
    try:
        later = moment + timedelta(milliseconds=later_ms)
    except OverflowError:
        return
    assert new_publish_id(moment) < new_publish_id(later)


def test_an_id_is_in_utc_and_new_every_time():
    moment = datetime(2026, 3, 2, 1, 30, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    assert new_publish_id(moment).startswith("20260301T233000123Z-")
    assert new_publish_id(moment) != new_publish_id(moment)


def test_nothing_is_published_before_the_first(tmp_path):
    assert (current(tmp_path), current_id(tmp_path), publications(tmp_path), history(tmp_path)) == (None, None, [], [])
    with pytest.raises(PublicationError, match="no older publication"):
        rollback(tmp_path)


def test_the_last_n_are_kept(warehouse, tmp_path):
    made = [make(warehouse, tmp_path / "p", keep=2) for _ in range(4)]
    assert [p.publish_id for p in publications(tmp_path / "p")] == made[-2:]
    assert {p.name for p in (tmp_path / "p").glob("gen=*")} == {f"gen={i}" for i in made[-2:]}
    assert current(tmp_path / "p") == tmp_path / "p" / f"gen={made[-1]}"


def test_the_current_one_is_kept_even_when_it_is_an_old_one(warehouse, tmp_path):
    published = tmp_path / "p"
    made = [make(warehouse, published) for _ in range(3)]
    rollback(published, made[0])
    from pipelines.publishing.generations import prune

    assert prune(published, 1) == [made[1]]
    assert current_id(published) == made[0]


def test_rollback_goes_one_back_or_to_an_id_and_forth_again(warehouse, tmp_path):
    published = tmp_path / "p"
    made = [make(warehouse, published) for _ in range(3)]
    assert rollback(published).publish_id == made[1]
    assert rollback(published).publish_id == made[0]
    with pytest.raises(PublicationError, match="no older"):
        rollback(published)
    assert rollback(published, made[2]).is_current
    assert [r["status"] for r in history(published)][-3:] == ["rolled_back"] * 3
    with pytest.raises(PublicationError, match=made[0]):
        rollback(published, "another")


def test_a_damaged_publication_is_not_rolled_back_to(warehouse, tmp_path):
    published = tmp_path / "p"
    first, second = make(warehouse, published), make(warehouse, published)
    database = published / f"gen={first}" / "iqs.duckdb"
    database.chmod(0o644)
    with database.open("r+b") as file:
        file.truncate(4096)
    assert damaged_files(database.parent) == ["iqs.duckdb"]
    with pytest.raises(PublicationError, match=r"damaged.*iqs\.duckdb"):
        rollback(published)
    assert current_id(published) == second


def test_a_reader_of_an_old_publication_is_not_disturbed_when_it_goes(warehouse, tmp_path):
    published = tmp_path / "p"
    first = make(warehouse, published)
    with duckdb.connect(str(published / f"gen={first}" / "iqs.duckdb"), read_only=True) as reader:
        for _ in range(2):
            make(warehouse, published, keep=1)
        assert not (published / f"gen={first}").exists()
        assert reader.execute("select distinct publish_id from fct_interactions").fetchall() == [(first,)]
        assert reader.execute("select count(*) from dim_agents").fetchone() == (3,)


def test_a_live_connection_sees_each_publication_at_its_next_query(warehouse, tmp_path):
    published = tmp_path / "p"
    seen, made = [], [make(warehouse, published)]
    query = "select distinct publish_id from fct_interactions"
    with duckdb.connect(str(published / "live.duckdb"), read_only=True) as live:
        seen.append(live.execute(query).fetchone()[0])
        for _ in range(4):
            made.append(make(warehouse, published))
            seen.append(live.execute(query).fetchone()[0])
        made.append(rollback(published).publish_id)
        seen.append(live.execute(query).fetchone()[0])
    assert seen == made


def test_a_live_connection_sees_a_swap_even_where_size_and_time_of_the_files_are_equal(warehouse, tmp_path):
    published = tmp_path / "p"
    # Ids of the same length are not always compressed to the same length: of five, two are equal.
    by_size: dict[int, list[str]] = {}
    for publish_id in [make(warehouse, published) for _ in range(5)]:
        path = published / f"gen={publish_id}" / "parquet" / "dim_agents.parquet"
        by_size.setdefault(path.stat().st_size, []).append(publish_id)
        os.utime(path, (1_700_000_000, 1_700_000_000))
    made = next(ids[:2] for ids in by_size.values() if len(ids) > 1)
    query, seen = "select distinct publish_id from dim_agents", []
    with duckdb.connect(str(published / "live.duckdb"), read_only=True) as live:
        for publish_id in (made[1], made[0], made[1]):
            swap(published, publish_id)
            seen.append(live.execute(query).fetchone()[0])
    assert seen == [made[1], made[0], made[1]]


def test_a_live_connection_lives_through_a_change_of_columns(warehouse, tmp_path):
    published = tmp_path / "p"
    make(warehouse, published)
    with duckdb.connect(str(published / "live.duckdb"), read_only=True) as live:
        assert len(live.execute("select * from dim_agents").description) == 3
        with duckdb.connect(str(warehouse)) as connection:
            connection.execute("alter table marts.dim_agents add column team varchar")
            connection.execute("alter table marts.fct_interactions drop column n")
        make(warehouse, published)
        assert [c[0] for c in live.execute("select * from dim_agents").description][:2] == ["agent_id", "name"]
        assert live.execute("select count(*) from fct_interactions").fetchone() == (40,)
    with duckdb.connect(str(published / "live.duckdb"), read_only=True) as again:
        assert "team" in [c[0] for c in again.execute("select * from dim_agents").description]


def test_the_live_file_tells_what_the_tables_are(warehouse, tmp_path):
    make(warehouse, tmp_path / "p")
    with duckdb.connect(str(tmp_path / "p" / "live.duckdb"), read_only=True) as live:
        found = dict(live.execute("select view_name, comment from duckdb_views() where not internal").fetchall())
    assert found["fct_interactions"] == "One row per interaction; it's all here."
    assert set(found) == {"fct_interactions", "dim_agents"}


def test_the_history_is_put_where_dbt_reads_it(warehouse, tmp_path):
    path = copy_history(tmp_path / "p", tmp_path / "lake")
    assert path.read_text() == ""
    made = make(warehouse, tmp_path / "p")
    copy_history(tmp_path / "p", tmp_path / "lake")
    (row,) = [json.loads(line) for line in path.read_text().splitlines()]
    assert (row["publish_id"], row["status"]) == (made, "published")
    columns = "{publish_id: 'VARCHAR', published_at: 'TIMESTAMP', status: 'VARCHAR', days: 'JSON', rows: 'BIGINT'}"
    found = duckdb.sql(f"select published_at, rows from read_json('{path}', columns = {columns})").fetchone()
    assert found[0].year >= 2024
    assert found[1] == 43
