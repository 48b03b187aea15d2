"""Publishing under faults: killed writers, busy readers, foreign locks, older clients."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from pipelines.publishing.gate import refuse, stale
from pipelines.publishing.generations import PublicationError, current_id, damaged_files, publications
from pipelines.publishing.lock import LockHeld
from pipelines.publishing.publisher import STEPS, PublishOptions, publish
from pipelines.warehouse import BuildState

PUBLIC = ("marts.fct_interactions", "marts.dim_agents")
BUILT = BuildState("success", "2026-03-04T05:06:07+00:00")
# Facts as tables, and as months that publications share.
SHAPES = {"tables": {}, "months": {"by_month": ["fct_interactions"], "table_rows": 10}}
BEFORE_THE_SWAP = STEPS[: STEPS.index("swapped")]

PUBLISH_AND_DIE = """
import json, os, signal, sys
from pathlib import Path
from pipelines.publishing.publisher import PublishOptions, publish
from pipelines.warehouse import BuildState

def die(step):
    if step == sys.argv[3]:
        os.kill(os.getpid(), signal.SIGKILL)

publish(Path(sys.argv[1]), Path(sys.argv[2]), public=("marts.fct_interactions", "marts.dim_agents"),
        restricted=("marts.fct_utterances",), dbt=BuildState("success", ""), publish_id="29990101T000000000Z-killed",
        on_step=die, options=PublishOptions(**json.loads(sys.argv[4])))
"""

READ_UNTIL_TOLD = """
import json, sys
from pathlib import Path
import duckdb

published, stop = Path(sys.argv[1]), Path(sys.argv[2])
live = duckdb.connect(str(published / "live.duckdb"), read_only=True)
reads, seen, mixed, asked_again, errors = 0, [], 0, 0, []
print("reading", flush=True)
while not stop.exists() or reads < 3:
    try:
        with duckdb.connect(str(published / "current" / "iqs.duckdb"), read_only=True) as connection:
            found = set()
            for table in ("fct_interactions", "dim_agents"):
                rows = connection.execute(f"select publish_id, count(*) from {table} group by all").fetchall()
                found |= {publish_id for publish_id, _ in rows}
        mixed += len(found) != 1
        try:
            counted = "select count(*), count(distinct publish_id) from fct_interactions"
            ((n, of_one),) = live.execute(counted).fetchall()
            mixed += (n, of_one) != (200, 1)
        except duckdb.IOException as error:
            # the view over months: a swap between two looks at their folder
            unlucky = "No files found" in str(error) and "/live/fct_interactions/" in str(error)
            asked_again += unlucky
            errors += [str(error)] * (not unlucky)
        seen += sorted(found - set(seen[-1:]))
    except Exception as error:
        errors.append(f"{type(error).__name__}: {error}"[:300])
    reads += 1
print(json.dumps({"reads": reads, "seen": seen, "mixed": mixed, "asked_again": asked_again, "errors": errors}))
"""

HOLD_WAREHOUSE = """
import sys, time
import duckdb
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
time.sleep(60)
"""

READ_WITH_OLD_CLIENT = """
import json, sys
import duckdb
with_live = []
for name in ("current/iqs.duckdb", "live.duckdb"):
    connection = duckdb.connect(f"{sys.argv[1]}/{name}", read_only=True)
    with_live.append(connection.execute(
        "select count(*), cast(sum(iqs) as varchar), min(publish_id) from fct_interactions").fetchone())
