"""Writers that are killed in the middle of a write, and disks that are full: what stood before stays whole."""

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from datetime import date

import duckdb
import polars as pl
import pytest

from pipelines.contracts.table import Column, Table
from pipelines.lake import Lake, write_text
from pipelines.publishing.generations import PublicationError, current_id, damaged_files
from pipelines.publishing.publisher import publish
from pipelines.quality.ledger import append_lines, read_lines
from pipelines.warehouse import BuildError, BuildState, Warehouse
from tests.faults.chain import fill

NUMBERS = Table(
    "measured/numbers",
    meaning="Numbers, for these tests.",
    grain="number",
    key=("number",),
    columns=(Column("number", pl.Int64, "A number."), Column("noise", pl.Float64, "Something that doesn't compress.")),
)
MONDAY = date(2026, 3, 2)


def numbers(seed: int, rows: int = 100_000) -> pl.DataFrame:
    noise = random.Random(seed)
    return pl.DataFrame({"number": range(rows), "noise": [noise.random() for _ in range(rows)]})


def write_for_ever(root) -> None:
    frames = [numbers(seed) for seed in (1, 2)]
    while True:
        for frame in frames:
            Lake(root).write(NUMBERS, frame, MONDAY, inputs="")


def test_a_writer_killed_at_any_moment_leaves_torn_bytes_under_temporary_names_only(tmp_path, record_property):
    lake = Lake(tmp_path / "lake")
    moments = random.Random(1)
    processes = multiprocessing.get_context("spawn")
    torn = 0
    for _ in range(6):
        writer = processes.Process(target=write_for_ever, args=(lake.root,))
        writer.start()
        seen = None
        while seen is None or lake.manifest(NUMBERS, MONDAY) in (seen, None):  # it is at work
            seen = seen or lake.manifest(NUMBERS, MONDAY)
            time.sleep(0.01)
        time.sleep(moments.uniform(0, 0.3))
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        assert lake.read(NUMBERS, MONDAY).height == 100_000
        torn += len(list((lake.root / ".staging").iterdir()))
    lake.clean()
    assert list((lake.root / ".staging").iterdir()) == []
    lake.write(NUMBERS, numbers(3), MONDAY, inputs="again")
    assert lake.is_current(NUMBERS, MONDAY, "again")
    record_property("injected", 6)
    record_property("rows_before", 100_000)
    record_property("rows_after", lake.read(NUMBERS, MONDAY).height)


@pytest.fixture
def small_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", disk], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"a small disk can't be mounted here: {made.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


def test_on_a_full_disk_the_lake_keeps_what_it_has_and_takes_it_up_when_there_is_room(small_disk):
    lake, ballast = Lake(small_disk / "lake"), small_disk / "ballast"
    before = lake.write(NUMBERS, numbers(1), MONDAY, inputs="one")
    append_lines(small_disk / "ledger.jsonl", [{"n": 1}])
    fill(ballast)
    with pytest.raises(Exception, match=r"No space left|os error 28"):
        lake.write(NUMBERS, numbers(2), MONDAY, inputs="two")
    with pytest.raises(OSError, match="No space left"):
        write_text(small_disk / "state.json", "x" * 100_000)
    with pytest.raises(OSError, match="No space left"):
        append_lines(small_disk / "ledger.jsonl", [{"n": 2, "detail": "x" * 100_000}])
    assert lake.manifest(NUMBERS, MONDAY) == before
    assert list((lake.root / ".staging").iterdir()) == []
    assert not list(small_disk.glob(".state.json.*"))
    ballast.unlink()
    append_lines(small_disk / "ledger.jsonl", [{"n": 3}])
    assert [row["n"] for row in read_lines(small_disk / "ledger.jsonl")] == [1, 3]
    lake.write(NUMBERS, numbers(2), MONDAY, inputs="two")
    assert lake.read(NUMBERS, MONDAY).equals(numbers(2))


def test_on_a_full_disk_nothing_is_published_and_the_last_publication_stays_whole(small_disk, tmp_path):
    warehouse, published, ballast = tmp_path / "w.duckdb", small_disk / "published", small_disk / "ballast"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.facts as select range as i, random() as r from range(99999)")

    def once():
        return publish(warehouse, published, public=["marts.facts"], dbt=BuildState("success", ""))

    before = once()
    fill(ballast)
    with pytest.raises((OSError, PublicationError), match=r"No space left|disk"):
        once()
    assert current_id(published) == before.publish_id
    assert damaged_files(published / "current") == []
    assert not list(published.glob(".staging*"))
    ballast.unlink()
    assert once().publish_id == current_id(published)


HOLD = "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print('held', flush=True); time.sleep(60)"


def test_a_build_waits_for_a_foreign_lock_on_the_warehouse_and_names_its_holder(tmp_path):
    warehouse = Warehouse(tmp_path / "warehouse.duckdb", Lake(tmp_path / "lake"), tmp_path)
    duckdb.connect(str(warehouse.path)).close()
    holder = subprocess.Popen([sys.executable, "-c", HOLD, warehouse.path], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        begun = time.monotonic()
        with pytest.raises(BuildError, match=str(holder.pid)):
            warehouse.is_sound(BuildState("success", ""), wait_s=1)
        assert time.monotonic() - begun >= 1
    finally:
        holder.kill()
        holder.wait()
    assert warehouse.is_sound(BuildState("success", ""))
