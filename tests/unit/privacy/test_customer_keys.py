"""The real ids behind the pseudonyms: private in the lake, in the restricted database, and in nothing public."""

import duckdb
import polars as pl
import pytest

from pipelines.lake import Lake
from pipelines.privacy import customer_keys
from pipelines.publishing.publisher import LeakFound, PrivateTable, PublishOptions, publish
from pipelines.warehouse import BuildState

KEYS = pl.DataFrame({"customer_key": ["c_2", "c_1"], "customer_id": ["ann@example.org", "cust-9987"]})


@pytest.fixture
def lake(tmp_path):
    made = Lake(tmp_path / "lake")
    customer_keys.write(made, KEYS)
    return made


def published(lake, tmp_path, *, public="fine", said="fine"):
    warehouse = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(
            "create schema marts; create table marts.facts (text varchar); create table marts.words (text varchar)"
        )
        connection.execute("insert into marts.facts values (?)", [public])
        connection.execute("insert into marts.words values (?)", [said])
    table = PrivateTable(customer_keys.path(lake), customer_keys.MEANING, customer_keys.COLUMNS)
    options = PublishOptions(customer_ids=customer_keys.ids_to_look_for(lake), private={"customer_keys": table})
    made = publish(
        warehouse,
        tmp_path / "published",
        public=("marts.facts",),
        restricted=("marts.words",),
        dbt=BuildState("success", ""),
        options=options,
    )
    return made.path


def test_the_table_is_readable_by_its_owner_only_and_written_where_it_changes_only(lake):
    path = customer_keys.path(lake)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert customer_keys.write(lake, KEYS.reverse()) is False
    assert customer_keys.write(lake, KEYS.head(1)) is True
    assert customer_keys.read(lake)["customer_id"].to_list() == ["ann@example.org"]


def test_the_restricted_database_has_the_keys_with_comments_and_the_public_one_has_not(lake, tmp_path):
    folder = published(lake, tmp_path, said="I am cust-9987")  # what customers say of themselves is restricted
    hidden = folder / "restricted" / "iqs_restricted.duckdb"
    assert (hidden.stat().st_mode & 0o777, hidden.parent.stat().st_mode & 0o777) == (0o400, 0o700)
    with duckdb.connect(str(hidden), read_only=True) as connection:
        rows = connection.execute("select customer_key, customer_id from customer_keys order by 1").fetchall()
        comments = connection.execute(
            "select comment from duckdb_columns() where table_name = 'customer_keys'"
        ).fetchall()
    assert rows == [("c_1", "cust-9987"), ("c_2", "ann@example.org")]
    assert all(comment for (comment,) in comments)
    with duckdb.connect(str(folder / "iqs.duckdb"), read_only=True) as connection:
        assert connection.execute("select table_name from duckdb_tables()").fetchall() == [("facts",)]
    assert [p.name for p in (folder / "parquet").iterdir()] == ["facts.parquet"]


def test_a_public_text_with_a_customers_id_blocks_the_publication(lake, tmp_path):
    with pytest.raises(LeakFound, match=r"facts\.text: customer ids in 1 values"):
        published(lake, tmp_path, public="asked by CUST-9987 again")
    assert not (tmp_path / "published" / "current").exists()


def test_ids_that_could_be_any_word_or_number_are_not_looked_for(lake):
    ids = ["unknown", "17", "12345", "1234567", "cust-9987"]
    customer_keys.write(lake, pl.DataFrame({"customer_key": [f"c_{i}" for i in ids], "customer_id": ids}))
    assert sorted(customer_keys.ids_to_look_for(lake)) == ["1234567", "cust-9987"]
