"""The ledger keeps every outcome, survives a torn line, and is what dbt reads."""

import json
from datetime import date

import duckdb
import pytest

from pipelines.contracts import conversation, landing
from pipelines.quality.ledger import COLUMNS, ensure, folder, latest, latest_by_fingerprint, record, rows
from pipelines.quality.outcomes import outcome

DAY = date(2026, 3, 2)


def of(name, failing, *, print_="p1", table=conversation.TURNS):
    return outcome(table, DAY, name, failing, 10, fingerprint=print_, detail='it\'s "so"')


def as_dbt_reads_it(lake):
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in COLUMNS.items())
    query = f"from read_json('{folder(lake)}/*.jsonl', format = 'newline_delimited', columns = {{{columns}}})"
    return duckdb.sql(query)


def test_an_empty_ledger_is_an_empty_table_to_duckdb(tmp_path):
    ensure(tmp_path)
    ensure(tmp_path)
    found = as_dbt_reads_it(tmp_path)
    assert found.columns == list(COLUMNS)
    assert found.fetchall() == []


def test_what_is_recorded_can_be_read_back_here_and_in_duckdb(tmp_path):
    assert record(tmp_path, "run-1", [of("a_check", 3), of("all_files", 0, table=landing.FILES)]) == 2
    first, second = rows(tmp_path)
    assert (first.run_id, first.check_name, first.passed, first.failing_rows) == ("run-1", "a_check", False, 3)
    assert (second.call_date, second.passed) == (None, True)
    table = as_dbt_reads_it(tmp_path).order("check_name").fetchall()
    assert [(r[0], r[4], r[5], r[7], r[10]) for r in table] == [
        ("run-1", DAY, "a_check", False, 'it\'s "so"'),
        ("run-1", None, "all_files", True, 'it\'s "so"'),
    ]


def test_the_latest_outcome_of_a_check_stands_whichever_run_made_it(tmp_path):
    record(tmp_path, "b-run", [of("a_check", 3), of("b_check", 1)])
    record(tmp_path, "a-run", [of("a_check", 0)])
    found = latest(tmp_path)
    assert found["conversation/turns", "2026-03-02", "a_check"].passed
    assert not found["conversation/turns", "2026-03-02", "b_check"].passed


def test_fingerprints_are_kept_apart_in_the_order_of_their_last_check(tmp_path):
    record(tmp_path, "r1", [of("a_check", 0, print_="old")])
    record(tmp_path, "r2", [of("a_check", 1, print_="new")])
    found = latest_by_fingerprint(tmp_path)["conversation/turns", "2026-03-02"]
    assert list(found) == ["old", "new"]
    record(tmp_path, "r3", [of("a_check", 0, print_="old")])
    assert list(latest_by_fingerprint(tmp_path)["conversation/turns", "2026-03-02"]) == ["new", "old"]


def test_a_torn_last_line_is_left_out_and_cut_off_by_the_next_append(tmp_path):
    record(tmp_path, "run", [of("a_check", 0)])
    path = folder(tmp_path) / "run.jsonl"
    with path.open("ab") as file:
        file.write(b'{"run_id": "run", "chec')
    assert [r.check_name for r in rows(tmp_path)] == ["a_check"]
    record(tmp_path, "run", [of("b_check", 0)])
    assert [json.loads(line)["check_name"] for line in path.read_text().splitlines()] == ["a_check", "b_check"]


def test_a_torn_line_is_gone_before_dbt_reads(tmp_path):
    record(tmp_path, "run", [of("a_check", 0)])
    with (folder(tmp_path) / "run.jsonl").open("ab") as file:
        file.write(b'{"run_id": "run", "chec')
    ensure(tmp_path)
    assert len(as_dbt_reads_it(tmp_path).fetchall()) == 1


def test_a_line_of_something_else_is_left_out(tmp_path):
    (ensure(tmp_path) / "other.jsonl").write_text('{"a": 1}\n[]\n3\n\n')
    assert list(rows(tmp_path)) == []


def test_no_ledger_holds_nothing(tmp_path):
    assert latest(tmp_path) == {}


@pytest.mark.parametrize("run_id", ["../x", "", "a/b", ".hidden", "x" * 200])
def test_a_run_id_that_is_no_file_name_is_refused(tmp_path, run_id):
    with pytest.raises(ValueError, match="can't be the name of a file"):
        record(tmp_path, run_id, [of("a_check", 0)])
