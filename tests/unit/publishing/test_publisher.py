"""What is published is the warehouse, whole and proven; what must not be published stops it."""

import hashlib
import json
import stat
from datetime import date

import duckdb
import polars as pl
import pytest

from pipelines.contracts import conversation
from pipelines.publishing import publisher
from pipelines.publishing.gate import refuse, stale
from pipelines.publishing.generations import PublicationError, current, current_id, history, publications
from pipelines.publishing.lock import LockHeld, writer_lock
from pipelines.publishing.publisher import STEPS, LeakFound, PublishOptions, publish, warehouse_tables
from pipelines.quality.outcomes import outcome
from pipelines.warehouse import BuildState

PUBLIC = ("marts.fct_interactions", "marts.dim_agents", "trends.trend_iqs")
RESTRICTED = ("marts.fct_utterances",)
BUILT = BuildState("success", "2026-03-04T05:06:07+00:00")


def make(warehouse, published, **more):
    more = {"public": PUBLIC, "restricted": RESTRICTED, "dbt": BUILT} | more
    return publish(warehouse, published, **more)


def read(path, query):
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_every_public_table_is_published_with_the_same_rows_and_its_publication(warehouse, tmp_path):
    made = make(warehouse, tmp_path / "published")
    database = tmp_path / "published" / "current" / "iqs.duckdb"
    assert made.rows == {"fct_interactions": 40, "dim_agents": 3, "trend_iqs": 2}
    expected = read(warehouse, "select * from marts.fct_interactions order by all")
    assert read(database, "select * exclude (publish_id) from fct_interactions order by all") == expected
    for table in made.rows:
        assert read(database, f"select distinct publish_id from {table}") == [(made.publish_id,)]


def test_the_parquet_files_are_the_same_tables(warehouse, tmp_path):
    made = make(warehouse, tmp_path / "published")
    frame = pl.read_parquet(made.path / "parquet" / "fct_interactions.parquet")
    assert frame.height == 40
    assert frame["publish_id"].unique().to_list() == [made.publish_id]
    assert {p.stem for p in (made.path / "parquet").iterdir()} == set(made.rows)


def test_the_periods_of_a_group_lie_together(warehouse, tmp_path, change):
    change(
        "create or replace table trends.trend_iqs as select 'agent' as dimension, 'agent-' || (i % 7) as value, "
        "'day' as period, date '2026-03-02' + (i * 37 % 100)::int as period_start, i as n from range(700) t(i)"
    )
    current = make(warehouse, tmp_path / "published").path
    for source in ("trend_iqs", f"'{current}/parquet/trend_iqs.parquet'"):
        rows = read(current / "iqs.duckdb", f"select value, period_start from {source}")
        assert rows == sorted(rows)


def test_comments_are_carried_along(warehouse, tmp_path):
    database = make(warehouse, tmp_path / "published").path / "iqs.duckdb"
    query = "select comment from duckdb_tables() where table_name = 'fct_interactions'"
    assert read(database, query) == [("One row per interaction; it's all here.",)]
    query = "select comment from duckdb_columns() where table_name = 'fct_interactions' and column_name = "
    assert read(database, query + "'iqs'") == [("IQS, 0 to 100 %",)]
    assert read(database, query + "'publish_id'")[0][0]


