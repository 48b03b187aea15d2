"""Real clients read the publication by the settings that `iqs bi` prints, while it is swapped underneath."""

import json
import subprocess

import pytest

from pipelines.bi import FIRST_QUERY, connection

SWAPS = 10

# Superset keeps its pool of connections; every question is a transaction of its own.
LOOP = """
import json, sys
import sqlalchemy as sa
uri, query, stop = sys.argv[1:4]
engine = sa.create_engine(uri, poolclass=sa.pool.QueuePool)
numbers, errors, mixed, asked = [], [], 0, 0
print("ready", flush=True)
import os
while not os.path.exists(stop) or asked < 5:
    try:
        with engine.connect() as connection:
            rows = connection.execute(sa.text(query)).mappings().all()
        found = {row["n"] for row in rows}
        mixed += len(found) != 1 or len(rows) != 3
        numbers += sorted(found - set(numbers[-1:]))
    except Exception as error:
        errors.append(f"{type(error).__name__}: {error}"[:300])
    asked += 1
print(json.dumps({"asked": asked, "numbers": numbers, "mixed": mixed, "errors": errors}))
"""

DESCRIBE = """
import json, sys
import sqlalchemy as sa
inspector = sa.inspect(sa.create_engine(sys.argv[1]))
columns = {c["name"]: [str(c["type"]), c["comment"]] for c in inspector.get_columns("trend_iqs")}
print(json.dumps({"table": inspector.get_table_comment("trend_iqs")["text"], "columns": columns}))
"""


def test_superset_sees_each_publication_without_an_error_or_a_mixture_while_it_keeps_its_connection(
    house, python_with_engine, tmp_path
):
    uri = connection("superset", house.places).settings["SQLAlchemy URI"]
    stop = tmp_path / "stop"
    reader = subprocess.Popen(
        [python_with_engine, "-c", LOOP, uri, FIRST_QUERY, str(stop)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert reader.stdout.readline().strip() == "ready"
        for number in range(2, SWAPS + 2):
            house.publish(number)
        stop.touch()
        seen = json.loads(reader.communicate(timeout=60)[0])
    finally:
        reader.kill()
    assert (seen["errors"], seen["mixed"]) == ([], 0)
    # It never goes back, and in the end it shows the newest publication.
    assert seen["numbers"] == sorted(seen["numbers"])
    assert seen["numbers"][-1] == SWAPS + 1
    assert len(seen["numbers"]) > 1


def test_superset_may_not_write(house, python_with_engine):
    uri = connection("superset", house.places).settings["SQLAlchemy URI"]
    code = (
        "import sys, sqlalchemy as sa\n"
        "with sa.create_engine(sys.argv[1]).begin() as c: c.execute(sa.text('create table x as select 1 as a'))"
    )
    done = subprocess.run([python_with_engine, "-c", code, uri], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "read-only" in done.stderr


@pytest.mark.parametrize("file", ["snapshot", "live"])
def test_types_and_comments_reach_a_client_of_sqlalchemy(house, python_with_engine, file):
    uri = f"duckdb:///{getattr(house.places, file)}?access_mode=READ_ONLY"
    done = subprocess.run([python_with_engine, "-c", DESCRIBE, uri], capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert told["table"] == "One row per group and period."
    assert told["columns"]["iqs"][0] == "NUMERIC(9, 4)"
    assert told["columns"]["period_start"][0] == "DATE"
    assert told["columns"]["n"][0] == "BIGINT"
    assert [name for name, (_, comment) in told["columns"].items() if not comment] == []


def test_the_command_line_client_reads_the_newest_publication_each_time_it_is_started(house, duckdb_program):
    command = connection("duckdb", house.places).settings["command"].split()
    assert command[0] == "duckdb"
    for number in range(2, 5):
        house.publish(number)
        done = subprocess.run(
            [duckdb_program, *command[1:], "-json", "-c", FIRST_QUERY], capture_output=True, text=True, check=True
        )
        rows = json.loads(done.stdout)
        assert [(r["period_start"], float(r["iqs"]), r["n"]) for r in rows] == [
            ("2026-03-02", 70.0, number),
            ("2026-03-09", 71.0, number),
            ("2026-03-16", 72.0, number),
        ]


def test_the_command_line_client_stays_with_one_publication_while_it_is_open(house, duckdb_program):
    command = connection("duckdb", house.places).settings["command"].split()
    client = subprocess.Popen(
        [duckdb_program, *command[1:], "-csv", "-noheader"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    try:
        seen = []
        for number in range(2, 5):
            client.stdin.write("select min(n) || '-' || max(n) from trend_iqs;\n")
            client.stdin.flush()
            seen.append(client.stdout.readline().strip())
            house.publish(number)
        assert seen == ["1-1", "1-1", "1-1"]
    finally:
        client.kill()
        client.wait()


def test_comments_reach_the_command_line_client(house, duckdb_program):
    query = "select count(*) as n, count(comment) as told from duckdb_columns() where table_name = 'trend_iqs'"
    done = subprocess.run(
        [duckdb_program, "-readonly", "-json", str(house.places.snapshot), query],
        capture_output=True,
        text=True,
        check=True,
    )
    (counted,) = json.loads(done.stdout)
    assert counted["n"] == counted["told"] > 40


def test_the_code_for_python_runs_as_it_is_printed(house):
    import sys

    code = connection("python", house.places).settings["code"]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "70.0" in done.stdout


@pytest.mark.parametrize("tool", ["metabase", "grafana"])
def test_the_first_query_of_a_server_runs_on_the_views_that_it_opens(house, tool):
    import duckdb

    found = connection(tool, house.places)
    with duckdb.connect(found.database, read_only=True) as db:
        rows = db.sql(found.first_query.replace("'day'", "'week'")).fetchall()
    assert len(rows) == 3
