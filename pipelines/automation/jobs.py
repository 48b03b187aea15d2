"""The one job: from the landing folder to a publication, for a day or a range of days."""

from __future__ import annotations

from datetime import date

import dagster as dg
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

DAILY_JOB = dg.define_asset_job(
    "daily",
    selection=dg.AssetSelection.all(),
    description="From the landing folder to a checked publication, for a day or a range of days.",
    tags={"dagster/max_retries": "1"},
)


def range_tags(first: date, last: date) -> dict[str, str]:
    """Run tags that make one run cover the days from `first` to `last`."""
    return {ASSET_PARTITION_RANGE_START_TAG: first.isoformat(), ASSET_PARTITION_RANGE_END_TAG: last.isoformat()}
