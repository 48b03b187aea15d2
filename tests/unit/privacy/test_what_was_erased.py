"""Tombstones, rewritten landing files, the search and the scrubbing: small, and each with a known answer."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import duckdb
import polars as pl
import pytest

from pipelines.landing import Landing, LandingOptions
from pipelines.landing.rewriting import drop_rows
from pipelines.landing.rows import pseudonym
from pipelines.landing.tombstones import CUSTOMER, INTERACTION, TombstoneError, Tombstones
from pipelines.privacy.scrubbing import ERASED, scrub_sqlite, scrub_text
from pipelines.privacy.search import Names, holders

KEY = b"a key"
ERASED_AT = datetime(2026, 3, 10, tzinfo=UTC)


@pytest.fixture
def tombstones(tmp_path):
    made = Tombstones(tmp_path / "erased.jsonl", KEY, ZoneInfo("UTC"))
    made.add(INTERACTION, ["call-1"], ERASED_AT)
    made.add(CUSTOMER, [pseudonym("ann", KEY)], ERASED_AT)
    return made


def test_the_list_holds_no_id_and_covers_the_same_rows_when_read_again(tombstones):
    text = tombstones.path.read_text()
    assert "call-1" not in text
    assert "ann" not in text
    again = Tombstones.read(tombstones.path, KEY, ZoneInfo("UTC"))
    assert again.covers({"interaction_id": " call-1 ", "text": "words"})
    assert not again.covers({"interaction_id": "call-12"})


def test_two_processes_that_add_to_the_list_lose_nothing_of_each_other(tombstones):
    other = Tombstones.read(tombstones.path, KEY, ZoneInfo("UTC"))
    tombstones.add(INTERACTION, ["call-8"])
    other.add(INTERACTION, ["call-9"])
    again = Tombstones.read(tombstones.path, KEY, ZoneInfo("UTC"))
    assert all(again.holds(INTERACTION, i) for i in ("call-1", "call-8", "call-9"))


def test_an_erased_customers_rows_are_covered_up_to_the_erasure_and_not_after_it(tombstones):
    assert tombstones.covers({"customer_id": "ann", "started_at": "2026-03-09T23:00:00Z"})
    assert tombstones.covers({"customer_id": "ann"})
    assert tombstones.covers({"customer_id": "ann", "started_at": "some day"})
    assert not tombstones.covers({"customer_id": "ann", "started_at": "2026-03-11T08:00:00+01:00"})
    assert not tombstones.covers({"customer_id": "anna", "started_at": "2026-03-09T23:00:00Z"})


@pytest.mark.parametrize("damage", ["another key", "a torn file"])
def test_a_list_that_can_not_be_obeyed_stops_the_reader(tombstones, damage):
    if damage == "a torn file":
        tombstones.path.write_text(tombstones.path.read_text()[:-20])
    with pytest.raises(TombstoneError):
        Tombstones.read(tombstones.path, b"other" if damage == "another key" else KEY, ZoneInfo("UTC"))


CSV = (
    '\ufeffinteraction_id,text\r\ncall-1,"two\nlines, one row"\r\ncall-2,\udcff odd byte\r\n\r\nbroken\r\n'
    "call-1,x\r\ncall-3,last"
)
JSONL = '{"interaction_id": "call-1"}\n{"interaction_id":  "call-2", "é": 1}\n\nno json\n{"Interaction_ID": "call-1"}\n'


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("a.csv", CSV, "\ufeffinteraction_id,text\r\ncall-2,\udcff odd byte\r\n\r\nbroken\r\ncall-3,last"),
        ("a.jsonl", JSONL, '{"interaction_id":  "call-2", "é": 1}\n\nno json\n'),
        ("a.json", '[{"interaction_id": "call-1"}, {"interaction_id": "call-2"}]', '[{"interaction_id": "call-2"}]'),
    ],
)
def test_a_rewritten_file_keeps_its_other_rows_byte_by_byte_and_its_time(tmp_path, name, before, after):
    path = tmp_path / name
    path.write_bytes(before.encode("utf-8", "surrogateescape"))
    modified_ns = path.stat().st_mtime_ns
    done = drop_rows(path, lambda row, text: row.get("interaction_id") == "call-1")
    assert path.read_bytes() == after.encode("utf-8", "surrogateescape")
    assert done.dropped == (1 if name == "a.json" else 2)
    assert path.stat().st_mtime_ns == modified_ns
    untouched = path.stat().st_ino
    assert drop_rows(path, lambda row, text: row.get("interaction_id") == "call-1").dropped == 0
    assert path.stat().st_ino == untouched


def test_a_parquet_file_is_rewritten_and_a_file_of_which_no_row_is_left_is_removed(tmp_path):
    path = tmp_path / "a.parquet"
    pl.DataFrame({"interaction_id": ["call-1", "call-2"], "seq": [1, 2]}).write_parquet(path)
    assert drop_rows(path, lambda row, text: row["interaction_id"] == "call-1").left == 1
    assert pl.read_parquet(path).rows() == [("call-2", 2)]
    assert drop_rows(path, lambda row, text: True).left == 0
    assert list(tmp_path.iterdir()) == []


def test_a_name_is_found_as_a_whole_in_tables_databases_and_bytes_and_short_ones_in_id_columns_only(tmp_path):
    names = Names(("call-1", "17"))
    frames = {
        "compressed": {"text": ["said in call-1."]},
        "longer": {"text": ["call-12", "call-1-2"]},
        "short": {"text": ["17 rows"]},
        "id": {"interaction_id": ["17"]},
    }
    for name, columns in frames.items():
        pl.DataFrame({n: v * 1 for n, v in columns.items()}).write_parquet(tmp_path / f"{name}.parquet")
    with duckdb.connect(str(tmp_path / "db.duckdb")) as connection:
        connection.execute("create table t as select repeat('x', 5000) || ' call-1' as text")
    (tmp_path / "log.txt").write_text("nothing, 17 times")
    (tmp_path / "call-1.wav").write_bytes(b"")
    found = {p.name for p in holders(sorted(tmp_path.iterdir()), names)}
    assert found == {"compressed.parquet", "id.parquet", "db.duckdb", "call-1.wav"}


def test_a_scrubbed_database_has_no_freed_page_with_the_name_and_loses_the_row_of_its_preview(tmp_path):
    path, names = tmp_path / "index.db", Names(("call-1",))
    preview = json.dumps({"md": "| id | agent |\n| --- | --- |\n| call-1 | Ann |\n| call-2 | Bo |"})
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table event_logs (id integer primary key, event text)")
        connection.executemany("insert into event_logs (event) values (?)", [(preview,), ("x" * 9000,), ("call-1",)])
        connection.commit()
        connection.execute("delete from event_logs where event = 'call-1'")
        connection.commit()
    assert scrub_sqlite(path, names) == 1
    with closing(sqlite3.connect(path)) as connection:
        (event,) = connection.execute("select event from event_logs where id = 1").fetchone()
    assert json.loads(event) == {"md": f"| id | agent |\n| --- | --- |\n| {ERASED} |\n| call-2 | Bo |"}
    assert b"call-1" not in path.read_bytes()


def test_lines_of_records_go_and_the_history_keeps_its_line_without_the_name(tmp_path):
    for name in ("deliveries.jsonl", "history.jsonl"):
        (tmp_path / name).write_text('{"a": "call-1", "said": "x"}\n{"a": "call-2"}\n')
        assert scrub_text(tmp_path / name, Names(("call-1",))) == 1
    assert (tmp_path / "deliveries.jsonl").read_text() == '{"a": "call-2"}\n'
    assert (tmp_path / "history.jsonl").read_text() == f'{{"a": "{ERASED}", "said": "x"}}\n{{"a": "call-2"}}\n'


@pytest.fixture
def landing(tmp_path):
    folder = tmp_path / "landing"
    folder.mkdir()
    options = LandingOptions(folder, tmp_path / "cache", "UTC", r"(?P<interaction_id>never)", date(2020, 1, 1), "key")
    (folder / "messages.csv").write_text(
        "interaction_id,seq,party,text\nchat-1,1,customer,secret\nchat-2,1,agent,hello\n"
    )
    return options


def deliver(options, *rows):
    head = "interaction_id,channel,started_at,agent_id,campaign,customer_id\n"
    text = head + "".join(f"{i},chat,{at},a,sales,{customer}\n" for i, at, customer in rows)
    (options.folder / "interactions.csv").write_text(text)


def test_a_customers_unknown_interaction_is_dropped_with_the_texts_that_had_come_before_it(landing):
    Landing(landing)  # the messages wait for their interactions
    landing.erased().add(CUSTOMER, [pseudonym("ann", landing.key())], ERASED_AT)
    deliver(landing, ("chat-1", "2026-03-02T09:00:00Z", "ann"), ("chat-2", "2026-03-12T09:00:00Z", "ann"))
    seen = Landing(landing)
    assert seen.standing()["interaction_id"].to_list() == ["chat-2"]
    assert seen.rejects().height == 0
    assert dict(seen.files().select("source_file", "rows_erased").iter_rows()) == {
        "interactions.csv": 1,
        "messages.csv": 1,
    }
    cached = [pl.read_parquet(p) for p in landing.cache.glob("*-rows.parquet")]
    assert not any("secret" in str(frame.to_dicts()) for frame in cached)


def test_the_real_ids_are_kept_apart_and_readable_by_their_owner_only(landing):
    deliver(landing, ("chat-1", "2026-03-02T09:00:00Z", "ann"), ("chat-2", "2026-03-02T09:00:00Z", ""))
    keys = Landing(landing).customers()
    assert keys.rows() == [(pseudonym("ann", landing.key()), "ann")]
    assert {oct(p.stat().st_mode & 0o777) for p in landing.cache.glob("*-customers.parquet")} == {"0o600"}
    assert landing.cache.stat().st_mode & 0o777 == 0o700
