"""Freshness: by when yesterday must have been taken in and published. Dagster's daemon watches, and its UI shows it.

Dagster's policies look at an asset, not at its partitions: when each day was taken in and measured stands in
ops_freshness, and the days that wait are those that the landing sensor asks for.
"""

from datetime import timedelta

import dagster as dg

from pipelines.automation.partitions import DAILY
from pipelines.quality.limits import read_limits
from pipelines.settings import Settings

_LIMITS = read_limits(Settings.from_environment().seeds)

BY_MORNING = dg.FreshnessPolicy.cron(
    deadline_cron=f"0 {_LIMITS['fresh_by_hour']:.0f} * * *",
    lower_bound_delta=timedelta(hours=_LIMITS["fresh_within_h"]),
    timezone=DAILY.timezone,
)
