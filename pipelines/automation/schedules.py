"""The nightly run: yesterday's partition, at 02:00 in the centre's time zone, and the nights that were missed."""

from datetime import date, timedelta

import dagster as dg
from dagster._core.storage.tags import PARTITION_NAME_TAG, SCHEDULE_NAME_TAG

from pipelines.automation.jobs import DAILY_JOB
from pipelines.automation.partitions import DAILY

# Dagster makes up for no missed tick of a schedule that is written as a function: the next one asks for them all.
LONGEST_LOOK_BACK = timedelta(days=31)


@dg.schedule(
    name="nightly",
    job=DAILY_JOB,
    cron_schedule="0 2 * * *",
    execution_timezone=DAILY.timezone,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Runs yesterday's partition, and those of the nights on which the daemon was not there (up to 31).",
)
def nightly(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest]:
    yesterday = (context.scheduled_execution_time - timedelta(days=1)).date()
    newest = _newest_asked_for(context.instance)
    first = yesterday if newest is None else max(newest + timedelta(days=1), yesterday - LONGEST_LOOK_BACK)
    days = [first + timedelta(days=i) for i in range((yesterday - first).days + 1)] or [yesterday]
    return [dg.RunRequest(run_key=f"nightly {day}", partition_key=day.isoformat()) for day in days]


def _newest_asked_for(instance: dg.DagsterInstance) -> date | None:
    """The newest day that this schedule ever asked for; the last runs hold it, whatever order they were made in."""
    runs = instance.get_runs(filters=dg.RunsFilter(tags={SCHEDULE_NAME_TAG: "nightly"}), limit=100)
    days = [date.fromisoformat(r.tags[PARTITION_NAME_TAG]) for r in runs if PARTITION_NAME_TAG in r.tags]
    return max(days, default=None)
