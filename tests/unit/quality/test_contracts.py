"""A contract as a Great Expectations suite: each kind of rule bites, and no value of the data comes out."""

import logging
import os
import socket
from datetime import date

import polars as pl
import pytest

from pipelines.contracts import Column, Table, all_tables
from pipelines.quality import contracts
from pipelines.quality.contracts import contract_checks, contract_outcomes

DAY = date(2026, 3, 2)
THINGS = Table(
    "conversation/things",
    "Things.",
    "one row per thing",
    ("id", "part"),
    (
        Column("id", pl.String, "id"),
        Column("part", pl.Int32, "part", at_least=0),
        Column("ratio", pl.Float64, "ratio", at_least=-0.5, at_most=1),
        Column("level_db", pl.Float64, "level", "dB", at_most=3.1, optional=True),
        Column("pitch_hz", pl.Float64, "pitch", "Hz", optional=True),
        Column("kind", pl.String, "kind", one_of=("a", "b"), optional=True),
        Column("value", pl.Float64, "value", null_because="reason"),
        Column("reason", pl.String, "reason", optional=True),
        Column("first", pl.Int8, "first", null_because="why"),
        Column("second", pl.Date, "second", null_because="why"),
        Column("why", pl.String, "why", optional=True),
    ),
)
ROW = {"id": "x", "part": 0, "ratio": 1.0, "level_db": -3.0, "kind": "a", "value": 1.0, "first": 1, "second": DAY}


def things(**changes):
    """Three sound rows; the changes are made to the last one."""
    rows = [ROW, ROW | {"part": 1, "kind": None, "value": None, "reason": "r"}, ROW | {"part": 2} | changes]
    return THINGS.frame(rows)


def failed(frame, table=THINGS):
    return {o.check_name: o for o in contract_outcomes(table, frame, DAY, "print") if not o.passed}


def test_the_checks_are_sentences_made_from_the_contract():
    assert contract_checks(THINGS) == (
        "columns_are_as_declared",
        "id_part_is_unique",
        "id_is_never_missing",
        "part_is_never_missing",
        "part_is_at_least_0",
        "ratio_is_never_missing",
        "ratio_is_between_minus_0_5_and_1",
        "level_db_is_at_most_3_1",
        "pitch_hz_is_finite",
        "kind_is_a_declared_word",
        "reason_is_given_where_value_is_missing",
        "value_is_missing_where_reason_is_given",
        "value_is_finite",
        "why_is_given_where_first_is_missing",
        "why_is_given_where_second_is_missing",
    )


def test_a_sound_frame_passes_and_every_rule_has_its_outcome():
    found = contract_outcomes(THINGS, things(), DAY, "print")
    assert [o.check_name for o in found] == list(contract_checks(THINGS))
    assert all(o.passed and o.blocking and o.failing_rows == 0 for o in found)
    assert {(o.stage, o.table_name, o.call_date, o.fingerprint) for o in found} == {
        ("conversation", "conversation/things", "2026-03-02", "print")
    }
    assert {o.total_rows for o in found[1:]} == {3}


@pytest.mark.parametrize(
    ("changes", "check_name", "failing"),
    [
        ({"part": 1}, "id_part_is_unique", 2),
        ({"id": None}, "id_is_never_missing", 1),
        ({"ratio": None}, "ratio_is_never_missing", 1),
        ({"part": -1}, "part_is_at_least_0", 1),
        ({"ratio": 1.001}, "ratio_is_between_minus_0_5_and_1", 1),
        ({"ratio": -0.6}, "ratio_is_between_minus_0_5_and_1", 1),
        ({"ratio": float("nan")}, "ratio_is_between_minus_0_5_and_1", 1),
        ({"level_db": 3.2}, "level_db_is_at_most_3_1", 1),
        ({"level_db": float("-inf")}, "level_db_is_at_most_3_1", 1),
        ({"pitch_hz": float("inf")}, "pitch_hz_is_finite", 1),
        ({"value": float("nan")}, "value_is_finite", 1),
        ({"kind": "c"}, "kind_is_a_declared_word", 1),
        ({"kind": ""}, "kind_is_a_declared_word", 1),
        ({"value": None}, "reason_is_given_where_value_is_missing", 1),
        ({"reason": "r"}, "value_is_missing_where_reason_is_given", 1),
        ({"first": None}, "why_is_given_where_first_is_missing", 1),
        ({"second": None}, "why_is_given_where_second_is_missing", 1),
    ],
)
def test_a_broken_rule_is_the_one_that_fails(changes, check_name, failing):
    found = failed(things(**changes))
    assert list(found) == [check_name]
    assert found[check_name].failing_rows == failing
    assert found[check_name].detail == f"{failing} of 3 rows break it"


