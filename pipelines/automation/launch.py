"""Running the daily job in this process, for the command line: the same job that Dagster's daemon runs."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dagster as dg
import yaml

from pipelines.automation.event_log import BATCH, configured
from pipelines.automation.executors import execute_elsewhere
from pipelines.automation.guard import running
from pipelines.automation.jobs import range_tags
from pipelines.automation.progress import progress_logger, shown
from pipelines.contracts import all_tables
from pipelines.lake import write_text
from pipelines.publishing.lock import writer_lock
from pipelines.settings import SettingError, Settings


@dataclass(frozen=True)
class RunResult:
    """What a run came to: `failed_checks` are blocking checks, `errors` are steps that failed for another reason."""

    run_id: str
    success: bool
    failed_checks: tuple[str, ...]
    warnings: tuple[str, ...]
    errors: tuple[str, ...]


def prepare_home(settings: Settings) -> Path:
    """Dagster's folder under the data root, with the configuration of IQS_DAGSTER_YAML (telemetry off as shipped)."""
    home = settings.data / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    try:
        chosen = configured(settings.dagster_yaml.read_text(), home)
    except (OSError, yaml.YAMLError) as error:
        raise SettingError(f"IQS_DAGSTER_YAML={str(settings.dagster_yaml)!r} can't be read: {error}") from error
    if not (home / "dagster.yaml").exists() or (home / "dagster.yaml").read_text() != chosen:
        write_text(home / "dagster.yaml", chosen)
    return home


@contextmanager
def instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """Dagster's storage under the data root.

    One process at a time opens it: of two that make its databases, each would write its version into the other's, and
    nothing could open them any more.
    """
    home = prepare_home(settings)
    os.environ |= {"DAGSTER_HOME": str(home), **BATCH}
    with writer_lock(home / "opening.lock", "opening Dagster's storage", 60):
        opened = dg.DagsterInstance.from_config(str(home))
    with opened:
        yield opened


def run_days(
    definitions: dg.Definitions,
    settings: Settings,
    first: date,
    last: date,
    *,
    storage: dg.DagsterInstance | None = None,
    only: Sequence[dg.AssetKey] | None = None,
) -> RunResult:
    """Run the daily job for the days from `first` to `last`, in this process, and say what it came to.

    One run at a time on a data root: waits for another one, and raises LockHeld naming it where that takes too long.

    `storage` is where Dagster keeps the run; by default the installation's own, so that its UI shows it. `only` narrows
    the run to these assets.
    """
    how = {
        "asset_selection": only,
        # Who started it by hand starts it again by hand: the daemon doesn't know where it came from.
        "tags": range_tags(first, last) | {"dagster/max_retries": "0"},
        "run_config": {"loggers": {"progress": {}}},
        "raise_on_error": False,
    }
    with nullcontext(storage) if storage else instance(settings) as storage, shown():
        if settings.executor:  # which holds the data root itself
            result = execute_elsewhere(storage, **how)
        else:
            job, run_id = definitions.resolve_job_def("daily"), str(uuid.uuid4())
            with running(settings, run_id, storage):
                result = job.execute_in_process(instance=storage, run_id=run_id, **how)
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


def from_the_lake(definitions: dg.Definitions) -> list[dg.AssetKey]:
    """The assets that are made from the lake alone: the warehouse and the publication."""
    in_the_lake = {dg.AssetKey(name.split("/")) for name in all_tables()}
    nodes = definitions.resolve_job_def("daily").asset_layer.executable_asset_keys
    return sorted(set(nodes) - in_the_lake)


LOGGERS: dict[str, dg.LoggerDefinition] = {"console": dg.colored_console_logger, "progress": progress_logger}
