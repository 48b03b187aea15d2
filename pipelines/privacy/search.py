"""Where a name (an id, a pseudonym) stands: in any table, database or file below some folders."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pipelines.publishing.generations import identifier

# A name ends where no character of an id follows: call-1 is not in call-17 and not in call-1-2.
_IN_AN_ID = "[A-Za-z0-9_-]"
_SQLITE = b"SQLite format 3\0"


# Columns in which a name is looked for as a whole, however short it is.
_ID_COLUMNS = ("interaction_id", "customer_id", "customer_key", "item")
# Matches nothing, in every dialect.
_NOTHING = r"\b\B"


@dataclass(frozen=True)
class Names:
    """What is looked for. Nothing shows the names: neither its text nor an error.

    In texts only names that say something are looked for (`telling`): 17 stands for many things.
    """

    names: tuple[str, ...] = field(repr=False)

    @property
    def telling(self) -> tuple[str, ...]:
        """Names of 5 characters or more that hold a digit, plain numbers from 7 digits on, and all long ones."""
        return tuple(
            n
            for n in self.names
            if len(n) >= 12 or (len(n) >= (7 if n.isdigit() else 5) and any(c.isdigit() for c in n))
        )

    @cached_property
    def _any(self) -> str:
        # In JSON other characters than ASCII stand escaped.
        forms = {form for n in self.telling for form in (n, json.dumps(n)[1:-1]) if form}
        return "|".join(sorted(map(re.escape, forms), key=len, reverse=True)) or _NOTHING

    @cached_property
    def pattern(self) -> re.Pattern:
        """For texts in Python."""
        return re.compile(f"(?<!{_IN_AN_ID})(?:{self._any})(?!{_IN_AN_ID})")

    @cached_property
    def bytes_pattern(self) -> re.Pattern:
        """For files' bytes."""
        return re.compile(self.pattern.pattern.encode())

    @property
    def linear(self) -> str:
        """For DuckDB and Polars, which know no looking around."""
        return f"(?:^|[^A-Za-z0-9_-])(?:{self._any})(?:$|[^A-Za-z0-9_-])"


def is_sqlite(path: Path) -> bool:
    """Whether a file is a SQLite database, by its first bytes."""
    with path.open("rb") as file:
        return file.read(16) == _SQLITE


def files_below(folders: Iterable[Path], skip: Iterable[Path] = ()) -> Iterator[Path]:
    """Every file below the folders, without those below `skip`; links are not followed."""
    left_out = [p.resolve() for p in skip]
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            inside = path.parent.resolve() / path.name
            if path.is_symlink() or not path.is_file() or any(inside.is_relative_to(p) for p in left_out):
                continue
            yield path


def holders(paths: Iterable[Path], names: Names) -> list[Path]:
    """The files that hold one of the names: Parquet and databases table by table, everything by its bytes."""
    return [path for path in paths if holds(path, names)] if names.names else []


def holds(path: Path, names: Names) -> bool:
    """Whether a file holds one of the names, in its name, its bytes, or (compressed) in its tables."""
    if names.pattern.search(path.name) or names.bytes_pattern.search(path.read_bytes()):
        return True
    if path.suffix in (".parquet", ".pq"):
        return _parquet_holds(path, names)
    if path.suffix == ".duckdb":
        return _duckdb_holds(path, names)
    if path.stat().st_size and is_sqlite(path):
        return _sqlite_holds(path, names)
    return False


def _parquet_holds(path: Path, names: Names) -> bool:
    import polars as pl

    try:
        frame = pl.read_parquet(path, hive_partitioning=False)
    except pl.exceptions.PolarsError:  # no Parquet by its content: its bytes have been looked through
        return False
    return any(
        frame[c].str.contains(names.linear).any() or (c in _ID_COLUMNS and frame[c].is_in(names.names).any())
        for c, dtype in frame.schema.items()
        if dtype == pl.String
    )


def _duckdb_holds(path: Path, names: Names) -> bool:
    """A file that can't be opened counts as holding it: nobody can prove that it does not."""
    import duckdb

    try:
        return _tables_hold(duckdb.connect(str(path), read_only=True), names)
    except duckdb.Error:
        return True


def _tables_hold(opened, names: Names) -> bool:
    with opened as connection:
        columns = connection.execute(
            "select table_schema, table_name, column_name from information_schema.columns "
            "join information_schema.tables using (table_catalog, table_schema, table_name) "
            "where table_type = 'BASE TABLE' and data_type = 'VARCHAR'"
        ).fetchall()
        for schema, table, column in columns:
            quoted, cell = f"{identifier(schema)}.{identifier(table)}", identifier(column)
            whole = f"or list_contains(?, {cell})" if column in _ID_COLUMNS else ""
            query = f"select 1 from {quoted} where regexp_matches({cell}, ?) {whole} limit 1"
            values = [names.linear, list(names.names)] if whole else [names.linear]
            if connection.execute(query, values).fetchone():
                return True
    return False


def _sqlite_holds(path: Path, names: Names) -> bool:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as connection:
        for table, columns in sqlite_columns(connection).items():
            for column in columns:
                if any(
                    names.pattern.search(t) for (t,) in connection.execute(f'select "{column}" from "{table}"') if t
                ):
                    return True
    return False


def sqlite_columns(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """The text columns of each table of a SQLite database."""
    connection.text_factory = lambda b: b.decode(errors="replace")
    tables = [n for (n,) in connection.execute("select name from sqlite_master where type = 'table'")]
    return {
        table: [
            row[1]
            for row in connection.execute(f'pragma table_info("{table}")')
            if any(kind in row[2].upper() for kind in ("TEXT", "CHAR", "CLOB"))
        ]
        for table in tables
    }
