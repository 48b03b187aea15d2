"""The limits of the checks: rows of seeds/check_limits.csv, which dbt's tests read as well."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from pipelines.settings import PROJECT

SHIPPED = PROJECT / "dbt_project" / "seeds"
_FILE = "check_limits.csv"


class LimitError(ValueError):
    """A row of check_limits.csv can't be read; the message names file, row and what it takes."""


def read_limits(folder: Path | None = None) -> Mapping[str, float]:
    """Limit → value: the rows in `folder` (the project's own by default), the shipped ones where it has none.

    So a folder of rules that is older than a check still has its limit. Raises LimitError.
    """
    shipped = _read(SHIPPED / _FILE, 0)
    own = (folder or SHIPPED) / _FILE
    if own == SHIPPED / _FILE or not own.exists():
        return shipped
    return {**shipped, **_read(own, own.stat().st_mtime_ns)}


@lru_cache(maxsize=8)
def _read(path: Path, changed_ns: int) -> Mapping[str, float]:
    """The rows of a file; `changed_ns` makes an edited one be read again."""
    limits: dict[str, float] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for line, row in enumerate(csv.DictReader(file), 2):
            name, value = row.get("name"), row.get("value")
            try:
                limits[name or ""] = float(value or "")
            except ValueError as error:
                raise LimitError(f"{path} row {line}: {name} has the value {value!r}; it takes a number") from error
    return limits
