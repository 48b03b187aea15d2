"""Daily partitions by call date, in the centre's time zone; today has one already."""

import dagster as dg

from pipelines.settings import Settings

_SETTINGS = Settings.from_environment()

DAILY = dg.DailyPartitionsDefinition(start_date=_SETTINGS.first_day, timezone=_SETTINGS.timezone, end_offset=1)