print(json.dumps({"version": duckdb.__version__, "rows": with_live}))
"""


@pytest.fixture
def warehouse(tmp_path):
    path = tmp_path / "iqs.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "create schema marts; create table marts.fct_interactions as select 'call-' || i as interaction_id, "
            "(i / 3)::decimal(9, 4) as iqs, date '2026-03-01' + (i % 60)::int as call_date from range(200) t(i); "
            "create schema intermediate; create table intermediate.int_fact_days as "
            "select distinct call_date, 'a build' as made_by from marts.fct_interactions; "
            "create table marts.dim_agents as select 'agent-' || i as agent_id from range(3) t(i); "
            "create table marts.fct_utterances as select 'call-1' as interaction_id, 'words' as text"
        )
    return path


@pytest.fixture
def published(tmp_path):
    return tmp_path / "published"


def make(warehouse, published, **options):
    return publish(warehouse, published, public=PUBLIC, dbt=BUILT, options=PublishOptions(**options))


def run(script, *arguments, **more):
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)], capture_output=True, text=True, timeout=120, **more
    )


def rows_of(published):
    with duckdb.connect(str(published / "current" / "iqs.duckdb"), read_only=True) as connection:
        return connection.execute("select * exclude (publish_id) from fct_interactions order by all").fetchall()


def leftovers(published):
    known = {f"gen={p.publish_id}" for p in publications(published)}
    usual = {"current", "live.duckdb", "history.jsonl", ".publish.lock"}
    return {p.name for p in published.iterdir()} - known - usual


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("step", STEPS)
def test_a_publisher_killed_at_any_step_never_shows_a_part_and_the_next_one_succeeds(warehouse, published, step, shape):
    before = make(warehouse, published, **SHAPES[shape])
    rows = rows_of(published)
    killed = run(PUBLISH_AND_DIE, warehouse, published, step, json.dumps(SHAPES[shape]))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    is_old = current_id(published) == before.publish_id
    assert is_old is (step in BEFORE_THE_SWAP)
    assert rows_of(published) == rows
    assert damaged_files(published / "current") == []
    with duckdb.connect(str(published / "live.duckdb"), read_only=True) as live:
        (seen,) = live.execute("select distinct publish_id from fct_interactions").fetchone()
    assert seen == current_id(published)

    after = make(warehouse, published, **SHAPES[shape])
    assert current_id(published) == after.publish_id
    assert rows_of(published) == rows
    assert damaged_files(published / "current") == []
    assert leftovers(published) == set()
    kept = {p.publish_id for p in publications(published)}
    died = set() if is_old else {"29990101T000000000Z-killed"}
    assert kept == {before.publish_id, after.publish_id} | died


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("count", [30, pytest.param(100, marks=pytest.mark.slow)])
def test_a_reader_meets_no_error_and_no_mixed_generations_over_many_publications(
    warehouse, published, tmp_path, record_property, count, shape
):
    options = SHAPES[shape] | {"keep": 3}
    made = [make(warehouse, published, **options).publish_id]
    stop = tmp_path / "stop"
    reader = subprocess.Popen(
        [sys.executable, "-c", READ_UNTIL_TOLD, str(published), str(stop)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert reader.stdout.readline() == "reading\n"
        made += [make(warehouse, published, **options).publish_id for _ in range(count)]
        stop.touch()
        output, _ = reader.communicate(timeout=60)
    finally:
        reader.kill()
    found = json.loads(output)
    assert found["errors"] == []
    assert found["mixed"] == 0
    assert found["asked_again"] <= (count / 5 if shape == "months" else 0)
    assert found["reads"] >= 10
    # It saw them in their order, several of them, and the last one.
    assert found["seen"] == [i for i in made if i in found["seen"]]
    assert len(found["seen"]) >= 5
    assert found["seen"][-1] == made[-1]
    record_property("injected", count)
    record_property("readers_errors", len(found["errors"]) + found["mixed"])


def test_a_refusal_leaves_the_last_publication_and_a_later_success_takes_the_mark_away(warehouse, published):
    before = make(warehouse, published)
    refuse(published, ["conversation/turns of 2026-03-02 failed its checks: turns_end_after_they_start."])
    assert current_id(published) == before.publish_id
    assert stale(published)["current"] == before.publish_id
    assert len(rows_of(published)) == 200
    make(warehouse, published)
    assert stale(published) is None


def test_a_foreign_lock_on_the_warehouse_is_waited_for_and_its_holder_named(warehouse, published):
    before = make(warehouse, published).publish_id
    holder = subprocess.Popen([sys.executable, "-c", HOLD_WAREHOUSE, str(warehouse)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        begin = time.monotonic()
        with pytest.raises(LockHeld, match=str(holder.pid)) as caught:
            make(warehouse, published, wait_s=0.5)
        assert time.monotonic() - begin >= 0.5
        assert caught.value.holder == {"pid": holder.pid}
        assert current_id(published) == before
        assert leftovers(published) == set()
    finally:
        holder.kill()
        holder.wait()
    make(warehouse, published)


@pytest.mark.parametrize("shape", SHAPES)
def test_readers_of_a_publication_do_not_keep_the_next_one_from_being_made(warehouse, published, shape):
    first = make(warehouse, published, **SHAPES[shape])
    with (
        duckdb.connect(str(published / "current" / "iqs.duckdb"), read_only=True) as reader,
        duckdb.connect(str(published / "live.duckdb"), read_only=True) as live,
    ):
        second = make(warehouse, published, **SHAPES[shape])
        assert reader.execute("select distinct publish_id from fct_interactions").fetchone() == (first.publish_id,)
        assert live.execute("select distinct publish_id from fct_interactions").fetchone() == (second.publish_id,)


def test_a_truncated_warehouse_is_refused_and_the_last_publication_stays(warehouse, published):
    before = make(warehouse, published)
    with warehouse.open("r+b") as file:
        file.truncate(warehouse.stat().st_size // 3)
    with pytest.raises(PublicationError, match="warehouse"):
        make(warehouse, published)
    assert current_id(published) == before.publish_id
    assert leftovers(published) == set()
    assert len(rows_of(published)) == 200


@pytest.mark.skipif(
    not Path(os.environ.get("IQS_TEST_OLD_DUCKDB", "/nonexistent")).is_dir(),
    reason="IQS_TEST_OLD_DUCKDB names no folder: pip install --target FOLDER duckdb==1.0.0",
)
@pytest.mark.parametrize("shape", SHAPES)
def test_an_older_client_reads_the_same_rows(warehouse, published, shape):
    made = make(warehouse, published, **SHAPES[shape])
    environment = os.environ | {"PYTHONPATH": os.environ["IQS_TEST_OLD_DUCKDB"]}
    read = run(READ_WITH_OLD_CLIENT, published, env=environment)
    assert read.returncode == 0, read.stderr
    found = json.loads(read.stdout)
    assert found["version"] != duckdb.__version__
    with duckdb.connect(str(published / "current" / "iqs.duckdb"), read_only=True) as connection:
        expected = connection.execute("select count(*), cast(sum(iqs) as varchar) from fct_interactions").fetchone()
    assert found["rows"] == [[*expected, made.publish_id]] * 2
