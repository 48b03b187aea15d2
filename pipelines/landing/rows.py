"""One row of a landing file: text in, typed values out, or a sentence that says what is wrong."""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from pipelines.contracts import Column
from pipelines.contracts.calibration import ALL_PARAMETERS, MACHINE
from pipelines.landing.kinds import IDS, KEPT, MADE_HERE, PSEUDONYMISED, REDACTED, Kind

# No control characters, slashes or quotes: an id may become part of a file name or a link.
_ID = re.compile(r"[\w.:@+#=\- ]{1,128}")
_MAXIMUM_TEXT = 100_000
# A recording's day is never outside of these; beyond them a change of time zone leaves the calendar.
_FIRST_YEAR, _LAST_YEAR = 1900, 2200
# 2 million rows are a month of transcripts of a large centre, and 2 GB while they are read.
MOST_ROWS = 2_000_000
# A quoted text of more lines is taken for a quote that was never closed.
_MOST_LINES = 1_000
# How many lines may be read again for each line of a file: else a file of open quotes takes hours.
_READ_AGAIN = 20
_TRUE, _FALSE = {"true", "1", "yes", "y", "t"}, {"false", "0", "no", "n", "f"}


class BadRow(ValueError):
    """A row that can't be taken. The message names the column and what it takes."""


@dataclass(frozen=True)
class RowOptions:
    """How rows are read: the centre's zone, the pseudonyms' key, the redaction of texts."""

    zone: ZoneInfo
    key: bytes
    redact: Callable[[str], str]
    redact_field: Callable[[str, str], str]


def pseudonym(customer_id: str, key: bytes) -> str:
    """Keyed hash of a customer's id: the same customer, the same pseudonym; not to be undone without the key."""
    return "c_" + hmac.new(key, customer_id.encode(errors="backslashreplace"), hashlib.sha256).hexdigest()[:20]


def _time(text: str, zone: ZoneInfo) -> datetime:
    value = datetime.fromisoformat(text.strip())
    if not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        raise ValueError
    return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)


def _boolean(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value) or "_" in text:
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
        raise BadRow(f"{column.name} is {_shown(column, text, options)}; it takes {wanted}") from error
    if column.one_of and value not in column.one_of:
        raise BadRow(f"{column.name} is {_shown(column, text, options)}; it takes one of {', '.join(column.one_of)}")
    if column.at_least is not None and value < column.at_least:
        raise BadRow(f"{column.name} is {_shown(column, text, options)}; it takes {column.at_least:g} or more")
    if column.at_most is not None and value > column.at_most:
        raise BadRow(f"{column.name} is {_shown(column, text, options)}; it takes {column.at_most:g} or less")
    return value


def _shown(column: Column, text: str, options: RowOptions) -> str:
    """What stood there, for the person who looks at the quarantine; redacted, since it may be anything."""
    return repr(options.redact_field(column.name, text)[:40])


def _is_suspicious(text: str) -> bool:
    """Whether a short text that is no conversation (a name, a status) may hold an address or a long number: dates and
    names of campaigns have up to 8 digits."""
    return "@" in text or sum(c.isdigit() for c in text) > 8


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
    schema = kind.table.schema
    for name, value in row.items():
        if name in REDACTED and value:
            row[name] = options.redact(value)
        elif isinstance(value, str) and name not in KEPT and _is_suspicious(value):
            row[name] = options.redact_field(name, value)
        elif isinstance(value, str) and name in IDS and " " in value and _is_suspicious(value):
            row[name] = options.redact(value)  # a sentence, where columns are mixed up
    if "customer_key" in schema:
        customer = values.get(PSEUDONYMISED)
        row["customer_key"] = pseudonym(customer, options.key) if customer else None
    if "extra" in schema:
        extra = {n: v for n, v in values.items() if n not in schema and n != PSEUDONYMISED and v}
        if row.get("customer_key"):
            extra = {n: v.replace(customer, row["customer_key"]) for n, v in extra.items()}
        extra = {options.redact(n): options.redact_field(n, v) for n, v in extra.items()}
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

    reason = "unreadable_file"


