"""Notices of runs: a failed run, and warnings that were not there before, reach whoever runs the machine."""

from collections.abc import Iterable

import dagster as dg
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)

from pipelines.alerts.notices import Notice, give_notice, last_key
from pipelines.lake import fingerprint
from pipelines.resources.lake import LakeResource
from pipelines.resources.notifier import Notifier
from pipelines.settings import SettingError

_MOST_LINES = 20
_LONGEST_LINE = 300


@dg.run_failure_sensor(
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=30,
    description="Tells of a failed run by the channels of the alerts, and writes it down in <lake>/ops/notices.jsonl.",
)
def failed_runs(context: dg.RunFailureSensorContext, lake: LakeResource, notifier: dg.ResourceParam[Notifier]):
    _tell(context, failure_notice(context.instance, context.dagster_run), lake, notifier)


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=30,
    description="Tells of warnings of a run that the last notice did not hold; the same ones are not told every night.",
)
def new_warnings(context: dg.RunStatusSensorContext, lake: LakeResource, notifier: dg.ResourceParam[Notifier]):
    notice = warning_notice(context.instance, context.dagster_run)
    told = last_key(lake.open().root, "warning")
    if notice is None and told is not None:
        # So that the same warnings are news when they come back.
        notice = Notice.of("warning", "IQS: no warnings", ["The checks that warned have passed."], "")
    if notice is None or notice.key == told:
        return dg.SkipReason("no warnings" if notice is None else "the same warnings as before")
    return _tell(context, notice, lake, notifier)


SENSORS = (failed_runs, new_warnings)


def failure_notice(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Notice:
    """What failed, on which days: blocking checks by name, steps with the first line of their error."""
    lines = [f"{name} failed on {rows} rows" for name, blocking, rows in _failed_checks(instance, run) if blocking]
    failures = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    for entry in failures:
        error = entry.dagster_event.step_failure_data.error
        cause = (error.cause or error) if error else None
        said = cause.message.strip().splitlines()[0][:_LONGEST_LINE] if cause and cause.message.strip() else ""
        lines.append(f"{entry.dagster_event.step_key}: {said}")
    lines = lines or ["The run ended without saying why: it may have been killed, or the machine was restarted."]
    lines += ["The last publication stays. `iqs status` shows where it stands, `iqs doctor` what is wrong."]
    return Notice.of("failure", f"IQS: the run {_days(run)} failed", lines[: _MOST_LINES + 1], run.run_id)


def warning_notice(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Notice | None:
    """The warnings of a run that succeeded; None where there are none."""
    found = sorted({name for name, blocking, _ in _failed_checks(instance, run) if not blocking})
    if not found:
        return None
    rows = {name: n for name, blocking, n in _failed_checks(instance, run) if not blocking}
    lines = [f"{name}: {rows[name]} rows" for name in found[:_MOST_LINES]]
    if len(found) > _MOST_LINES:
        lines.append(f"and {len(found) - _MOST_LINES} more")
    lines.append("It was published all the same. Dagster's checks and the table ops_dq_results show the rows' days.")
    return Notice.of("warning", f"IQS: {len(found)} warnings, run {_days(run)}", lines, fingerprint(*found))


def _failed_checks(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Iterable[tuple[str, bool, int]]:
    """(check, is it blocking, rows) of each check that did not pass."""
    for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION):
        check = entry.dagster_event.asset_check_evaluation_data
        if not check.passed:
            rows = check.metadata.get("failing_rows")
            blocking = check.severity == dg.AssetCheckSeverity.ERROR
            yield f"{check.asset_key.to_user_string()}: {check.check_name}", blocking, int(rows.value) if rows else 0


def _tell(context, notice: Notice, lake: LakeResource, notifier: Notifier) -> None:
    try:
        said = give_notice(notice, notifier.open(), lake.open().root)
    except SettingError as error:
        # A wrong address must not make the sensor fail for good: the run is in the UI in any case.
        context.log.warning(f"nobody was told of it: {error}")
        return
    for channel, words in said.items():
        context.log.info(f"{channel}: {words}")


def _days(run: dg.DagsterRun) -> str:
    first = run.tags.get(ASSET_PARTITION_RANGE_START_TAG) or run.tags.get(PARTITION_NAME_TAG)
    last = run.tags.get(ASSET_PARTITION_RANGE_END_TAG)
    if not first:
        return run.run_id[:8]
    return f"of {first}" if last in (None, first) else f"of {first} to {last}"
