"""One run at a time on a data root, however it was started; and runs that died are found and marked as failed.

A run holds two file locks that the kernel releases however the process dies: `run.lock` of the data root, for which
other runs wait, and `dagster/alive/<run id>`, by which anyone can tell whether a run that Dagster believes to be under
way still has a process. Dagster itself can't tell: it never asks after runs that `iqs` started, nor after those of a
code server that was killed together with them.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import dagster as dg
from dagster._core.executor.in_process import InProcessExecutor

from pipelines.lake import up_to_date
from pipelines.publishing.lock import LockHeld, writer_lock
from pipelines.settings import Settings

# The daemon's only place may well wait for a backfill by hand.
DAEMON_WAIT_S = 6 * 3600.0
# Dagster's own limit for starting is 180 s: whoever has no lock after this time will not have one.
_SURELY_BEGUN_S = 600.0
_UNDER_WAY = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


@contextmanager
def data_root_held(settings: Settings, who: str, *, wait_s: float | None = None) -> Iterator[None]:
    """Be the only one that changes the data root for this block; `who` says in words who that is.

    Says on standard error for whom it waits, and raises LockHeld naming the holder after `wait_s` seconds (the
    setting IQS_RUN_WAIT_S where it is not given).
    """
    wait_s = settings.run_wait_s if wait_s is None else wait_s
    path = settings.data / "run.lock"
    with _first(path, who, wait_s), up_to_date(settings.lake, settings.bucket) as lake:
        lake.clean()
        yield


@contextmanager
def _first(path: Path, who: str, wait_s: float) -> Iterator[None]:
    lock = writer_lock(path, who, 0)
    try:
        lock.__enter__()
    except LockHeld as held:
        if wait_s <= 0:
            raise
        print(f"waiting for up to {wait_s:g} s: {held}", file=sys.stderr, flush=True)
        lock = writer_lock(path, who, wait_s)
        lock.__enter__()
    try:
        yield
    finally:
        lock.__exit__(None, None, None)


@contextmanager
def running(
    settings: Settings, run_id: str, storage: dg.DagsterInstance, *, wait_s: float | None = None
) -> Iterator[None]:
    """Hold the data root for the run `run_id`, and be seen to be alive; first, runs that died are marked as failed.

    The file by which it is seen stays until a later run finds its end in Dagster's storage: on a full disk a run ends
    without a word there.
    """
    path = _alive(settings, run_id)
    with writer_lock(path, f"run {run_id}", 0), data_root_held(settings, f"run {run_id}", wait_s=wait_s):
        end_dead_runs(settings, storage)
        yield


def end_dead_runs(settings: Settings, storage: dg.DagsterInstance) -> list[str]:
    """Mark as failed the runs that Dagster believes to be under way though their process is gone; returns their ids.

    That frees their place in the queue and the pools that they held, and lets the daemon try its own again.
    """
    ended = []
    for record in storage.get_run_records(filters=dg.RunsFilter(statuses=_UNDER_WAY)):
        run, path = record.dagster_run, _alive(settings, record.dagster_run.run_id)
        age_s = time.time() - (record.start_time or record.create_timestamp.timestamp())
        if not path.exists() and age_s < _SURELY_BEGUN_S:
            continue
        try:
            with writer_lock(path, "looking for dead runs", 0):
                storage.event_log_storage.free_concurrency_slots_for_run(run.run_id)
                storage.report_run_failed(run, "The process of this run is gone (killed, or the machine went down).")
        except LockHeld:
            continue
        ended.append(run.run_id)
    for path in _alive(settings, "").glob("*"):
        run = storage.get_run_by_id(path.name)
        if run is None or run.is_finished:
            with suppress(LockHeld), writer_lock(path, "looking for runs that ended", 0):
                path.unlink()
    return ended


def _alive(settings: Settings, run_id: str) -> Path:
    return settings.data / "dagster" / "alive" / run_id


def one_run_at_a_time(settings: Settings) -> dg.ExecutorDefinition:
    """The in-process executor, holding the data root; a step in a process of its own would cost 5-6 CPU-s each."""

    @dg.executor(name="one_run_at_a_time", config_schema=dg.in_process_executor.config_schema)
    def made(init_context: dg.InitExecutorContext) -> dg.Executor:
        plain = dg.in_process_executor.executor_creation_fn(init_context)
        return _Guarded(plain.retries, plain.step_dependency_config, plain.marker_to_close, settings=settings)

    return made


class _Guarded(InProcessExecutor):
    def __init__(self, *arguments, settings: Settings):
        super().__init__(*arguments)
        self._settings = settings

    def execute(self, plan_context, execution_plan):
        with running(self._settings, plan_context.run_id, plan_context.instance, wait_s=DAEMON_WAIT_S):
            yield from super().execute(plan_context, execution_plan)
