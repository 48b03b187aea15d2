"""Which days are published, and from what: the difference to the landing folder is what is left to run."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, timedelta

import polars as pl

from pipelines.lake import Lake, write_text


def _path(lake: Lake):
    return lake.root / "ops" / "published_days.json"


def published_days(lake: Lake) -> dict[date, str]:
    """Day → key of what came in for it, as of its last publication."""
    try:
        return {date.fromisoformat(d): key for d, key in json.loads(_path(lake).read_text()).items()}
    except (OSError, ValueError):
        return {}


def unpublished_days(lake: Lake, days: pl.DataFrame) -> dict[date, str]:
    """Days of landing/days that were never published, or changed since; day → key, in order."""
    done = published_days(lake)
    rows = days.sort("call_date").select("call_date", "day_key").iter_rows()
    return {day: key for day, key in rows if done.get(day) != key}


def mark_published(lake: Lake, keys: dict[date, str]) -> None:
    """Remember that these days were published with these keys."""
    merged = published_days(lake) | keys
    write_text(_path(lake), json.dumps({d.isoformat(): k for d, k in sorted(merged.items())}, indent=0))


def ranges(days: Iterable[date], *, bridge_days: int = 7) -> list[tuple[date, date]]:
    """Days as ranges; gaps of up to `bridge_days` are bridged, since unchanged days cost next to nothing."""
    found: list[tuple[date, date]] = []
    for day in sorted(days):
        if found and day - found[-1][1] <= timedelta(days=bridge_days):
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found
