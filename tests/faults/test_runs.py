"""Runs beside each other, runs that died, a machine without a network."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines import TELEMETRY_OFF
from pipelines.automation.guard import data_root_held, end_dead_runs
from pipelines.automation.launch import instance
from pipelines.settings import Settings
from tests.faults.chain import AGAIN, DONE, REPOSITORY, Runner, differing, dump, new_root, report, unfinished_runs

DAEMON = Path(sys.executable).parent / "dagster-daemon"


@pytest.fixture(scope="module")
def runner():
    with Runner() as started:
        yield started


def test_a_second_run_on_a_data_root_is_refused_and_the_first_one_named(runner, tmp_path):
    root = new_root(tmp_path / "data", days=1)
    settings = Settings(data=root)
    begun = time.monotonic()
    with data_root_held(settings, "a backfill by hand"):
        ran = runner.run(root, environment={"IQS_RUN_WAIT_S": "1"})
    assert ran.code == 1
    assert time.monotonic() - begun >= 1
    assert "a backfill by hand" in ran.said
    assert str(os.getpid()) in ran.said
    assert "Traceback" not in ran.said
    assert not settings.published.exists()
    assert unfinished_runs(root) == []


def test_a_run_that_was_killed_is_marked_as_failed_and_a_living_one_is_left_alone(runner, tmp_path, monkeypatch):
    root = new_root(tmp_path / "data", days=1)
    settings = Settings(data=root)
    monkeypatch.setenv("DAGSTER_HOME", str(root / "dagster"))
    assert runner.run(root, die_at="recorded landing").killed
    assert unfinished_runs(root) == ["STARTED"]
    with data_root_held(settings, "this test"), instance(settings) as storage:
        waiting = runner.start(root)
        while "waiting" not in waiting.said():
            assert not waiting.ended(), waiting.said()
            time.sleep(0.1)
        (ended,) = end_dead_runs(settings, storage)
        assert storage.get_run_by_id(ended).status.value == "FAILURE"
        assert end_dead_runs(settings, storage) == []
        assert not waiting.ended()
        waiting.kill()
    assert waiting.wait(10).killed
    assert unfinished_runs(root) == []


@pytest.mark.slow
def test_two_runs_and_a_backfill_of_thirty_days_at_once_are_serialised(runner, tmp_path, record_property):
    root = new_root(tmp_path / "data")
    thirty = ("run", "--from", "2026-02-15", "--to", "2026-03-16")
    patient = {"IQS_RUN_WAIT_S": "3600"}
    started = [runner.start(root, order, environment=patient) for order in (("run",), thirty, AGAIN)]
    for run in started:
        ran = run.wait(1800)
        assert ran.code in DONE, ran.said
    assert unfinished_runs(root) == []
    together = dump(root)
    assert len(together["fct_interactions"]) == len(set(together["fct_interactions"])) == 8
    alone = new_root(tmp_path / "alone", like=root)
    assert runner.run(alone, thirty).code in DONE
    assert differing(together, dump(alone)) == []
    report(record_property, 3, dump(alone), together, [])


# A network of its own without a way out, whose kernel counts what was sent or found no way: what any library, in any
# thread or child, tried. The count is the last line of what is said.
WATCHED = (
    *("unshare", "--map-root-user", "--net", "sh", "-c"),
    """"$@"; code=$?; awk '/^Ip: [0-9]/ {print $11 + $13}' /proc/net/snmp; exit $code""",
    "watched",
)


@pytest.mark.promise
def test_without_a_network_everything_works_and_nothing_tries_to_connect(tmp_path, record_property):
    knock = "import socket; socket.socket().connect_ex(('192.0.2.1', 80))"
    probe = subprocess.run([*WATCHED, sys.executable, "-c", knock], capture_output=True, text=True)
    if probe.returncode:
        pytest.skip(f"a process can't be given a network of its own here: {probe.stderr.strip()[:200]}")
    assert int(probe.stdout) == 1  # the watch works
    root = new_root(tmp_path / "data")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("IQS_", "HF_")) and k not in TELEMETRY_OFF}
    environment |= {"IQS_DATA": str(root), "IQS_WORKERS": "1"}
    for command in (["run"], ["report"], ["status"], ["quarantine", "list"], ["docs"]):
        ran = subprocess.run(
            [*WATCHED, sys.executable, "-m", "pipelines.cli", *command],
            env=environment,
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=900,
        )
        assert ran.returncode in DONE, ran.stdout + ran.stderr
        assert int(ran.stdout.splitlines()[-1]) == 0, f"iqs {command[0]} tried to connect (strace tells whereto)"
    report(record_property, 1, dump(root), dump(root), [])


@pytest.mark.slow
def test_a_killed_run_worker_of_the_daemon_is_marked_as_failed_and_tried_again_once(
    tmp_path, monkeypatch, record_property
):
    root = new_root(tmp_path / "data", days=1)
    settings, home = Settings(data=root), root / "dagster"
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    with instance(settings):
        pass  # puts the shipped dagster.yaml there
    environment = {k: v for k, v in os.environ.items() if not k.startswith("IQS_")}
    environment |= {"DAGSTER_HOME": str(home), "IQS_DATA": str(root), "IQS_WORKERS": "1"}
    with data_root_held(settings, "the test"), (tmp_path / "daemon.log").open("w") as log:
        daemon = subprocess.Popen(
            [DAEMON, "run", "-w", REPOSITORY / "workspace.yaml"],
            cwd=REPOSITORY,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            with instance(settings) as storage:
                # The landing sensor asks for the day; its worker waits for the data root.
                first = until(lambda: worker_of(storage, root, 0), 300)
                os.kill(first[1], signal.SIGKILL)
                until(lambda: storage.get_run_by_id(first[0]).status.value == "FAILURE", 120)
                again = until(lambda: worker_of(storage, root, 1), 300)
                assert storage.get_run_by_id(again[0]).parent_run_id == first[0]
                os.kill(again[1], signal.SIGKILL)
                until(lambda: storage.get_run_by_id(again[0]).status.value == "FAILURE", 120)
                time.sleep(45)
                retries = [r for r in storage.get_runs() if r.root_run_id == first[0]]
                assert len(retries) == 1
                assert storage.event_log_storage.get_concurrency_run_ids() == set()
        finally:
            os.killpg(daemon.pid, signal.SIGTERM)
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(daemon.pid, signal.SIGKILL)
                daemon.wait()
    record_property("injected", 2)


def until(found, timeout_s: float):
    """What `found()` returns once that is something; AssertionError after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if result := found():
            return result
        time.sleep(0.5)
    raise AssertionError(f"not within {timeout_s:g} s")


def worker_of(storage, root: Path, retries: int) -> tuple[str, int] | None:
    """Run id and process of the run under way that is the first one, or the retry after `retries` failures."""
    for run in storage.get_runs():
        alive = root / "dagster" / "alive" / run.run_id
        if bool(run.parent_run_id) == bool(retries) and run.status.value == "STARTED" and alive.exists():
            holder = alive.read_text()
            if '"pid": ' in holder:
                return run.run_id, int(holder.split('"pid": ')[1].split(",")[0])
    return None
