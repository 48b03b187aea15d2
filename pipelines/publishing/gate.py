"""The gate: whether what the warehouse holds may be published. It reads the ledger itself, not the order of runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Protocol

import duckdb

from pipelines.contracts import Table, all_tables
from pipelines.contracts.landing import DAYS, INTERACTIONS
from pipelines.lake import Lake, write_text
from pipelines.publishing.generations import current_id, identifier, remember
from pipelines.quality.ledger import Recorded, latest_by_fingerprint
from pipelines.quality.outcomes import CheckOutcome


class Warehouse(Protocol):
    """What the gate asks a warehouse: where it is, from which lake it comes, what each day of that lake holds."""

    @property
    def path(self) -> Path: ...

    @property
    def lake(self) -> Lake: ...

    def day_fingerprints(self) -> dict[str, str]: ...

    def known_partitions(self) -> AbstractContextManager[Callable[[Table, date], str | None]]: ...


@dataclass(frozen=True)
class DbtState:
    """The last build, as `build.json` beside the warehouse tells it; status is success, failed or none.

    `failed` names nodes; `days` are those that are loaded, with the fingerprint of what the lake held then.
    """

    status: str
    finished_at: str = ""
    failed: tuple[str, ...] = ()
    days: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, warehouse: Path) -> DbtState:
        """The state beside the warehouse file; status none where it can't be read."""
        try:
            about = json.loads((warehouse.parent / "build.json").read_text())
            return cls(about["status"], about["finished_at"], tuple(about["failed"]), dict(about["days"]))
        except (OSError, ValueError, TypeError, KeyError):
            return cls("none")


@dataclass(frozen=True)
class GateDecision:
    """Whether to publish; `refusals` are sentences, one for each thing that stands in the way; `by_rule` the same by
    the rule that said so, with rules that refuse nothing."""

    passed: bool
    refusals: tuple[str, ...] = ()
    by_rule: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)

    def outcomes(self) -> list[CheckOutcome]:
        """One outcome a rule, for the ledger: failing_rows counts what it refuses, detail says it."""
        return [
            CheckOutcome(
                stage="publication",
                table_name="publication/database",
                call_date=None,
                check_name=name,
                blocking=True,
                passed=not said,
                failing_rows=len(said),
                total_rows=None,
                detail=" ".join(said)[:2000],
                fingerprint="",
            )
            for name, said in self.by_rule.items()
        ]


@dataclass(frozen=True)
class _Asked:
    """What every rule is asked about."""

    warehouse: Warehouse
    build: DbtState
    required: Mapping[str, Collection[str]]
    ledger: Mapping[tuple[str, str | None], Mapping[str, Mapping[str, Recorded]]]


def gate(warehouse: Warehouse, required: Mapping[str, Collection[str]]) -> GateDecision:
    """Whether the warehouse may be published.

    It may where the last build succeeded and holds the lake as it is now; every loaded partition has, for its
    present content, passed all checks in `required` (table name -> blocking checks) and every other blocking one
    that was recorded; the last attempt at no partition failed; and ops_ledger reconciles with the lake.
    """
    asked = _Asked(warehouse, DbtState.read(warehouse.path), required, latest_by_fingerprint(warehouse.lake.root))
    by_rule = {name: tuple(dict.fromkeys(rule(asked))) for name, rule in RULES.items()}
    refusals = tuple(dict.fromkeys(sentence for sentences in by_rule.values() for sentence in sentences))
    return GateDecision(not refusals, refusals, by_rule)


def refuse(published: Path, refusals: Iterable[str], *, days: Iterable[str] = ()) -> Path:
    """Keep the last publication and mark it stale: STALE.json holds the reasons and since when; returns its path."""
    reasons = list(refusals)
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    before = stale(published)
    published.mkdir(parents=True, exist_ok=True)
    path = published / "STALE.json"
    since = before["since"] if before else now
    about = {"since": since, "checked_at": now, "current": current_id(published), "reasons": reasons}
    write_text(path, json.dumps(about, indent=1))
    remember(published, None, "refused", days=days, note="; ".join(reasons)[:2000])
    return path


def stale(published: Path) -> dict | None:
    """What STALE.json says (since, checked_at, current, reasons), None where the publication is fresh."""
    try:
        about = json.loads((published / "STALE.json").read_text())
    except (OSError, ValueError):
        return None
    return about if isinstance(about, dict) and "since" in about else None


def clear_stale(published: Path) -> None:
    """A publication has succeeded: nothing is stale any more."""
    (published / "STALE.json").unlink(missing_ok=True)


def _build_failed(asked: _Asked) -> list[str]:
    build = asked.build
    if build.status == "none":
        return ["The warehouse was never built."]
    if build.status != "success":
        return [f"The last build of the warehouse failed: {_list(build.failed) or 'no reason was recorded'}."]
    return []


