"""Landing files without some of their rows: the other rows stay as they are, byte by byte where the format allows.

The file's time stays, since it says in which order files were delivered.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipelines.landing.rows import BadRow, UnreadableFile, csv_records, raw_rows

TEMPORARY = ".iqs-erase-"
Drop = Callable[[dict[str, str | None], str], bool]


@dataclass(frozen=True)
class Rewritten:
    """What became of a file: rows that were dropped, rows that are left; `path` is gone where none is left."""

    path: Path
    dropped: int
    left: int


def drop_rows(path: Path, drop: Drop) -> Rewritten:
    """Rewrite a CSV, JSON Lines or Parquet file without the rows for which `drop(row, its text)` holds.

    A row that can't be read is {} with its text. The new file replaces the old one in one rename; a file of which no
    row is left is removed; one without such a row is not touched. A kill leaves at the most a hidden temporary file
    without those rows (`remove_temporaries`).
    """
    suffix = path.suffix.lower()
    if suffix == ".csv":
        content, dropped, left = _csv(path, drop)
    elif suffix in (".jsonl", ".ndjson", ".json"):
        content, dropped, left = _json(path, drop)
    elif suffix in (".parquet", ".pq"):
        content, dropped, left = _parquet(path, drop)
    else:
        return Rewritten(path, 0, 0)
    if not dropped:
        return Rewritten(path, 0, left)
    if not left:
        path.unlink()
        return Rewritten(path, dropped, 0)
    stat = path.stat()
    temporary = path.with_name(f"{TEMPORARY}{secrets.token_hex(6)}.tmp")
    try:
        if isinstance(content, pl.DataFrame):
            content.write_parquet(temporary)
        else:
            temporary.write_bytes(content)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.chmod(stat.st_mode & 0o777)
        os.utime(temporary, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return Rewritten(path, dropped, left)


def remove_temporaries(folder: Path) -> None:
    """Remove what a killed rewriting left behind."""
    for path in folder.rglob(f"{TEMPORARY}*"):
        path.unlink(missing_ok=True)


def _csv(path: Path, drop: Drop) -> tuple[bytes, int, int]:
    kept, dropped, left, header = [], 0, 0, None
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        for text, cells in csv_records(file):
            if header is None:
                header = [] if isinstance(cells, BadRow) else [n.strip().lower().lstrip("\ufeff") for n in cells]
                kept.append(text)
                continue
            row = {} if isinstance(cells, BadRow) else dict(zip(header, cells, strict=False))
            if text.strip() and drop(row, text):
                dropped += 1
            else:
                kept.append(text)
                left += bool(text.strip())
    return "".join(kept).encode("utf-8", "surrogateescape"), dropped, left


def _json(path: Path, drop: Drop) -> tuple[bytes, int, int]:
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    if text.lstrip("\ufeff \t\r\n").startswith("["):
        try:
            items = json.loads(text.lstrip("\ufeff"))
        except ValueError:
            return b"", 0, 1
        kept = [i for i in items if not drop(_as_row(i), json.dumps(i, ensure_ascii=False))]
        return json.dumps(kept, ensure_ascii=False).encode(), len(items) - len(kept), len(kept)
    lines = text.split("\n")
    kept = []
    for line in lines:
        try:
            row = _as_row(json.loads(line.lstrip("\ufeff")))
        except (ValueError, RecursionError):
            row = {}
        if not line.strip() or not drop(row, line):
            kept.append(line)
    left = sum(1 for line in kept if line.strip())
    return "\n".join(kept).encode("utf-8", "surrogateescape"), len(lines) - len(kept), left


def _as_row(item: object) -> dict[str, str | None]:
    if not isinstance(item, dict):
        return {}
    return {str(k).strip().lower(): v if v is None or isinstance(v, str) else json.dumps(v) for k, v in item.items()}


def _parquet(path: Path, drop: Drop) -> tuple[pl.DataFrame, int, int]:
    try:
        frame = pl.read_parquet(path, hive_partitioning=False)
        rows = [row if isinstance(row, dict) else {} for _, row in raw_rows(path)]
    except (UnreadableFile, pl.exceptions.PolarsError, OSError):
        return pl.DataFrame(), 0, 1
    keep = [not drop(row, " ".join(v for v in row.values() if v)) for row in rows]
    kept = frame.filter(pl.Series(keep, dtype=pl.Boolean))
    return kept, frame.height - kept.height, kept.height