class EscapingFile(UnreadableFile):
    """A landing file that lies somewhere else."""

    reason = "path_escape"


def raw_rows(path: Path) -> Iterator[tuple[int, dict[str, str | None] | BadRow]]:
    """The rows of a CSV, JSON Lines or Parquet file as (row number from 1, column → text, or what is wrong).

    A broken row costs only itself. Raises UnreadableFile where there is no row to be had, after the last row that
    could be read, or after MOST_ROWS rows.
    """
    suffix = path.suffix.lower()
    if suffix == ".csv":
        rows = _csv_rows(path)
    elif suffix in (".jsonl", ".ndjson", ".json"):
        rows = _json_rows(path)
    elif suffix in (".parquet", ".pq"):
        rows = _parquet_rows(path)
    else:
        raise UnreadableFile(f"files ending in {printable(suffix)!r} are not read; deliver .csv, .jsonl or .parquet")
    try:
        for number, row in rows:
            if number > MOST_ROWS:
                raise UnreadableFile(f"the file has more than {MOST_ROWS:,} rows; split it")
            yield number, row
    except OSError as error:
        raise UnreadableFile(f"the file can't be read: {error.strerror or error}") from error


def printable(name: str) -> str:
    """A name as text that can be stored and shown: control characters and undecodable bytes are escaped."""
    if name.isprintable():
        return name
    text = name.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def is_id(text: str | None) -> bool:
    """Whether the text can name a thing."""
    return text is not None and _ID.fullmatch(text) is not None


def _columns(names: Iterable[str]) -> list[str]:
    """Column names in lower case, without blanks around them; UnreadableFile where two are the same."""
    columns = [printable(name.strip().lower()) for name in names]
    if not any(columns):
        raise UnreadableFile("the file has no header row")
    if len(set(columns)) < len(columns):
        raise UnreadableFile("two columns of the header have the same name")
    return columns


def _refuse_utf16(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(4)
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") or head in (b"\0\0\xfe\xff",):
        raise UnreadableFile("the file is UTF-16 or UTF-32 text; save it as UTF-8")


def _csv_rows(path: Path) -> Iterator[tuple[int, dict | BadRow]]:
    _refuse_utf16(path)
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        records = (cells for _, cells in csv_records(file) if cells)
        first = next(records, [])
        if isinstance(first, BadRow):
            raise UnreadableFile(f"the header can't be read: {first}")
        header = _columns(first)
        for number, cells in enumerate(records, 1):
            yield number, cells if isinstance(cells, BadRow) else dict(zip(header, cells, strict=True))


def csv_records(lines: Iterator[str]) -> Iterator[tuple[str, list[str] | BadRow]]:
    """The header and the records of a CSV: (the lines as they stand, the cells; none of a blank line).

    A quote that is never closed would swallow the rows after it. So of a record over several lines that is broken,
    or has not as many fields as the header, only the first line is given up, and reading goes on at its second.
    The texts put together are the file.
    """
    import csv

    csv.field_size_limit(10_000_000)
    again: deque[str] = deque()
    width, credit = 0, 10 * _MOST_LINES
    while True:
        taken: list[str] = []
        most = max(1, min(_MOST_LINES, credit))
        credit += _READ_AGAIN
        try:
            cells = next(csv.reader(islice(_taking(taken, again, lines), most), strict=True), None)
        except csv.Error as error:
            problem = f"the row can't be read: {error}"
        else:
            if cells is None:
                return
            width = width or len(cells)
            problem = f"the row has {len(cells)} fields, the header {width}" if cells and len(cells) != width else ""
        if problem:
            again.extendleft(reversed(taken[1:]))
            credit -= len(taken)
            yield taken[0], BadRow(problem)
        else:
            yield "".join(taken), cells


def _taking(taken: list[str], again: deque[str], lines: Iterator[str]) -> Iterator[str]:
    """The lines of one record: those to be read again first, then the file's; each is noted in `taken`."""
    while (line := again.popleft() if again else next(lines, None)) is not None:
        taken.append(line)
        yield line


def _json_rows(path: Path) -> Iterator[tuple[int, dict | BadRow]]:
    _refuse_utf16(path)
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="\n") as file:
        start = ""
        while not start and (line := file.readline()):
            start = line.strip()
        file.seek(0)
        if start.startswith("["):
            try:
                yield from enumerate(_json_list(file.read()), 1)
                return
            except UnreadableFile:
                # Lines after all, where the first is a value by itself, as a stray [] is.
                if not _is_json(start):
                    raise
                file.seek(0)
        for number, line in enumerate(file, 1):
            if line.strip():
                yield number, _json_line(line)


