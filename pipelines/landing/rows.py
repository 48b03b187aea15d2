"""One row of a landing file: text in, typed values out, or a sentence that says what is wrong."""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from pipelines.contracts import Column
from pipelines.contracts.calibration import ALL_PARAMETERS, MACHINE
from pipelines.landing.kinds import IDS, MADE_HERE, PSEUDONYMISED, REDACTED, Kind

# No control characters, slashes or quotes: an id may become part of a file name or a link.
_ID = re.compile(r"[\w.:@+#=\- ]{1,128}")
_MAXIMUM_TEXT = 100_000
_TRUE, _FALSE = {"true", "1", "yes", "y", "t"}, {"false", "0", "no", "n", "f"}


class BadRow(ValueError):
    """A row that can't be taken. The message names the column and what it takes."""


@dataclass(frozen=True)
class RowOptions:
    """How rows are read: the centre's zone, the pseudonyms' key, the redaction of texts."""

    zone: ZoneInfo
    key: bytes
    redact: Callable[[str], str]


def pseudonym(customer_id: str, key: bytes) -> str:
    """Keyed hash of a customer's id: the same customer, the same pseudonym; not to be undone without the key."""
    return "c_" + hmac.new(key, customer_id.encode(), hashlib.sha256).hexdigest()[:20]


def _time(text: str, zone: ZoneInfo) -> datetime:
    value = datetime.fromisoformat(text.strip())
    return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)


