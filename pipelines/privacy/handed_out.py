"""Pages that were made for somebody, outside of a publication: a call's page with its sound, a client's report.

`handed_out.jsonl` under the data root says where they were put, so that an erasure finds those that are still there.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipelines.lake import write_text
from pipelines.settings import Settings


@dataclass(frozen=True)
class HandedOut:
    """One page or report: absolute paths of its files."""

    made_at: str
    files: tuple[str, ...]


def note(settings: Settings, made: Path) -> None:
    """Remember a page (with the sound beside it) or a folder of pages."""
    made = made.resolve()
    beside = made.parent.glob(f"{made.stem}.*") if made.is_file() else made.rglob("*")
    files = tuple(sorted(str(p) for p in beside if p.is_file()))
    entry = HandedOut(datetime.now(UTC).isoformat(timespec="seconds"), files)
    _write(settings, [*(e for e in there(settings) if e.files != files), entry])


def there(settings: Settings) -> list[HandedOut]:
    """What was handed out and is still where it was put, at least a file of it."""
    try:
        lines = _path(settings).read_text().splitlines()
    except FileNotFoundError:
        return []
    entries = [HandedOut(row["made_at"], tuple(row["files"])) for row in map(json.loads, lines)]
    return [e for e in entries if any(Path(f).is_file() for f in e.files)]


def remove(settings: Settings, entry: HandedOut) -> int:
    """Remove the entry's files and forget it; returns how many were there."""
    files = [Path(f) for f in entry.files if Path(f).is_file()]
    for file in files:
        file.unlink()
    _write(settings, [e for e in there(settings) if e != entry])
    return len(files)


def _path(settings: Settings) -> Path:
    return settings.data / "handed_out.jsonl"


def _write(settings: Settings, entries: list[HandedOut]) -> None:
    write_text(_path(settings), "".join(json.dumps(asdict(e)) + "\n" for e in entries))
    _path(settings).chmod(0o600)