def test_a_reason_that_several_columns_share_may_stand_beside_a_value():
    assert failed(things(first=None, why="broken")) == {}


def test_columns_in_another_order_are_found():
    frame = things().select(*reversed(THINGS.schema.names()))
    assert "columns_are_as_declared" in failed(frame)


def test_a_column_of_another_type_is_named():
    found = failed(things().with_columns(pl.col("part").cast(pl.Int64)))
    assert list(found) == ["columns_are_as_declared"]
    assert found["columns_are_as_declared"].detail == "not as declared: part; unknown columns: 0"


def test_an_unknown_column_is_counted_but_not_named():
    found = failed(things().with_columns(pl.lit(1).alias("CANARY")))
    assert found["columns_are_as_declared"].detail == "not as declared: none; unknown columns: 1"


def test_a_rule_that_can_not_be_evaluated_has_failed():
    found = failed(things().drop("ratio"))
    assert {"columns_are_as_declared", "ratio_is_never_missing", "ratio_is_between_minus_0_5_and_1"} <= set(found)
    assert "could not be evaluated" in found["ratio_is_never_missing"].detail
    assert found["ratio_is_never_missing"].failing_rows == 3


def test_a_rule_that_comes_back_without_a_result_has_failed(monkeypatch):
    monkeypatch.setattr(contracts, "_results", lambda rules, frame, result_format: {})
    assert set(failed(things())) == set(contract_checks(THINGS))


def test_an_exception_that_was_swallowed_is_never_a_success():
    class Result:
        success = True
        exception_info = {"metric-1": {"raised_exception": True, "exception_traceback": "…\nValueError: CANARY"}}  # noqa: RUF012

    assert not contracts._succeeded(Result())
    assert contracts._exception(Result.exception_info) == "ValueError"
    assert contracts._exception({"raised_exception": False, "exception_traceback": None}) == ""


@pytest.mark.parametrize("table", all_tables().values(), ids=lambda t: t.name)
def test_an_empty_partition_of_every_table_passes_every_rule(table):
    assert failed(table.empty(), table) == {}


def test_check_names_are_unique_within_every_table():
    assert all(len(set(contract_checks(t))) == len(contract_checks(t)) for t in all_tables().values())


def test_no_value_of_the_data_comes_out_not_even_in_a_log_or_on_the_terminal(caplog, capfd):
    caplog.set_level(logging.DEBUG)
    frame = things(id="CANARY", kind="CANARY", part=-4242, reason="CANARY", ratio=4242.5)
    wrong_types = frame.with_columns(pl.lit("CANARY").alias("value"), pl.lit("CANARY").alias("ratio"))
    found = [*contract_outcomes(THINGS, frame, DAY, "p"), *contract_outcomes(THINGS, wrong_types, DAY, "p")]
    assert sum(not o.passed for o in found) >= 8
    printed = "".join(capfd.readouterr())
    for secret in ("CANARY", "4242"):
        assert secret not in str(found)
        assert secret not in printed
        assert secret not in caplog.text


def test_nothing_is_sent_and_analytics_are_off(monkeypatch):
    asked = []

    def refuse(self, address, *args):
        asked.append(address)
        raise OSError("no network in this test")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: asked.append(a) or [])
    contract_outcomes(THINGS, things(part=-1), DAY, "print")
    assert asked == []
    assert os.environ["GX_ANALYTICS_ENABLED"] == "false"