def test_what_is_restricted_is_in_no_public_file_and_nobody_else_can_open_it(warehouse, tmp_path):
    made = make(warehouse, tmp_path / "published")
    hidden = made.path / "restricted" / "iqs_restricted.duckdb"
    assert read(hidden, "select text, publish_id from fct_utterances") == [("my words", made.publish_id)]
    assert stat.S_IMODE(hidden.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(hidden.stat().st_mode) == 0o400
    assert read(made.path / "iqs.duckdb", "select * from duckdb_tables() where table_name = 'fct_utterances'") == []
    assert not (made.path / "parquet" / "fct_utterances.parquet").exists()


def test_the_manifest_tells_rows_hashes_and_versions(warehouse, tmp_path):
    options = PublishOptions(code_version="1.2.3")
    checks = [outcome(conversation.TURNS, date(2026, 3, 2), "a_check", 1, 9, fingerprint="p", blocking=False)]
    made = make(warehouse, tmp_path / "published", options=options, checks=checks)
    manifest = json.loads((made.path / "manifest.json").read_text())
    assert (manifest["publish_id"], manifest["code_version"]) == (made.publish_id, "1.2.3")
    assert manifest["checks"] == {"recorded": 1, "failed": 1}
    assert manifest["tables"]["fct_interactions"]["rows"] == 40
    assert manifest["tables"]["fct_utterances"]["audience"] == "restricted"
    on_disk = {p.relative_to(made.path).as_posix() for p in made.path.rglob("*") if p.is_file()} - {"manifest.json"}
    assert set(manifest["files"]) == on_disk
    for name, about in manifest["files"].items():
        assert hashlib.sha256((made.path / name).read_bytes()).hexdigest() == about["sha256"]
    (check,) = json.loads((made.path / "checks.json").read_text())
    assert (check["check_name"], check["passed"]) == ("a_check", False)


def test_files_can_be_added_that_were_made_from_the_tables(warehouse, tmp_path):
    def report(folder):
        ((n,),) = read(folder / "iqs.duckdb", "select count(*) from fct_interactions")
        (folder / "report").mkdir()
        (folder / "report" / "index.html").write_text(f"{n} calls")

    made = make(warehouse, tmp_path / "published", add_files=report)
    assert (made.path / "report" / "index.html").read_text() == "40 calls"
    assert "report/index.html" in json.loads((made.path / "manifest.json").read_text())["files"]


def test_the_steps_come_in_their_order_and_current_changes_with_the_swap(warehouse, tmp_path):
    seen = []
    published = tmp_path / "published"
    first = make(warehouse, published).publish_id
    make(warehouse, published, on_step=lambda name: seen.append((name, current_id(published) == first)))
    assert tuple(name for name, _ in seen) == STEPS
    assert [name for name, is_old in seen if not is_old] == list(STEPS[STEPS.index("swapped") :])


def test_a_success_takes_the_stale_mark_away_and_stands_in_the_history(warehouse, tmp_path):
    published = tmp_path / "published"
    refuse(published, ["a check failed"])
    made = make(warehouse, published, days=["2026-03-03", "2026-03-02"])
    assert stale(published) is None
    assert [r["status"] for r in history(published)] == ["refused", "published"]
    last = history(published)[-1]
    assert (last["publish_id"], last["days"], last["rows"]) == (made.publish_id, "2026-03-02,2026-03-03", 45)


@pytest.mark.parametrize("status", ["failed", "none"])
def test_half_a_build_is_not_published(warehouse, tmp_path, status):
    with pytest.raises(PublicationError, match=status):
        make(warehouse, tmp_path / "published", dbt=BuildState(status, ""))
    assert current(tmp_path / "published") is None


def test_a_missing_warehouse_or_table_is_named(warehouse, tmp_path):
    with pytest.raises(PublicationError, match="there is no warehouse"):
        make(tmp_path / "nothing.duckdb", tmp_path / "published")
    with pytest.raises(PublicationError, match=r"no table marts\.fct_nothing"):
        make(warehouse, tmp_path / "published", public=["marts.fct_nothing"])
    with pytest.raises(PublicationError, match="no table to publish"):
        make(warehouse, tmp_path / "published", public=[])


def test_a_warehouse_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "iqs.duckdb").write_bytes(b"not a database" * 1000)
    with pytest.raises(PublicationError, match="can't be opened"):
        make(tmp_path / "iqs.duckdb", tmp_path / "published")


@pytest.mark.parametrize("expression", ["sum(n)", "[1]", "uuid()", "1.5::decimal(38, 2)", "{'a': 1}", "now()"])
def test_types_that_bi_tools_can_not_read_are_refused(warehouse, tmp_path, change, expression):
    change(f"create table marts.odd as select {expression} as odd from marts.fct_interactions")
    with pytest.raises(PublicationError, match=r"marts\.odd has columns that BI tools can't read: odd"):
        make(warehouse, tmp_path / "published", public=["marts.odd"])


