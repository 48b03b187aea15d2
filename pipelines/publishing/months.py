"""Large tables of facts: Parquet by month, which a publication shares with the one before where no day was made anew.

A file of a month is written once and hard-linked from then on, so that one more day costs the months that it touches,
not the history. What it was made from (the builds that made its days, columns, version) stands in the manifest. Of the
linked files each publication compares one with the warehouse, value by value: the one whose turn it is.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from pipelines.lake import fingerprint
from pipelines.publishing.generations import (
    PublicationError,
    checksums,
    hash_of,
    identifier,
    literal,
    month_folder,
    read_manifest,
)

# `call_date`, and the build that made the facts of that day last.
_FACT_DAYS = "int_fact_days"


@dataclass(frozen=True)
class Month:
    """One month of a table: its rows, what they were made from, and the publication that last compared its file with
    the warehouse."""

    rows: int
    made_from: str
    compared_by: str


class Months:
    """The months of the large tables of a staged publication.

    `warehouse` is attached to `connection`; `before` is the current publication, if there is one. Where the warehouse
    does not tell which build made a day, nothing is shared.
    """

    def __init__(self, connection, staging: Path, publish_id: str, version: str, before: Path | None):
        self.connection, self.staging, self.publish_id, self.version = connection, staging, publish_id, version
        self.linked: dict[Path, str] = {}
        self._before, self._made = before, {}
        self._builds = _builds(connection)
        try:
            self._known = read_manifest(before) if before else {}
        except PublicationError:
            self._known = {}
        turns = (
            (about["compared_by"], name, month)
            for name, months in self._known.get("months", {}).items()
            for month, about in months.items()
        )
        self._turn = min(turns, default=("", "", ""))[1:]

    def rows(self, source: str) -> dict[str, int]:
        """How many rows of the table `source` each month has; "" stands for those without a call_date."""
        counted = self.connection.execute(
            f"select date_trunc('month', call_date), count(*) from {source} group by 1 order by 1 nulls first"
        ).fetchall()
        return {f"{month:%Y-%m}" if month else "": rows for month, rows in counted}

    def write(
        self, name: str, source: str, columns: Sequence[tuple[str, str]], audience: str, rows_of: Mapping[str, int]
    ) -> Path:
        """All months of the table `source` into files of the staged publication, by link where they stand.

        `columns` are its names with their types, one of them `call_date`; `rows_of` its months. Returns the folder.
        """
        folder = month_folder(self.staging, name, self.publish_id, audience)
        folder.mkdir(parents=True)
        self._made[name] = {}
        for month, rows in rows_of.items():
            if not month:
                raise PublicationError(f"{name} has {rows} rows without a call_date")
            made_from = fingerprint(self._builds[month], rows, columns, self.version) if month in self._builds else ""
            names = [column for column, _ in columns]
            part = f"(select {', '.join(map(identifier, names))} from {source} where {_in_month(month)})"
            target = folder / f"{month}.parquet"
            known = self._link(name, month, made_from, names, part, target) if made_from else None
            if known is None:
                # By interaction, so that whoever asks for one reads one row group of each file.
                ordered = f"from {part}{' order by interaction_id' if 'interaction_id' in names else ''}"
                self.connection.execute(f"copy ({ordered}) to {literal(target)} (format parquet, compression zstd)")
                wanted, found = (
                    checksums(self.connection, names, s) for s in (part, f"read_parquet({literal(target)})")
                )
                if wanted != found:
                    raise PublicationError(f"the Parquet copy of {name}, {month}, differs from the warehouse")
            self._made[name][month] = known or Month(rows, made_from, self.publish_id)
        return folder

    def _link(self, name: str, month: str, made_from: str, columns: list[str], part: str, target: Path) -> Month | None:
        """The month as the publication before has it, linked to `target`; None where it has another one, or none.

        Where it is this file's turn, it must be what its hash says and what the warehouse holds.
        """
        known = self._known.get("months", {}).get(name, {}).get(month)
        if not known or known["made_from"] != made_from:
            return None
        place = target.relative_to(self.staging).as_posix().replace(self.publish_id, self._known["publish_id"])
        about, standing = self._known["files"].get(place), self._before / place
        month_of = Month(**known)
        if (name, month) == self._turn:
            sums = (checksums(self.connection, columns, s) for s in (part, f"read_parquet({literal(standing)})"))
            if not about or hash_of(standing) != about["sha256"] or len(set(sums)) > 1:
                return None
            month_of = replace(month_of, compared_by=self.publish_id)
        try:
            if not about or standing.stat().st_size != about["bytes"]:
                return None
            try:
                os.link(standing, target)
            except OSError:  # a file system without links
                shutil.copy2(standing, target)
        except OSError:
            return None
        self.linked[target] = about["sha256"]
        return month_of

    def described(self) -> dict[str, dict[str, dict]]:
        """The months for the manifest: table, month, what is known of it."""
        return {name: {month: asdict(about) for month, about in months.items()} for name, months in self._made.items()}


def _builds(connection) -> Mapping[str, str]:
    """By month: which builds made its days."""
    place = connection.execute(
        "select schema_name from duckdb_tables() where database_name = 'warehouse' and table_name = ?", [_FACT_DAYS]
    ).fetchone()
    if place is None:
        return {}
    return dict(
        connection.execute(
            "select strftime(call_date, '%Y-%m'), md5(string_agg(call_date || ' ' || made_by, ',' order by call_date))"
            f" from warehouse.{identifier(place[0])}.{_FACT_DAYS} group by 1"
        ).fetchall()
    )


def _in_month(month: str) -> str:
    """Condition on call_date, as literals of its type, so that only the month's files are read."""
    first = date.fromisoformat(f"{month}-01")
    return (
        f"call_date between date '{first}' and date '{(first + timedelta(days=31)).replace(day=1) - timedelta(days=1)}'"
    )