def _lake_differs(asked: _Asked) -> list[str]:
    build = asked.build
    if build.status != "success":
        return []
    lake_days = asked.warehouse.day_fingerprints()
    changed = sorted(d for d in lake_days.keys() & build.days.keys() if lake_days[d] != build.days[d])
    missing, gone = sorted(lake_days.keys() - build.days.keys()), sorted(build.days.keys() - lake_days.keys())
    refusals = []
    if changed:
        refusals.append(f"The lake has changed since the warehouse was built: {_list(changed)}. Build it again.")
    if missing:
        refusals.append(f"The warehouse lacks days that are in the lake: {_list(missing)}. Build it again.")
    if gone:
        refusals.append(f"The warehouse holds days that are not in the lake any more: {_list(gone)}. Build it again.")
    if not build.days:
        refusals.append("The warehouse holds no day.")
    return refusals


def _partitions_not_passed(asked: _Asked) -> list[str]:
    loaded = sorted(asked.build.days)
    refusals = []
    with asked.warehouse.known_partitions() as print_of:
        for name, table in all_tables().items():
            for day in loaded if table.daily else [None]:
                outcomes = asked.ledger.get((name, day), {})
                required = asked.required.get(name, ())
                refusals += _partition_refusals(asked.warehouse.lake, print_of, table, day, outcomes, required)
    return refusals


def _attempts_failed(asked: _Asked) -> list[str]:
    """A partition whose checks failed is not written: it can be seen in the ledger only."""
    lake, tables = asked.warehouse.lake, all_tables()
    awaited = {*asked.build.days, *map(str, lake.read(DAYS)["call_date"])} if lake.manifest(DAYS) else None
    refusals = []
    for (name, day), by_print in asked.ledger.items():
        if name not in tables or (day and awaited is not None and day not in awaited):
            continue
        failed = _failed(list(by_print.values())[-1])
        if failed:
            refusals.append(f"{_partition(name, day)} failed its checks when it was last made: {_list(failed)}.")
    return refusals


def _partition_refusals(
    lake: Lake,
    print_of: Callable[[Table, date], str | None],
    table: Table,
    day: str | None,
    by_print: Mapping[str, Mapping[str, Recorded]],
    required: Collection[str],
) -> list[str]:
    when = date.fromisoformat(day) if day else None
    what = _partition(table.name, day)
    if when:
        fingerprint = print_of(table, when)
    else:
        manifest = lake.manifest(table)
        fingerprint = manifest.fingerprint if manifest else None
    if fingerprint is None:
        if lake.path(table, when).exists():
            return [
                f"{what} can't be trusted: its manifest is missing or not that of its data, or it was "
                "made by an earlier version. Run the day again."
            ]
        return []
    recorded = by_print.get(fingerprint, {})
    failed = _failed(recorded)
    unchecked = [check for check in required if check not in recorded]
    refusals = []
    if failed:
        refusals.append(f"{what} failed its checks: {_list(failed)}.")
    if unchecked and len(unchecked) == len(required):
        refusals.append(f"{what} was never checked as it is now.")
    elif unchecked:
        refusals.append(f"{what} was not checked for: {_list(unchecked)}.")
    return refusals


def _failed(recorded: Mapping[str, Recorded]) -> list[str]:
    return [
        f"{r.check_name} ({r.failing_rows} of {r.total_rows} rows)"
        for r in recorded.values()
        if r.blocking and not r.passed
    ]


def _interactions_lost(asked: _Asked) -> list[str]:
    """received = scored + excluded + quarantined on every day, and received is what the lake holds."""
    if asked.build.status != "success":
        return []
    try:
        with duckdb.connect(str(asked.warehouse.path), read_only=True) as connection:
            place = connection.execute(
                "select table_schema from information_schema.tables where table_name = 'ops_ledger'"
            ).fetchone()
            if place is None:
                return ["The warehouse has no ops_ledger: nothing proves that the interactions add up."]
            rows = connection.execute(
                f"select call_date, received, scored + excluded + quarantined from {identifier(place[0])}.ops_ledger"
            ).fetchall()
    except duckdb.Error as error:
        return [f"ops_ledger can't be read: {error}"]
    refusals = []
    found = {str(day): received for day, received, _ in rows}
    for day, received, accounted in sorted(rows, key=str):
        if received is None or received != accounted:
            refusals.append(
                f"The interactions of {day} don't add up: {received} received, {accounted} scored, "
                "excluded or in quarantine."
            )
    for day in sorted(asked.build.days):
        manifest = asked.warehouse.lake.manifest(INTERACTIONS, date.fromisoformat(day))
        if manifest and manifest.rows != found.get(day, 0):
            refusals.append(
                f"The lake has {manifest.rows} interactions of {day}, ops_ledger counts {found.get(day, 0)}."
            )
    return refusals


# Every rule of the gate: what it finds, in sentences; in the order in which they are said.
RULES: dict[str, Callable[[_Asked], list[str]]] = {
    "the_last_build_succeeded": _build_failed,
    "the_warehouse_holds_the_lake_as_it_is": _lake_differs,
    "every_partition_passed_its_checks_as_it_is": _partitions_not_passed,
    "no_partition_failed_its_checks_when_it_was_last_made": _attempts_failed,
    "every_interaction_is_accounted_for": _interactions_lost,
}


def _partition(name: str, day: str | None) -> str:
    return f"{name} of {day}" if day else name


def _list(words: Iterable[str], most: int = 8) -> str:
    words = list(words)
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return ", ".join(words[:most]) + more
