"""The whole chain killed anywhere, on a damaged warehouse, on a full disk: what readers see is equal in the end."""

import os
import random
import subprocess
import sys
import time

import pytest

from pipelines.publishing.generations import current_id
from tests.faults.chain import (
    AGAIN,
    BALLAST,
    DONE,
    Reading,
    Runner,
    differing,
    dump,
    forget_all_but_the_publications,
    new_root,
    report,
    torn_files,
    unfinished_runs,
)

KILLS = int(os.environ.get("IQS_TEST_KILLS", "100"))
DISK_FULL = ("No space left", "disk is full")
QUICK_STEPS = ("dbt statement 400", "publish swapped")


@pytest.fixture(scope="module")
def runner():
    with Runner() as started:
        yield started


@pytest.fixture(scope="module")
def whole(runner, tmp_path_factory):
    """A data root after one undisturbed run: its path, how it ran and what readers see. Tests leave it as it is."""
    root = new_root(tmp_path_factory.mktemp("whole") / "data")
    begun = time.monotonic()
    ran = runner.run(root)
    assert ran.code in DONE, ran.said
    return root, ran, dump(root), time.monotonic() - begun


def assert_equal_and_clean(root, expected):
    assert differing(dump(root), expected) == []
    assert torn_files(root) == []
    assert list((root / "lake" / ".staging").glob("*")) == []
    assert unfinished_runs(root) == []


@pytest.mark.promise
def test_killed_in_each_part_of_the_chain_and_run_again_the_tables_are_equal(runner, whole, tmp_path, record_property):
    like, _, expected, _ = whole
    root = new_root(tmp_path / "data", like=like)
    before = current_id(root / "published")
    with Reading(root) as reading:
        for step in QUICK_STEPS:
            ran = runner.run(root, die_at=step)
            assert ran.killed, f"{step}: {ran.said}"
            assert torn_files(root) == []
            assert (current_id(root / "published") == before) is (step != "publish swapped")
        last = runner.run(root)
    assert last.code in DONE, last.said
    assert reading.errors == []
    assert reading.reads > 0
    assert_equal_and_clean(root, expected)
    report(record_property, len(QUICK_STEPS), expected, dump(root), reading.errors)


@pytest.mark.slow
def test_killed_at_every_step_in_turn_and_run_again_the_tables_are_equal(runner, whole, tmp_path, record_property):
    like, undisturbed, expected, _ = whole
    root = new_root(tmp_path / "data", like=like)
    steps = ["torn parquet", *undisturbed.steps, "torn ledger"]
    # Every fourth of dbt's: each costs a build from the beginning.
    steps = [s for i, s in enumerate(steps) if not s.startswith("dbt statement") or i % 4 == 0]
    unreached = []
    with Reading(root) as reading:
        for step in steps:
            ran = runner.run(root, die_at=step)
            if not ran.killed:  # it is behind us: everything is made again
                forget_all_but_the_publications(root)
                ran = runner.run(root, die_at=step)
            if not ran.killed:
                unreached.append(step)
        assert runner.run(root, AGAIN).code in DONE
    assert unreached == []
    assert reading.errors == []
    assert_equal_and_clean(root, expected)
    report(record_property, len(steps), expected, dump(root), reading.errors)


@pytest.mark.slow
def test_killed_at_random_moments_the_tables_are_equal_in_the_end(runner, whole, tmp_path, record_property):
    like, _, expected, run_s = whole
    root = new_root(tmp_path / "data", like=like)
    moments = random.Random(5)
    killed = 0
    with Reading(root) as reading:
        while killed < KILLS:
            started = runner.start(root)
            deadline = time.monotonic() + moments.uniform(0, run_s)
            while time.monotonic() < deadline and not started.ended():
                time.sleep(0.02)
            started.kill()
            ran = started.wait(30)
            killed += ran.killed
            if not ran.killed:
                assert ran.code in DONE, ran.said
                forget_all_but_the_publications(root)
        last = runner.run(root, AGAIN)
    assert last.code in DONE, last.said
    assert reading.errors == []
    assert_equal_and_clean(root, expected)
    report(record_property, killed, expected, dump(root), reading.errors)


@pytest.mark.slow
def test_run_again_and_again_in_another_order_and_with_one_thread_the_tables_are_equal(
    runner, whole, tmp_path, record_property
):
    like, _, expected, _ = whole
    root = new_root(tmp_path / "data", like=like)
    for order in (("--date", "2026-03-03"), ("--date", "2026-03-02")):
        ran = runner.run(root, ("run", *order), threads=1)
        assert ran.code in DONE, ran.said
    assert differing(dump(root), expected) == []
    for _ in range(3):
        assert runner.run(root, AGAIN).code in DONE
    assert_equal_and_clean(root, expected)
    report(record_property, 5, expected, dump(root), [])


def flip_bytes(path):
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(bytes(64 * 1024))


def cut(path):
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 3)


def leave_a_torn_log(path):
    """A writer that died between its commit and the checkpoint, and whose log then lost its end."""
    script = (
        "import duckdb, os, signal, sys; c = duckdb.connect(sys.argv[1]); "
        "c.execute('create table marts.stray as select range as i from range(9999)'); "
        "c.execute('delete from marts.fct_interactions'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    log = path.with_suffix(".duckdb.wal")
    os.truncate(log, log.stat().st_size // 2)


@pytest.mark.promise
@pytest.mark.parametrize(
    "damage",
    [flip_bytes, *(pytest.param(d, marks=pytest.mark.slow) for d in (cut, leave_a_torn_log))],
    ids=lambda damage: damage.__name__,
)
def test_a_damaged_warehouse_is_noticed_and_built_anew(runner, whole, damage, record_property):
    root, _, expected, _ = whole
    before = current_id(root / "published")
    damage(root / "warehouse" / "warehouse.duckdb")
    ran = runner.run(root, AGAIN)
    assert ran.code in DONE, ran.said
    assert current_id(root / "published") != before
    assert_equal_and_clean(root, expected)
    report(record_property, 1, expected, dump(root), [])


@pytest.fixture
def small_disk(tmp_path):
    """A disk of its own in memory."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", disk], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"a small disk can't be mounted here: {made.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


@pytest.mark.slow
def test_on_a_full_disk_a_run_says_so_the_publication_stays_and_a_later_run_succeeds(
    runner, whole, small_disk, record_property
):
    like, _, expected, _ = whole
    root = new_root(small_disk / "data", like=like)
    before = current_id(root / "published")
    with Reading(root) as reading:
        # Each run gets further than the one before it, since that one's rubbish does not stand in its way.
        for step in ("promoted transcripts", "dbt statement 400", "publish begun"):
            ran = runner.run(root, fill_at=step)
            assert ran.code == 1, f"{step}: {ran.code} {ran.said}"
            assert any(words in ran.said for words in DISK_FULL), f"{step}: {ran.said}"
            assert "Traceback" not in ran.said
            assert current_id(root / "published") == before
            assert differing(dump(root), expected) == []
            (root / BALLAST).unlink()
        last = runner.run(root)
    assert last.code in DONE, last.said
    assert current_id(root / "published") != before
    assert reading.errors == []
    assert_equal_and_clean(root, expected)
    report(record_property, 3, expected, dump(root), reading.errors)