def test_two_tables_of_one_name_are_refused(warehouse, tmp_path, change):
    change("create table ops.dim_agents as select 1 as a")
    with pytest.raises(PublicationError, match="two tables are called dim_agents"):
        make(warehouse, tmp_path / "published", public=[*PUBLIC, "ops.dim_agents"])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("delete from copy.main.fct_interactions where interaction_id = 'call-3'", "39 rows, the warehouse has 40"),
        ("update copy.main.fct_interactions set iqs = iqs + 1 where interaction_id = 'call-3'", "differs .* in iqs"),
        ("update copy.main.fct_interactions set detail = null where interaction_id = 'call-3'", "differs .* in detail"),
        ("update copy.main.fct_interactions set value = -value where interaction_id = 'call-3'", "in value"),
    ],
)
def test_a_copy_that_differs_from_the_warehouse_is_not_published(warehouse, tmp_path, monkeypatch, damage, message):
    whole = publisher._copy

    def damaged(connection, names, target, *more):
        copied = whole(connection, names, target, *more)
        if "iqs.duckdb" in str(target):
            connection.execute(f"attach '{target}' as copy")
            connection.execute(damage)
            connection.execute("detach copy")
        return copied

    published = tmp_path / "published"
    before = make(warehouse, published).publish_id
    monkeypatch.setattr(publisher, "_copy", damaged)
    with pytest.raises(PublicationError, match=message):
        make(warehouse, published)
    assert current_id(published) == before
    assert not list(published.glob(".staging-*"))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("my card 4111 1111 1111 1111", "card numbers in 1 values"),
        ("ssn 078-05-1120", "social security numbers in 1 values"),
        ("a.person@mail.example.com", "e-mail addresses in 1 values"),
        ("asked by cust-9987 again", "customer ids in 1 values"),
        ("CUST-9987", "customer ids in 1 values"),
    ],
)
def test_a_leak_stops_the_publication_and_is_named_without_its_value(warehouse, tmp_path, change, text, what):
    change(f"update marts.fct_interactions set detail = '{text}' where interaction_id = 'call-1'")
    published = tmp_path / "published"
    with pytest.raises(LeakFound, match=f"fct_interactions.detail: {what}") as caught:
        make(warehouse, published, options=PublishOptions(customer_ids=["cust-9987", "42", "nobody-else"]))
    assert text not in str(caught.value)
    assert current_id(published) is None
    assert [p.name for p in published.iterdir()] == [".publish.lock"]


LEAKS = [
    ("my card 4111 1111 1111 1111", "card numbers"),
    ("ssn 078-05-1120", "social security numbers"),
    ("a.person@mail.example.com", "e-mail addresses"),
]


@pytest.mark.parametrize(("text", "what"), LEAKS)
def test_a_leak_in_the_restricted_file_stops_the_publication_too(warehouse, tmp_path, change, text, what):
    change(f"insert into marts.fct_utterances values ('call-2', 'he said {text} again')")
    published = tmp_path / "published"
    with pytest.raises(LeakFound, match=f"fct_utterances.text: {what} in 1 values") as caught:
        make(warehouse, published)
    assert text not in str(caught.value)
    assert [p.name for p in published.iterdir()] == [".publish.lock"]


def test_every_text_column_of_every_table_is_looked_at(warehouse, tmp_path, change):
    columns = read(
        warehouse,
        "select table_schema || '.' || table_name, column_name from information_schema.columns "
        "where data_type = 'VARCHAR' and table_schema in ('marts', 'trends') order by all",
    )
    assert len(columns) == 7
    for table, column in columns:
        change(f"create or replace table marts.kept as from {table}", f"update {table} set {column} = '078-05-1120'")
        with pytest.raises(LeakFound, match=rf"{table.split('.')[1]}\.{column}: social security numbers"):
            make(warehouse, tmp_path / "published")
        change(f"create or replace table {table} as from marts.kept")
    change("drop table marts.kept")
    make(warehouse, tmp_path / "published")


PAGES = {
    "a text": "<p>{}</p>",
    "a text with entities": "<td>{}</td>".replace("{}", "&#32;{}"),
    "an attribute": '<a href="mailto:x" title="{}">x</a>',
    "a link": '<a href="https://centre.example/?q={}">x</a>',
    "a comment": "<!-- {} -->",
    "a script": "<script>const said = '{}'</script>",
}


@pytest.mark.parametrize(("text", "what"), LEAKS)
@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_a_leak_in_the_report_stops_the_publication(warehouse, tmp_path, page, text, what):
    def report(folder):
        (folder / "report").mkdir()
        (folder / "report" / "index.html").write_text("<html><body>" + page.format(text) + "</body></html>")

    published = tmp_path / "published"
    before = make(warehouse, published).publish_id
    with pytest.raises(LeakFound, match=f"report/index.html: {what} in 1 places") as caught:
        make(warehouse, published, add_files=report)
    assert text not in str(caught.value)
    assert current_id(published) == before
    assert not list(published.glob(".staging-*"))


@pytest.mark.parametrize("name", ["notes.txt", "more.json", "table.csv"])
def test_a_leak_in_any_other_added_file_stops_the_publication(warehouse, tmp_path, name):
    def add(folder):
        (folder / name).write_text(json.dumps({"a": ["said", {"b": "4111 1111 1111 1111"}]}))

    with pytest.raises(LeakFound, match=f"{name}: card numbers in 1 places"):
        make(warehouse, tmp_path / "published", add_files=add)


