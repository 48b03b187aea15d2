"""The landing sensor: what came in is scored within minutes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from dagster._core.storage.tags import RUN_KEY_TAG

from pipelines.automation.guard import end_dead_runs
from pipelines.automation.jobs import DAILY_JOB, range_tags
from pipelines.contracts.landing import DAYS
from pipelines.lake import fingerprint
from pipelines.publishing.days import ranges, unpublished_days
from pipelines.resources.lake import LakeResource
from pipelines.resources.landing import LandingResource
from pipelines.settings import Settings

_FAILED = (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
_MOST_ATTEMPTS = 10  # three weeks


@dg.sensor(
    job=DAILY_JOB,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Looks at the landing folder every 30 s and runs the days for which something came in or changed.",
)
def landing_sensor(context: dg.SensorEvaluationContext, lake: LakeResource, landing: LandingResource):
    # A run that died holds the only place in the queue: the daemon itself never asks after it.
    settings = Settings(data=Path(lake.root).parent)
    for run_id in end_dead_runs(settings, context.instance):
        context.log.warning(f"run {run_id} had died and is marked as failed")
    try:
        days = landing.open().day_table()
    except FileNotFoundError as error:
        return dg.SkipReason(str(error))
    waiting = unpublished_days(lake.open(), days)
    if not waiting:
        return dg.SkipReason(f"nothing new: {days.height} days in the landing folder are published ({DAYS.name})")
    asked = []
    for first, last in ranges(waiting):
        content = fingerprint(*(key for day, key in waiting.items() if first <= day <= last))
        key = attempt(context.instance, f"landing {first} {last} {content}", now=datetime.now(UTC))
        asked.append(dg.RunRequest(run_key=key, tags=range_tags(first, last)))
    return asked


def attempt(instance: dg.DagsterInstance, key: str, *, now: datetime) -> str:
    """The run key for these days as they are: a key is used once, so what failed gets a new one when its time has come.

    That is an hour after the failure, then two, four, …: a disk that was full or a share that was away is back without
    anything new having come in.
    """
    for number in range(_MOST_ATTEMPTS):
        this = f"{key} again {number}" if number else key
        records = instance.get_run_records(filters=dg.RunsFilter(tags={RUN_KEY_TAG: this}))
        failed = [r for r in records if r.dagster_run.status in _FAILED]
        if not records or len(failed) < len(records):
            return this
        ended = max(r.update_timestamp.replace(tzinfo=UTC) for r in failed)
        if now - ended < timedelta(hours=2**number):
            return this
    return this
