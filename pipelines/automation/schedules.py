"""The nightly run: yesterday's partition, at 02:00 in the centre's time zone."""

from datetime import timedelta

import dagster as dg

from pipelines.automation.jobs import DAILY_JOB
from pipelines.automation.partitions import DAILY


@dg.schedule(
    job=DAILY_JOB,
    cron_schedule="0 2 * * *",
    execution_timezone=DAILY.timezone,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Runs yesterday's partition. Missed ticks are made up for when the daemon is back.",
)
def nightly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    day = (context.scheduled_execution_time - timedelta(days=1)).strftime("%Y-%m-%d")
    return dg.RunRequest(run_key=f"nightly {day}", partition_key=day)