def test_a_leak_in_a_parquet_file_stops_the_publication(warehouse, tmp_path):
    def add(folder):
        pl.DataFrame({"n": [1, 2], "note": ["fine", "a.person@mail.example.com"]}).write_parquet(
            folder / "parquet" / "fct_interactions.parquet"
        )

    with pytest.raises(LeakFound, match=r"parquet/fct_interactions\.parquet\.note: e-mail addresses in 1 values"):
        make(warehouse, tmp_path / "published", add_files=add)


def test_a_leak_among_the_checks_stops_the_publication(warehouse, tmp_path):
    check = outcome(
        conversation.TURNS, date(2026, 3, 2), "a_check", 1, 9, fingerprint="p", detail="it was 4111 1111 1111 1111"
    )
    with pytest.raises(LeakFound, match=r"checks\.json: card numbers in 1 places"):
        make(warehouse, tmp_path / "published", checks=[check])


def test_a_drawing_is_no_leak(warehouse, tmp_path):
    def report(folder):
        path = '<svg viewBox="0 0 411 111"><path d="M 4111 1111 1111 1111 L 4.1 1.1"/></svg>'
        (folder / "index.html").write_text(f"<style>.a{{x:4111111111111111}}</style>{path}<img src='data:a@b.com'>")

    make(warehouse, tmp_path / "published", add_files=report)


def test_an_employees_address_and_a_calls_number_may_be_named_in_texts(warehouse, tmp_path, change):
    change(
        "update marts.fct_interactions set agent_id = 'ann@centre.example' where interaction_id = 'call-1'",
        "update marts.fct_interactions set interaction_id = '4111111111111111' where interaction_id = 'call-2'",
        "update marts.fct_interactions set detail = 'ann@centre.example in 4111111111111111' where iqs = 1",
    )
    make(warehouse, tmp_path / "published")
    change("update marts.fct_interactions set detail = 'dann@centre.example' where iqs = 1")
    with pytest.raises(LeakFound, match=r"detail: e-mail addresses"):
        make(warehouse, tmp_path / "published")


def test_ids_of_employees_may_be_e_mail_addresses_and_ids_of_calls_long_numbers(warehouse, tmp_path, change):
    change(
        "update marts.fct_interactions set agent_id = 'ann@centre.example' where interaction_id = 'call-1'",
        "update marts.fct_interactions set interaction_id = '4111111111111111' where interaction_id = 'call-2'",
    )
    make(warehouse, tmp_path / "published", options=PublishOptions(customer_ids=["call", "agent"]))


def test_a_customer_id_that_came_as_a_calls_id_is_a_leak_all_the_same(warehouse, tmp_path):
    with pytest.raises(LeakFound, match=r"fct_interactions\.interaction_id: customer ids in 1 values"):
        make(warehouse, tmp_path / "published", options=PublishOptions(customer_ids=["call-7"]))


def test_the_tables_of_the_schemas_are_listed(warehouse):
    assert warehouse_tables(warehouse, ["marts", "trends"]) == [
        "marts.dim_agents",
        "marts.fct_interactions",
        "marts.fct_utterances",
        "trends.trend_iqs",
    ]
    assert warehouse_tables(warehouse, ["nothing"]) == []


def test_two_publishers_do_not_meet(warehouse, tmp_path):
    published = tmp_path / "published"
    with (
        writer_lock(published / ".publish.lock", "another publication", 0),
        pytest.raises(LockHeld, match="another publication"),
    ):
        make(warehouse, published, options=PublishOptions(wait_s=0.1))


def test_an_error_in_an_added_file_leaves_nothing_behind(warehouse, tmp_path):
    def full_disk(folder):
        raise OSError(28, "No space left on device")

    published = tmp_path / "published"
    before = make(warehouse, published).publish_id
    with pytest.raises(OSError, match="No space left"):
        make(warehouse, published, add_files=full_disk)
    assert current_id(published) == before
    assert not list(published.glob(".staging-*"))
    assert len(publications(published)) == 1


@pytest.mark.parametrize("publish_id", ["../x", "a/b", ".x", ""])
def test_an_id_that_is_no_folder_name_is_never_used(warehouse, tmp_path, publish_id):
    if publish_id == "":
        assert make(warehouse, tmp_path / "published", publish_id=publish_id).publish_id
    else:
        with pytest.raises(PublicationError, match="can't be the name"):
            make(warehouse, tmp_path / "published", publish_id=publish_id)


def test_an_id_is_used_once(warehouse, tmp_path):
    make(warehouse, tmp_path / "published", publish_id="one")
    with pytest.raises(PublicationError, match="exists already"):
        make(warehouse, tmp_path / "published", publish_id="one")
