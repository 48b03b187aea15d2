"""Running the daily job in this process, for the command line: the same job that Dagster's daemon runs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date

import dagster as dg

from pipelines.automation.jobs import range_tags
from pipelines.automation.progress import progress_logger
from pipelines.settings import PROJECT, Settings


@dataclass(frozen=True)
class RunResult:
    """What a run came to: `failed_checks` are blocking checks, `errors` are steps that failed for another reason."""

    run_id: str
    success: bool
    failed_checks: tuple[str, ...]
    warnings: tuple[str, ...]
    errors: tuple[str, ...]


@contextmanager
def instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """Dagster's storage under the data root, with the shipped configuration (telemetry off)."""
    home = settings.data / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    shutil.copy(PROJECT / "dagster.yaml", home / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(home)
    with dg.DagsterInstance.from_config(str(home)) as opened:
        yield opened


def run_days(
    definitions: dg.Definitions,
    settings: Settings,
    first: date,
    last: date,
    *,
    storage: dg.DagsterInstance | None = None,
) -> RunResult:
    """Run the daily job for the days from `first` to `last`, in this process, and say what it came to.

    `storage` is where Dagster keeps the run; by default the installation's own, so that its UI shows it.
    """
    job = definitions.resolve_job_def("daily")
    with nullcontext(storage) if storage else instance(settings) as storage:
        result = job.execute_in_process(
            instance=storage,
            tags=range_tags(first, last),
            run_config={"loggers": {"progress": {}}},
            raise_on_error=False,
        )
    failed, warned = [], []
    for check in result.get_asset_check_evaluations():
        if not check.passed:
            name = f"{check.asset_key.to_user_string()}: {check.check_name}"
            (failed if check.blocking else warned).append(name)
    errors = tuple(
        (e.step_failure_data.error.cause or e.step_failure_data.error).message.strip()
        for e in result.all_events
        if e.is_step_failure and e.step_failure_data.error
    )
    return RunResult(result.run_id, result.success, tuple(failed), tuple(warned), errors)


LOGGERS: dict[str, dg.LoggerDefinition] = {"console": dg.colored_console_logger, "progress": progress_logger}
