"""Where steps run: all in one process, on Celery workers, or each in a pod of its own (IQS_EXECUTOR).

Whatever runs the steps, the run itself has one process that holds the data root, so that one run is at work at a time.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._config import validate_config
from dagster._core.definitions.reconstruct import ReconstructableJob, ReconstructableRepository

from pipelines.automation.guard import DAEMON_WAIT_S, one_run_at_a_time, running
from pipelines.settings import PROJECT, SettingError, Settings

DEPLOY = Path(__file__).resolve().parent / "deploy"
KINDS = ("celery", "k8s")
_BROKER = "CELERY_BROKER_URL"


def executor_of(settings: Settings) -> dg.ExecutorDefinition:
    """The executor of an installation. Raises SettingError where IQS_EXECUTOR, or what it needs, can't be used."""
    if not settings.executor:
        return one_run_at_a_time(settings)
    plain = _distributed(settings.executor)
    config = executor_config(settings)
    checked = validate_config(plain.config_schema.config_type, config)
    if not checked.success:
        raise SettingError("IQS_EXECUTOR_CONFIG can't be used: " + "; ".join(e.message for e in checked.errors))

    @dg.executor(name=settings.executor, config_schema=plain.config_schema, requirements=plain._requirements_fn)
    def made(init_context: dg.InitExecutorContext) -> dg.Executor:
        return _Held(plain.executor_creation_fn(init_context), settings)

    return made.configured(config, name=settings.executor)


def executor_config(settings: Settings) -> dict[str, Any]:
    """What stands under `execution: config:` in IQS_EXECUTOR_CONFIG, or in the shipped file of the executor's kind."""
    import yaml

    path = settings.executor_config
    path = DEPLOY / f"{settings.executor}.yaml" if path == Path() else path
    try:
        config = yaml.safe_load(path.read_text())["execution"]["config"]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        # The worker's own command line takes AMQP on localhost without a word where these two keys are missing.
        raise SettingError(
            f"IQS_EXECUTOR_CONFIG={str(path)!r} can't be used: it must begin with `execution:`, and `config:` below it "
            f"({type(error).__name__}: {error})"
        ) from error
    if settings.executor == "celery" and not os.environ.get(_BROKER):
        raise SettingError(f"IQS_EXECUTOR=celery needs {_BROKER}, the address of the broker: redis://host:6379/0")
    return config


def _distributed(kind: str) -> dg.ExecutorDefinition:
    try:
        if kind == "celery":
            from dagster_celery.executor import celery_executor as found
        elif kind == "k8s":
            from dagster_k8s.executor import k8s_job_executor as found
        else:
            raise SettingError(
                f"IQS_EXECUTOR={kind!r} is none of {', '.join(KINDS)}; empty: one process does everything"
            )
    except ImportError as error:
        raise SettingError(
            f"IQS_EXECUTOR={kind} needs packages that are not installed: pip install 'iqs[distributed]' ({error})"
        ) from error
    return found


class _Held(dg.Executor):
    """Another executor, which holds the data root while it is at work."""

    def __init__(self, plain: dg.Executor, settings: Settings):
        self._plain, self._settings = plain, settings

    def __getattr__(self, name: str) -> Any:  # Dagster's loops ask their executor for more than the interface has
        return getattr(self._plain, name)

    @property
    def retries(self):
        return self._plain.retries

    @property
    def step_dependency_config(self):
        return self._plain.step_dependency_config

    def execute(self, plan_context, execution_plan) -> Iterator[dg.DagsterEvent]:
        with running(self._settings, plan_context.run_id, plan_context.instance, wait_s=DAEMON_WAIT_S):
            yield from self._plain.execute(plan_context, execution_plan)


def reconstructable_daily_job() -> ReconstructableJob:
    """The daily job as other processes load it again: by the module's name, with the settings of their environment."""
    found = ReconstructableRepository.for_module("pipelines.definitions", "defs", working_directory=str(PROJECT))
    return found.get_reconstructable_job("daily")


def execute_elsewhere(storage: dg.DagsterInstance, **how: Any) -> dg.ExecutionResult:
    """Run the daily job with its own executor, wherever that runs the steps; `how` is as for dagster.execute_job."""
    # Celery warns of what dagster-celery does at every step: its task by the name that it has already.
    warnings.filterwarnings("ignore", message="Task name 'execute_plan' is already registered")
    with dg.execute_job(reconstructable_daily_job(), instance=storage, **how) as result:
        return result
