"""Daily partitions by call date, in the centre's time zone; today has one already."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

import dagster as dg

from pipelines.settings import Settings

_SETTINGS = Settings.from_environment()


class _Days(dg.DailyPartitionsDefinition):
    """Dagster asks for all days once for every edge from a daily table to a whole one; each list takes it 20 ms."""

    def get_partition_keys(
        self, current_time: datetime | None = None, dynamic_partitions_store: object = None
    ) -> Sequence[str]:
        return list(_days(self, self.get_last_partition_key(), current_time))


@lru_cache(maxsize=4)
def _days(days: _Days, _last: str | None, current_time: datetime | None) -> Sequence[str]:
    return super(_Days, days).get_partition_keys(current_time)


DAILY = _Days(start_date=_SETTINGS.first_day, timezone=_SETTINGS.timezone, end_offset=1)
