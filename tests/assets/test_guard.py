"""One run at a time on a data root, also for the runs that Dagster's daemon starts."""

import dagster as dg
import pytest
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run

from pipelines.automation import guard
from pipelines.automation.guard import data_root_held, end_dead_runs, one_run_at_a_time, running
from pipelines.publishing.lock import LockHeld
from pipelines.settings import Settings


@pytest.fixture
def settings(tmp_path):
    return Settings(data=tmp_path / "data")


def run_as_the_daemon_does(settings, storage) -> tuple[dg.DagsterRun, list[str]]:
    """A run under the executor of the installation; what its only step met when it asked for the data root."""
    met = []

    @dg.op
    def ask():
        try:
            with data_root_held(settings, "the step", wait_s=0):
                met.append("nobody")
        except LockHeld as held:
            met.append(held.holder["holder"])

    @dg.job(executor_def=one_run_at_a_time(settings))
    def asking():
        ask()

    run = storage.create_run_for_job(asking)
    execute_run(InMemoryJob(asking), run, storage)
    return storage.get_run_by_id(run.run_id), met


def test_a_run_holds_the_data_root_until_it_has_ended(settings, tmp_path):
    with dg.DagsterInstance.local_temp(str(tmp_path)) as storage:
        run, met = run_as_the_daemon_does(settings, storage)
        assert run.is_success
        assert met == [f"run {run.run_id}"]
        with data_root_held(settings, "afterwards", wait_s=0):
            pass
        assert end_dead_runs(settings, storage) == []
        assert list((settings.data / "dagster" / "alive").iterdir()) == []


def test_a_run_whose_end_could_not_be_written_is_ended_by_the_next_and_frees_its_pool(settings, tmp_path):
    with dg.DagsterInstance.local_temp(str(tmp_path)) as storage:
        storage.event_log_storage.set_concurrency_slots("warehouse", 1)
        claim = storage.event_log_storage.claim_concurrency_slot
        run = storage.create_run_for_job(dg.GraphDefinition(name="job").to_job(), status=dg.DagsterRunStatus.STARTED)
        with running(settings, run.run_id, storage):
            assert claim("warehouse", run.run_id, "build").is_claimed
        with running(settings, "the-next", storage):
            assert storage.get_run_by_id(run.run_id).status == dg.DagsterRunStatus.FAILURE
            assert claim("warehouse", "the-next", "build").is_claimed


@pytest.mark.parametrize("status", ["NOT_STARTED", "STARTING", "STARTED", "CANCELING"])
def test_a_run_is_ended_whatever_it_was_about_to_do_when_it_was_killed_and_a_new_one_is_left_alone(
    settings, tmp_path, status
):
    with dg.DagsterInstance.local_temp(str(tmp_path)) as storage:
        job = dg.GraphDefinition(name="job").to_job()
        killed, new = (storage.create_run_for_job(job, status=dg.DagsterRunStatus(status)) for _ in range(2))
        left = settings.data / "dagster" / "alive" / killed.run_id
        left.parent.mkdir(parents=True)
        left.touch()  # its lock ended with its process
        assert end_dead_runs(settings, storage) == [killed.run_id]
        assert storage.get_run_by_id(killed.run_id).status == dg.DagsterRunStatus.FAILURE
        assert storage.get_run_by_id(new.run_id).status.value == status
        assert not left.exists()


def test_a_run_that_waited_in_vain_fails_and_names_the_holder(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(guard, "DAEMON_WAIT_S", 0.2)
    with (
        dg.DagsterInstance.local_temp(str(tmp_path)) as storage,
        data_root_held(settings, "a backfill by hand"),
    ):
        run, met = run_as_the_daemon_does(settings, storage)
        assert run.status == dg.DagsterRunStatus.FAILURE
        assert met == []
        said = "\n".join(str(e.dagster_event.event_specific_data) for e in storage.all_logs(run.run_id))
        assert "a backfill by hand" in said


def test_what_a_killed_writer_left_is_gone_once_the_data_root_is_held(settings):
    left = settings.lake / ".staging" / "0123.parquet"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"PAR1 and half of a")
    with data_root_held(settings, "the next run"):
        assert not left.exists()
