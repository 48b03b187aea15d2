"""The landing sensor: what came in is scored within minutes."""

import dagster as dg

from pipelines.automation.jobs import DAILY_JOB, range_tags
from pipelines.contracts.landing import DAYS
from pipelines.lake import fingerprint
from pipelines.publishing.days import ranges, unpublished_days
from pipelines.resources.lake import LakeResource
from pipelines.resources.landing import LandingResource


@dg.sensor(
    job=DAILY_JOB,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Looks at the landing folder every 30 s and runs the days for which something came in or changed.",
)
def landing_sensor(context: dg.SensorEvaluationContext, lake: LakeResource, landing: LandingResource):
    try:
        days = landing.open().day_table()
    except FileNotFoundError as error:
        return dg.SkipReason(str(error))
    waiting = unpublished_days(lake.open(), days)
    if not waiting:
        return dg.SkipReason(f"nothing new: {days.height} days in the landing folder are published ({DAYS.name})")
    return [
        dg.RunRequest(
            run_key=f"landing {first} {last} {fingerprint(*(k for d, k in waiting.items() if first <= d <= last))}",
            tags=range_tags(first, last),
        )
        for first, last in ranges(waiting)
    ]