def _json_list(text: str) -> list[dict | BadRow]:
    try:
        items = json.loads(text, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError) as error:
        raise UnreadableFile(f"no JSON list: {_in_short(error)}") from error
    return [_json_row(item) for item in items]


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _json_line(line: str) -> dict | BadRow:
    try:
        item = json.loads(line, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError) as error:
        return BadRow(f"the line is no JSON object: {_in_short(error)}")
    return _json_row(item)


class _Pairs(list):
    """The pairs of a JSON object as they stand there: a key may come twice."""


def _json_row(item: object) -> dict | BadRow:
    if not isinstance(item, _Pairs):
        return BadRow("the line is no JSON object")
    row: dict[str, str | None] = {}
    for key, value in item:
        name = printable(key.strip().lower())
        if name in row:
            return BadRow(f"{name[:40]} stands twice in the object")
        try:
            row[name] = value if value is None or isinstance(value, str) else json.dumps(_plain(value))
        except (ValueError, RecursionError) as error:
            return BadRow(f"{name[:40]} can't be read: {_in_short(error)}")
    return row


def _plain(value: object) -> object:
    """A JSON value with its objects as dicts again."""
    if isinstance(value, _Pairs):
        return {k: _plain(v) for k, v in value}
    return [_plain(v) for v in value] if isinstance(value, list) else value


def _in_short(error: BaseException) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)[:80]


def _parquet_rows(path: Path) -> Iterator[tuple[int, dict | BadRow]]:
    """Batch by batch: a few bytes of Parquet can stand for billions of rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            names = _columns(file.schema_arrow.names)
            number = 0
            for batch in file.iter_batches(batch_size=10_000, use_threads=False):
                for cells in zip(*map(_cells, batch.columns), strict=True):
                    number += 1
                    yield number, dict(zip(names, cells, strict=True))
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        if isinstance(error, UnreadableFile):
            raise
        raise UnreadableFile(f"no Parquet file: {printable(str(error))[:120]}") from error


def _cells(column) -> list[str | None]:
    """A Parquet column as texts. A time beyond the year 9999 is its bare number, which no column of times takes."""
    import pyarrow as pa

    if pa.types.is_timestamp(column.type):
        # whole microseconds, of UTC where a zone is given: Python's times know no less, and no zone of another name
        column = column.cast(pa.timestamp("us", "UTC" if column.type.tz else None), safe=False)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    cells = []
    for value in column:
        try:
            cells.append(_cell(value.as_py()))
        except (pa.ArrowException, ValueError, OverflowError, RecursionError):
            cells.append(_as_it_is_stored(value))
    return cells


def _as_it_is_stored(value) -> str:
    """Text that is no UTF-8, with its bytes escaped; the number behind a time; else a word that says so."""
    if hasattr(value, "as_buffer"):
        return value.as_buffer().to_pybytes().decode("utf-8", "surrogateescape")
    return str(getattr(value, "value", "unreadable"))


def _cell(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    return value.isoformat() if isinstance(value, datetime | date) else str(value)
