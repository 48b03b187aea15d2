"""Names taken out of what is not a table of ours: the orchestrator's storage, logs, lists of JSON lines."""

from __future__ import annotations

import os
import re
import secrets
import sqlite3
from contextlib import closing
from pathlib import Path

from pipelines.privacy.search import Names, sqlite_columns

ERASED = "[erased]"
_LINES = (".jsonl", ".ndjson", ".log", ".err", ".out", ".txt", ".csv")
# The history of publications and checks says what happened when, and holds no content: the name goes, the line stays.
_KEPT_LINES = ("history.jsonl", "publications.jsonl")


def scrub_sqlite(path: Path, names: Names) -> int:
    """Take the names out of every text of a SQLite database, with the table row of Markdown that they stand in.

    The file is written anew (VACUUM), so that no freed page keeps the bytes. Returns how many texts were changed.
    Raises sqlite3.OperationalError where another process keeps it locked for 30 s.
    """
    # A preview's row is between two line breaks, which JSON writes as a backslash and n.
    row = re.compile(rf'\|[^"\\]*{names.pattern.pattern}[^"\\]*\|')
    changed = 0
    with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as connection:
        connection.execute("pragma secure_delete = on")
        for table, columns in sqlite_columns(connection).items():
            for column in columns:
                cells = connection.execute(f'select rowid, "{column}" from "{table}" where "{column}" is not null')
                found = [(i, text) for i, text in cells.fetchall() if names.pattern.search(text)]
                for rowid, text in found:
                    clean = names.pattern.sub(ERASED, row.sub(f"| {ERASED} |", text))
                    connection.execute(f'update "{table}" set "{column}" = ? where rowid = ?', [clean, rowid])
                changed += len(found)
        connection.execute("pragma wal_checkpoint(truncate)").fetchall()
        connection.execute("vacuum")
        connection.execute("pragma wal_checkpoint(truncate)").fetchall()
    return changed


def scrub_text(path: Path, names: Names) -> int:
    """Take the names out of a text file: lines that hold one go where lines are records, else the name goes.

    Returns how many lines were changed; the file is replaced at once. Files that are no text are removed.
    """
    lines = path.read_bytes().splitlines(keepends=True)
    hit = [bool(names.bytes_pattern.search(line)) for line in lines]
    if path.suffix in _LINES and path.name not in _KEPT_LINES and "dq_results" not in path.parts:
        kept = [line for line, bad in zip(lines, hit, strict=True) if not bad]
    else:
        kept = [names.bytes_pattern.sub(ERASED.encode(), line) for line in lines]
    temporary = path.with_name(f".{secrets.token_hex(6)}.tmp")
    temporary.write_bytes(b"".join(kept))
    temporary.chmod(path.stat().st_mode & 0o777)
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(temporary, path)
    return sum(hit)
