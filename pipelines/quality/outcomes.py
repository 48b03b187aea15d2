"""The outcome of a check: a count and a verdict, never a value out of the data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pipelines.contracts import Table


@dataclass(frozen=True)
class CheckOutcome:
    """Whether one check passed on one partition.

    `call_date` is ISO text, None for tables that aren't daily; `fingerprint` is that of the partition's content;
    `total_rows` is None where nobody counted (dbt's tests, the gate's rules); `detail` says what is wrong in words and
    counts. No field ever carries an offending value.
    """

    stage: str
    table_name: str
    call_date: str | None
    check_name: str
    blocking: bool
    passed: bool
    failing_rows: int
    total_rows: int | None
    detail: str
    fingerprint: str


def outcome(
    table: Table,
    day: date | None,
    check_name: str,
    failing_rows: int,
    total_rows: int,
    *,
    fingerprint: str,
    blocking: bool = True,
    passed: bool | None = None,
    detail: str = "",
) -> CheckOutcome:
    """The outcome of `check_name` on the partition; it passed where no row fails, unless `passed` says otherwise."""
    return CheckOutcome(
        stage=table.stage,
        table_name=table.name,
        call_date=day.isoformat() if table.daily and day else None,
        check_name=check_name,
        blocking=blocking,
        passed=failing_rows == 0 if passed is None else passed,
        failing_rows=int(failing_rows),
        total_rows=int(total_rows),
        detail=detail,
        fingerprint=fingerprint,
    )