def _boolean(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError
    return value


def _integer(text: str) -> int:
    value = _number(text)
    if value != int(value) or abs(value) > 2**31 - 1:
        raise ValueError
    return int(value)


def _value(column: Column, text: str, options: RowOptions):
    """`text` as a value of the column's type; BadRow where it isn't one, or lies outside the contract's range."""
    dtype = column.dtype
    try:
        if isinstance(dtype, pl.Datetime):
            value = _time(text, options.zone)
        elif dtype == pl.Date:
            value = date.fromisoformat(text.strip()[:10])
        elif dtype == pl.Boolean:
            value = _boolean(text.strip())
        elif dtype.is_integer():
            value = _integer(text)
        elif dtype.is_float():
            value = _number(text)
        else:
            value = text
    except (ValueError, OverflowError) as error:
        takes = {"Datetime": "a time such as 2026-03-02T09:15:00+01:00", "Date": "a date such as 2026-03-02"}
        wanted = takes.get(str(dtype).split("(")[0], f"a {str(dtype).lower()}")
        raise BadRow(f"{column.name} is {text[:40]!r}; it takes {wanted}") from error
    if column.one_of and value not in column.one_of:
        raise BadRow(f"{column.name} is {text[:40]!r}; it takes one of {', '.join(column.one_of)}")
    if column.at_least is not None and value < column.at_least:
        raise BadRow(f"{column.name} is {text[:40]!r}; it takes {column.at_least:g} or more")
    if column.at_most is not None and value > column.at_most:
        raise BadRow(f"{column.name} is {text[:40]!r}; it takes {column.at_most:g} or less")
    return value


def _clean(name: str, text: str | None) -> str | None:
    if text is None or text.strip() == "":
        return None
    if name not in REDACTED:
        text = text.strip()
    if any(0xD800 <= ord(c) <= 0xDFFF for c in text):
        raise BadRow(f"{name} is not UTF-8 text")
    if len(text) > _MAXIMUM_TEXT:
        raise BadRow(f"{name} has {len(text)} characters; the limit is {_MAXIMUM_TEXT}")
    if name in IDS and not _ID.fullmatch(text):
        raise BadRow(f"{name} is no id: letters, digits and . : @ + # = - _ and spaces, 128 characters at the most")
    if name not in REDACTED and any(ord(c) < 32 for c in text):
        raise BadRow(f"{name} holds control characters")
    return text


def typed(kind: Kind, raw: dict[str, str | None], options: RowOptions) -> dict:
    """A raw row in the types of the kind's table, customers as pseudonyms, texts redacted.

    Raises BadRow naming the first column that is missing or can't be read.
    """
    row: dict = {}
    values = {name: _clean(name, text) for name, text in raw.items()}
    for name in kind.required:
        if values.get(name) is None:
            raise BadRow(f"{name} is missing")
    for column in kind.table.columns:
        text = values.get(column.name)
        if column.name in MADE_HERE:
            continue
        if text is None:
            text = (kind.default or {}).get(column.name)
        row[column.name] = None if text is None else _value(column, text, options)
    for name in REDACTED:
        if row.get(name):
            row[name] = options.redact(row[name])
    schema = kind.table.schema
    if "customer_key" in schema:
        customer = values.get(PSEUDONYMISED)
        row["customer_key"] = pseudonym(customer, options.key) if customer else None
    if "extra" in schema:
        extra = {n: options.redact(v) for n, v in values.items() if n not in schema and n != PSEUDONYMISED and v}
        row["extra"] = json.dumps(extra, ensure_ascii=False, sort_keys=True) if extra else None
    if kind.name == "reviews":
        _check_rating(row)
    if row.get("start_s") is not None and row.get("end_s") is not None and row["end_s"] < row["start_s"]:
        raise BadRow("end_s lies before start_s")
    return row


def _check_rating(row: dict) -> None:
    if row["reviewer_id"].casefold() == MACHINE or (row["department"] or "").casefold() == MACHINE:
        raise BadRow(f"reviewer_id and department {MACHINE} stand for the machine's own scores; give another")
    if row["parameter"].casefold() == ALL_PARAMETERS:
        raise BadRow(f"parameter is {row['parameter']!r}, which stands for all parameters together; rename it")
    if row["max_rating"] <= 0:
        raise BadRow("max_rating is 0; it takes the highest possible rating, above 0")
    if row["rating"] is None and not row["not_applicable"]:
        raise BadRow("rating is missing; give a rating, or not_applicable = true")
    if row["rating"] is not None and row["rating"] > row["max_rating"]:
        raise BadRow(f"rating is {row['rating']:g}, above max_rating {row['max_rating']:g}")


class UnreadableFile(ValueError):
    """A landing file that can't be parsed at all; the message says why."""


def raw_rows(path: Path) -> Iterator[tuple[int, dict[str, str | None] | BadRow]]:
    """The rows of a CSV, JSON Lines or Parquet file as (row number from 1, column → text, or what is wrong).

    Raises UnreadableFile where there is no row to be had.
    """
    suffix = path.suffix.lower()
    if suffix == ".csv":
        yield from _csv_rows(path)
    elif suffix in (".jsonl", ".ndjson", ".json"):
        yield from _json_rows(path)
    elif suffix in (".parquet", ".pq"):
        yield from _parquet_rows(path)
    else:
        raise UnreadableFile(f"files ending in {suffix!r} are not read; deliver .csv, .jsonl or .parquet")


def _csv_rows(path: Path) -> Iterator[tuple[int, dict | BadRow]]:
    import csv

    csv.field_size_limit(10_000_000)
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        reader = csv.reader(file)
        try:
            header = [name.strip().lower() for name in next(reader, [])]
        except csv.Error as error:
            raise UnreadableFile(f"the header can't be read: {error}") from error
        if not any(header):
            raise UnreadableFile("the file has no header row")
        if len(set(header)) < len(header):
            raise UnreadableFile("two columns of the header have the same name")
        number = 0
        while True:
            number += 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield number, BadRow(f"the row can't be read: {error}")
                continue
            if not cells:
                number -= 1
            elif len(cells) != len(header):
                yield number, BadRow(f"the row has {len(cells)} fields, the header {len(header)}")
            else:
                yield number, dict(zip(header, cells, strict=True))


def _json_rows(path: Path) -> Iterator[tuple[int, dict | BadRow]]:
    text = path.read_text(encoding="utf-8-sig", errors="surrogateescape")
    if text.lstrip().startswith("["):
        try:
            items = json.loads(text)
        except ValueError as error:
            raise UnreadableFile(f"no JSON list: {error}") from error
        yield from ((i, _json_row(item)) for i, item in enumerate(items, 1))
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield number, _json_row(json.loads(line))
            except (ValueError, RecursionError) as error:
                yield number, BadRow(f"the line is no JSON object: {str(error)[:80]}")


def _json_row(item: object) -> dict | BadRow:
    if not isinstance(item, dict):
        return BadRow("the line is no JSON object")
    return {
        str(k).strip().lower(): None if v is None else v if isinstance(v, str) else json.dumps(v)
        for k, v in item.items()
    }


def _parquet_rows(path: Path) -> Iterator[tuple[int, dict | BadRow]]:
    try:
        frame = pl.read_parquet(path, hive_partitioning=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise UnreadableFile(f"no Parquet file: {str(error)[:120]}") from error
    for number, row in enumerate(frame.iter_rows(named=True), 1):
        yield (
            number,
            {
                k.strip().lower(): None if v is None else v.isoformat() if isinstance(v, datetime | date) else str(v)
                for k, v in row.items()
            },
        )
