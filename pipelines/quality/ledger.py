"""The ledger of checks: every outcome of every run, one JSON object a line, only ever appended to.

A run writes `<lake>/ops/dq_results/<run_id>.jsonl`; `000.jsonl` stays empty, so that a glob over the folder always
finds a file. A crash may leave the last line of a file torn: `rows` leaves it out, the next append
and `ensure` cut it off.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from pipelines.contracts.logs import LOGS
from pipelines.quality.outcomes import CheckOutcome

# Types for DuckDB's read_json(..., columns = {...}): an empty file then has the same columns as a full one.
COLUMNS = {
    "run_id": "VARCHAR",
    "checked_at": "TIMESTAMP",
    "stage": "VARCHAR",
    "table_name": "VARCHAR",
    "call_date": "DATE",
    "check_name": "VARCHAR",
    "blocking": "BOOLEAN",
    "passed": "BOOLEAN",
    "failing_rows": "BIGINT",
    "total_rows": "BIGINT",
    "detail": "VARCHAR",
    "fingerprint": "VARCHAR",
}
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,119}")


@dataclass(frozen=True)
class Recorded(CheckOutcome):
    """An outcome as it stands in the ledger: `run_id` checked it at `checked_at` (ISO, UTC)."""

    run_id: str
    checked_at: str


_FIELDS = {f.name for f in fields(Recorded)}


def folder(lake_root: Path) -> Path:
    """Folder of the ledger's files."""
    return lake_root / "ops" / "dq_results"


def ensure(lake_root: Path) -> Path:
    """Make the ledger ready for readers that know no torn lines (dbt): call it before a build; returns the folder.

    The folder has its empty first file then, the other logs (contracts/logs.py) are there too, and lines that a crash
    tore are cut off.
    """
    path = _make(lake_root)
    others = [log.path(lake_root) for log in LOGS]
    for file in others:
        file.touch()
    for file in (*path.glob("*.jsonl"), *others):
        if file.stat().st_size:
            append_lines(file, [])
    return path


def _make(lake_root: Path) -> Path:
    path = folder(lake_root)
    path.mkdir(parents=True, exist_ok=True)
    (path / "000.jsonl").touch()
    return path


def record(lake_root: Path, run_id: str, outcomes: Iterable[CheckOutcome]) -> int:
    """Append the outcomes of a run and flush them to the disk; returns how many.

    Raises ValueError where `run_id` can't be a file's name.
    """
    if not _RUN_ID.fullmatch(run_id):
        raise ValueError(f"run id {run_id!r} can't be the name of a file")
    checked_at = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    rows = [{"run_id": run_id, "checked_at": checked_at} | asdict(o) for o in outcomes]
    if not rows:
        return 0
    append_lines(_make(lake_root) / f"{run_id}.jsonl", rows)
    return len(rows)


def append_lines(path: Path, rows: list[dict]) -> None:
    """Append the rows to a file of JSON lines in one write and flush it; a torn last line is cut off before."""
    lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
    is_new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        cut = _cut_torn_line(descriptor)
        while lines:
            lines = lines[os.write(descriptor, lines) :]
            cut = True
        if cut:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if is_new:
        flush_folder(path.parent)


def read_lines(path: Path, holding: Collection[bytes] = ()) -> Iterator[dict]:
    """The JSON objects of a file of JSON lines; lines that a crash tore are left out. Nothing where it is missing.

    Of a long file only the lines that hold one of these texts are parsed.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return
    for line in content.splitlines():
        if holding and not any(text in line for text in holding):
            continue
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            yield row


def rows(lake_root: Path, tables: Collection[str] = ()) -> Iterator[Recorded]:
    """Every outcome in the ledger (of these tables), oldest first within a run's file, less torn lines."""
    named = [f'"{name}"'.encode() for name in tables]
    for path in sorted(folder(lake_root).glob("*.jsonl")):
        for row in read_lines(path, named):
            if row.keys() >= _FIELDS and (not tables or row["table_name"] in tables):
                yield Recorded(**{name: row[name] for name in _FIELDS})


def latest(lake_root: Path) -> dict[tuple[str, str | None, str], Recorded]:
    """The last outcome of each check: (table_name, call_date, check_name) -> outcome."""
    return _last(rows(lake_root), lambda r: (r.table_name, r.call_date, r.check_name))


def latest_by_fingerprint(
    lake_root: Path, tables: Collection[str] = ()
) -> dict[tuple[str, str | None], dict[str, dict[str, Recorded]]]:
    """The last outcome of each check on each content (of these tables): (table_name, call_date) -> fingerprint ->
    check_name -> outcome.

    Fingerprints stand in the order in which they were last checked.
    """
    last = _last(rows(lake_root, tables), lambda r: (r.table_name, r.call_date, r.fingerprint, r.check_name))
    found: dict[tuple[str, str | None], dict[str, dict[str, Recorded]]] = {}
    checked_at: dict[tuple, str] = {}
    for (table_name, call_date, print_, check_name), row in last.items():
        found.setdefault((table_name, call_date), {}).setdefault(print_, {})[check_name] = row
        key = (table_name, call_date, print_)
        checked_at[key] = max(checked_at.get(key, ""), row.checked_at)
    return {
        partition: dict(sorted(prints.items(), key=lambda item: checked_at[(*partition, item[0])]))
        for partition, prints in found.items()
    }


def _last(recorded: Iterable[Recorded], key: Callable[[Recorded], tuple]) -> dict:
    found: dict = {}
    for row in recorded:
        about = key(row)
        old = found.get(about)
        if old is None or row.checked_at >= old.checked_at:
            found[about] = row
    return found


def _cut_torn_line(descriptor: int) -> bool:
    """Cut off what follows the last line break: a crash left it there. Whether there was anything to cut."""
    size = os.fstat(descriptor).st_size
    if not size or os.pread(descriptor, 1, size - 1) == b"\n":
        return False
    os.ftruncate(descriptor, os.pread(descriptor, size, 0).rfind(b"\n") + 1)
    return True


def flush_folder(path: Path) -> None:
    """Flush a folder's entries to the disk, so that a new or renamed file survives a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
