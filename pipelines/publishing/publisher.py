"""Make a publication: copy the marts, prove the copy, look for leaks, and only then let readers see it."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from itertools import groupby
from pathlib import Path

import duckdb

from pipelines.publishing.gate import DbtState, clear_stale
from pipelines.publishing.generations import (
    STORAGE_VERSION,
    Publication,
    PublicationError,
    checksums,
    clean,
    current,
    current_id,
    flush_file,
    generation_folder,
    hash_of,
    identifier,
    literal,
    lock_file,
    months_view,
    new_publish_id,
    prune,
    publications,
    remember,
    swap,
    write_live,
)
from pipelines.publishing.lock import LockHeld, writer_lock
from pipelines.publishing.months import Months
from pipelines.quality.leaks import (
    CARD_CANDIDATE,
    EMAIL_CANDIDATE,
    SSN_CANDIDATE,
    holds_card,
    holds_email,
    holds_ssn,
    readable,
)
from pipelines.quality.ledger import flush_folder
from pipelines.quality.outcomes import CheckOutcome

# What every BI driver reads. Anything else (HUGEINT from sum(), ENUM, LIST, UUID, …) is cast in the mart.
_TYPES = re.compile(
    r"VARCHAR|BIGINT|INTEGER|SMALLINT|TINYINT|DOUBLE|FLOAT|DATE|TIMESTAMP|BOOLEAN|DECIMAL\((1[0-8]|[1-9]),\d+\)"
)
# Ids may be long numbers by chance, and an agent's id may be an e-mail address.
_IDS = re.compile(r".*(_id|_key|_sha256|_version|fingerprint|publish_id)")
_EMPLOYEES = ("agent_id", "supervisor_id", "reviewer_id")
_SHORTEST_CUSTOMER_ID = 5
# Tables are read as such; the bytes of sound would look like anything by chance.
_NO_TEXT = (".duckdb", ".parquet", ".ogg")
# Readers ask for a group's periods: its rows lie together.
_ORDER_OF_TRENDS = ("dimension", "value", "period", "period_start")
_PUBLISH_ID_COMMENT = "The publication that this row belongs to."

# In this order; `on_step` gets each name once the step is done. `current` changes with "swapped", not before.
STEPS = (
    "begun",
    "tables_copied",
    "parquet_written",
    "copies_verified",
    "files_added",
    "leaks_scanned",
    "manifest_written",
    "flushed",
    "renamed",
    "swapped",
    "live_written",
    "pruned",
)


class LeakFound(PublicationError):
    """Something personal is in what would be published; the message names places and counts, no values."""


@dataclass(frozen=True)
class PrivateTable:
    """A Parquet file that goes into the restricted database only, past the warehouse; with its descriptions."""

    path: Path
    comment: str
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PublishOptions:
    """`keep` the last publications; wait up to `wait_s` for a lock; `customer_ids` must appear in nothing public.

    `private` tables (name -> file) go into the restricted database, where there is the file. Tables of `by_month` are
    facts of days, told by int_fact_days: with more than `table_rows` rows they are Parquet by month, and a view.
    """

    keep: int = 5
    wait_s: float = 30.0
    customer_ids: Sequence[str] = field(default=(), repr=False)
    private: Mapping[str, PrivateTable] = field(default_factory=dict)
    by_month: Collection[str] = ()
    table_rows: int = 1_000_000
    code_version: str = ""


def warehouse_tables(warehouse: Path, schemas: Iterable[str], *, wait_s: float = 30.0) -> list[str]:
    """`schema.table` of every table and view in these schemas of the warehouse, in order."""
    with duckdb.connect() as connection:
        _attach_warehouse(connection, warehouse, wait_s)
        rows = connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables "
            "where table_catalog = 'warehouse' and list_contains(?, table_schema) order by all",
            [list(schemas)],
        ).fetchall()
    return [name for (name,) in rows]


def publish(
    warehouse: Path,
    published: Path,
    *,
    public: Sequence[str],
    restricted: Sequence[str] = (),
    dbt: DbtState,
    checks: Sequence[CheckOutcome] = (),
    publish_id: str | None = None,
    days: Iterable[str] = (),
    add_files: Callable[[Path], None] | None = None,
    options: PublishOptions | None = None,
    on_step: Callable[[str], None] | None = None,
) -> Publication:
    """Publish tables (`schema.table`) of the warehouse and make the result the current publication.

    `public` go to iqs.duckdb and to Parquet, `restricted` to restricted/iqs_restricted.duckdb; each table gets
    the column publish_id. Large ones are views over Parquet by month, which publications share. `checks` are written
    beside them. `add_files(folder)` may add files (the report) once the tables stand: it gets the staged folder, in
    which iqs.duckdb can be opened read-only. The gate is not asked here: ask it first.

    Raises PublicationError (nothing to publish, the build failed, unsuitable types, a copy that differs), LeakFound,
    LockHeld. Whatever happens before the swap, `current` stays what it was and the staged files are removed.
    """
    options, step = options or PublishOptions(), on_step or (lambda name: None)
    publish_id = publish_id or new_publish_id()
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", publish_id):
        raise PublicationError(f"publish id {publish_id!r} can't be the name of a folder")
    if dbt.status != "success":
        raise PublicationError(f"the last build of the warehouse is not a success but {dbt.status!r}; build it again")
    if not public:
        raise PublicationError("there is no table to publish")
    published.mkdir(parents=True, exist_ok=True)
    with writer_lock(lock_file(published), f"publication {publish_id}", options.wait_s):
        clean(published)
        if generation_folder(published, publish_id).exists():
            raise PublicationError(f"publication {publish_id} exists already")
        staging = published / f".staging-{publish_id}"
        try:
            # Views name the folder where the files will be: until then it is a link.
            generation_folder(published, publish_id).symlink_to(staging.name)
            _build(staging, warehouse, publish_id, public, restricted, dbt, checks, add_files, options, step)
            generation_folder(published, publish_id).unlink()
            os.replace(staging, generation_folder(published, publish_id))
        except BaseException as error:
            shutil.rmtree(staging, ignore_errors=True)
            if generation_folder(published, publish_id).is_symlink():
                generation_folder(published, publish_id).unlink()
            if isinstance(error, duckdb.Error):
                raise PublicationError(f"the warehouse {warehouse} can't be copied: {error}") from error
            raise
        flush_folder(published)
        step("renamed")
        swap(published, publish_id)
        step("swapped")
        made = next(p for p in publications(published) if p.publish_id == current_id(published))
        remember(published, publish_id, "published", days=days, rows=sum(made.rows.values()))
        clear_stale(published)
        write_live(published)
        step("live_written")
        prune(published, options.keep)
        step("pruned")
    return made


def _build(staging, warehouse, publish_id, public, restricted, dbt, checks, add_files, options, step) -> None:
    staging.mkdir()
    (staging / "parquet").mkdir()
    (staging / "restricted").mkdir(mode=0o700)
    step("begun")
    with duckdb.connect() as connection:
        _attach_warehouse(connection, warehouse, options.wait_s)
        version = options.code_version or _code_version()
        months = Months(connection, staging, publish_id, version, current(staging.parent))
        tables = _copy(connection, public, staging / "iqs.duckdb", publish_id, "public", months, options)
        hidden = staging / "restricted" / "iqs_restricted.duckdb"
        private = {name: table for name, table in options.private.items() if table.path.exists()}
        if restricted:
            tables |= _copy(connection, restricted, hidden, publish_id, "restricted", months, options)
        if private:
            tables |= _copy_private(connection, private, hidden, publish_id)
        step("tables_copied")
        connection.execute(f"attach {literal(staging / 'iqs.duckdb')} as public (read_only)")
        for name in sorted(n for n, t in tables.items() if t["audience"] == "public" and not t["by_month"]):
            target = staging / "parquet" / f"{name}.parquet"
            connection.execute(
                f"copy public.{identifier(name)} to {literal(target)} (format parquet, compression zstd)"
            )
        step("parquet_written")
        if hidden.exists():
            connection.execute(f"attach {literal(hidden)} as restricted (read_only)")
        _verify(connection, tables, staging)
        verified = {path: _stamp(path) for path in (*(staging / "parquet").glob("*.parquet"), *months.linked)}
        step("copies_verified")
    (staging / "checks.json").write_text(json.dumps([asdict(c) for c in checks], indent=1))
    if add_files:
        add_files(staging)
    step("files_added")
    _scan(staging, options.customer_ids, options.private, verified)
    step("leaks_scanned")
    _write_manifest(staging, publish_id, tables, months, dbt, checks, version)
    step("manifest_written")
    _flush(staging)
    step("flushed")


def _attach_warehouse(connection: duckdb.DuckDBPyConnection, warehouse: Path, wait_s: float) -> None:
    """Attach the warehouse read-only as `warehouse`, waiting for a writer to end.

    Views name the catalogue that they were made in: a file with views must be called warehouse.duckdb.
    """
    if not warehouse.exists():
        raise PublicationError(f"there is no warehouse at {warehouse}; build it first")
    deadline, pause_s = time.monotonic() + wait_s, 0.05
    while True:
        try:
            connection.execute(f"attach {literal(warehouse)} as warehouse (read_only)")
            return
        except duckdb.IOException as error:
            text = str(error)
            if "set lock on file" not in text:
                raise PublicationError(f"the warehouse {warehouse} can't be opened: {text}") from error
            if time.monotonic() >= deadline:
                pid = re.search(r"PID (\d+)", text)
                holder = {"pid": int(pid.group(1))} if pid else {}
                raise LockHeld(
                    f"the warehouse {warehouse} is open in process {holder.get('pid', 'unknown')}; "
                    f"waited {wait_s:g} s. Close it; BI tools read the publication instead",
                    holder,
                ) from error
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, 0.5)
        except duckdb.Error as error:
            raise PublicationError(f"the warehouse {warehouse} can't be opened: {error}") from error


def _copy(
    connection,
    names: Sequence[str],
    target: Path,
    publish_id: str,
    audience: str,
    months: Months,
    options: PublishOptions,
) -> dict[str, dict]:
    """Copy tables with their comments into a new file that older DuckDB clients open; returns what was copied.

    Of large ones it gets a view over their months.
    """
    connection.execute(f"attach {literal(target)} as copy (storage_version {literal(STORAGE_VERSION)})")
    copied: dict[str, dict] = {}
    columns_of, comment_of = _described(connection)
    # One transaction: each comment on its own would be flushed on its own.
    connection.execute("begin")
    for qualified in names:
        schema, _, name = qualified.rpartition(".")
        if name in copied:
            raise PublicationError(f"two tables are called {name}; a publication has one schema")
        if qualified not in columns_of:
            raise PublicationError(f"the warehouse has no table {qualified}")
        columns, comment = columns_of[qualified], comment_of.get(qualified)
        unsuitable = [f"{c} {t}" for c, t, _ in columns if not _TYPES.fullmatch(t)]
        if unsuitable:
            raise PublicationError(f"{qualified} has columns that BI tools can't read: {', '.join(unsuitable)}")
        source = f"warehouse.{identifier(schema)}.{identifier(name)}"
        own = [c for c, _, _ in columns if c != "publish_id"]
        selected = ", ".join(map(identifier, own))
        table = f"copy.{identifier(name)}"
        rows_of = months.rows(source) if name in options.by_month else {}
        by_month = sum(rows_of.values()) > options.table_rows
        if by_month:
            kinds = [(c, t) for c, t, _ in columns if c != "publish_id"]
            folder = months.write(name, source, kinds, audience, rows_of).parent
            at = generation_folder(months.staging.parent.resolve(), publish_id) / folder.relative_to(months.staging)
            connection.execute(f"create view {table} as select {selected}, publish_id from {months_view(at)}")
        else:
            ordered = f" order by {', '.join(_ORDER_OF_TRENDS)}" if set(_ORDER_OF_TRENDS) <= set(own) else ""
            connection.execute(
                f"create table {table} as select {selected}, {literal(publish_id)} as publish_id from {source}{ordered}"
            )
        connection.execute(f"comment on {'view' if by_month else 'table'} {table} is {literal(comment or '')}")
        for column, _, column_comment in columns:
            if column != "publish_id" and column_comment:
                connection.execute(f"comment on column {table}.{identifier(column)} is {literal(column_comment)}")
        connection.execute(f"comment on column {table}.publish_id is {literal(_PUBLISH_ID_COMMENT)}")
        copied[name] = {
            "audience": audience,
            "source": source,
            "columns": own,
            "comment": comment,
            "by_month": by_month,
            "rows": sum(rows_of.values()),
        }
    connection.execute("commit")
    connection.execute("checkpoint copy")
    connection.execute("detach copy")
    if audience == "restricted":
        target.chmod(0o600)
    return copied


def _copy_private(connection, private: Mapping[str, PrivateTable], hidden: Path, publish_id: str) -> dict[str, dict]:
    """Add the private tables to the restricted file; returns what was copied, as `_copy` does."""
    connection.execute(f"attach {literal(hidden)} as copy (storage_version {literal(STORAGE_VERSION)})")
    hidden.chmod(0o600)
    copied = {}
    for name, table in private.items():
        source, target = f"read_parquet({literal(table.path)})", f"copy.{identifier(name)}"
        own = [column for column, *_ in connection.execute(f"describe select * from {source}").fetchall()]
        connection.execute(f"create table {target} as select *, {literal(publish_id)} as publish_id from {source}")
        connection.execute(f"comment on table {target} is {literal(table.comment)}")
        for column, comment in {**table.columns, "publish_id": _PUBLISH_ID_COMMENT}.items():
            connection.execute(f"comment on column {target}.{identifier(column)} is {literal(comment)}")
        copied[name] = {
            "audience": "restricted",
            "source": source,
            "columns": own,
            "comment": table.comment,
            "by_month": False,
        }
    connection.execute("checkpoint copy")
    connection.execute("detach copy")
    return copied


def _described(connection) -> tuple[dict[str, list[tuple[str, str, str | None]]], dict[str, str | None]]:
    """Of each `schema.table` of the warehouse its columns (name, type, comment), and its own comment."""
    columns: dict[str, list[tuple[str, str, str | None]]] = {}
    for table, *column in connection.execute(
        "select schema_name || '.' || table_name, column_name, data_type, comment from duckdb_columns() "
        "where database_name = 'warehouse' order by 1, column_index"
    ).fetchall():
        columns.setdefault(table, []).append(tuple(column))
    comments = connection.execute(
        "select schema_name || '.' || table_name, comment from duckdb_tables() where database_name = 'warehouse' "
        "union all "
        "select schema_name || '.' || view_name, comment from duckdb_views() where database_name = 'warehouse'"
    ).fetchall()
    return columns, dict(comments)


def _verify(connection, tables: dict[str, dict], staging: Path) -> None:
    """Rows and, column by column, a checksum over the values are those of the warehouse.

    Months were compared as they were written; of them all the rows are counted.
    """
    for name, table in tables.items():
        copy_of = f"{table['audience']}.{identifier(name)}"
        columns = [] if table["by_month"] else table["columns"]
        expected = (table["rows"],) if table["by_month"] else checksums(connection, columns, table["source"])
        copies = {copy_of: "the DuckDB copy"}
        if table["audience"] == "public" and not table["by_month"]:
            copies[f"read_parquet({literal(staging / 'parquet' / f'{name}.parquet')})"] = "the Parquet copy"
        for copy, what in copies.items():
            found = checksums(connection, columns, copy)
            if found[0] != expected[0]:
                raise PublicationError(f"{what} of {name} has {found[0]} rows, the warehouse has {expected[0]}")
            differing = [c for c, f, e in zip(columns, found[1:], expected[1:], strict=True) if f != e]
            if differing:
                raise PublicationError(f"{what} of {name} differs from the warehouse in {', '.join(differing)}")
        table["rows"] = expected[0]


def _stamp(path: Path) -> tuple[int, int, int]:
    about = path.stat()
    return about.st_size, about.st_mtime_ns, about.st_ino


def _scan(
    staging: Path,
    customer_ids: Sequence[str],
    private: Collection[str] = (),
    verified: Mapping[Path, tuple[int, int, int]] | None = None,
) -> None:
    """Raise LeakFound where a text of the staged folder holds a card or social security number, an e-mail address or
    a customer's id.

    Every text column of every table in every DuckDB and Parquet file is looked at, the restricted ones too, and what
    a person reads in every other file. Customers' ids are looked for as whole words, from 5 characters on. Ids of ours
    may look like cards, and those of employees may be e-mail addresses: where such an id stands in a text, it is none.
    Private tables are what they are, and customers' ids may be in what is restricted: in the customer's own words.
    `verified` Parquet files hold what a table holds that is looked at; one that was written since is looked at itself.
    """
    copies = {path.relative_to(staging).as_posix() for path, at in (verified or {}).items() if _stamp(path) == at}
    with duckdb.connect() as connection:
        columns = [c for c in _text_columns(connection, staging, copies) if c[0] not in private]
        connection.execute("create temp table pieces (place varchar, piece varchar)")
        for path in sorted(p for p in staging.rglob("*") if p.is_file() and p.suffix not in _NO_TEXT):
            pieces = sorted(readable(path.read_text("utf-8", errors="replace"), path.suffix))
            place = path.relative_to(staging).as_posix()
            connection.execute("insert into pieces select ?, unnest(?::varchar[])", [place, pieces])
            columns.append((place, "piece", f"(select piece from pieces where place = {literal(place)})"))
        suspects = _suspects(connection, columns)
        harmless = frozenset(
            text
            for (_, column), texts in suspects.items()
            for text in texts
            if (_IDS.fullmatch(column) and holds_card(text)) or (column in _EMPLOYEES and holds_email(text))
        )
        counts = {place: _leaks(texts, place[1], harmless) for place, texts in suspects.items()}
        public = _public_only(connection, columns)
        for place, count in _customers(connection, public, customer_ids).items():
            counts.setdefault(place, {})["customer ids"] = count
    found = [
        f"{place}.{column}: {what} in {count} values" if column != "piece" else f"{place}: {what} in {count} places"
        for (place, column), kinds in sorted(counts.items())
        for what, count in kinds.items()
        if count
    ]
    if found:
        raise LeakFound(f"not published, something personal is left: {'; '.join(found)}")


def _text_columns(connection, staging: Path, copies: Collection[str] = ()) -> list[tuple[str, str, str]]:
    """(place, column, source) of every text column of the staged DuckDB and Parquet files but the `copies`."""
    sources: list[tuple[str, str]] = []
    for number, path in enumerate(sorted(staging.rglob("*.duckdb"))):
        connection.execute(f"attach {literal(path)} as file_{number} (read_only)")
        names = connection.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = ? order by all",
            [f"file_{number}"],
        ).fetchall()
        sources += [(name, f"file_{number}.{identifier(schema)}.{identifier(name)}") for schema, name in names]
    for path in sorted(staging.rglob("*.parquet")):
        place = path.relative_to(staging).as_posix()
        if place not in copies:
            sources.append((place, f"read_parquet({literal(path)})"))
    return [
        (place, column, source)
        for place, source in sources
        for column, kind, *_ in connection.execute(f"describe select * from {source}").fetchall()
        if kind == "VARCHAR" and column != "publish_id"
    ]


def _public_only(connection, columns: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Those of the columns that are not in the restricted folder."""
    hidden = connection.execute(
        "select database_name from duckdb_databases() where path like '%/restricted/%'"
    ).fetchall()
    prefixes = tuple(f"{name}." for (name,) in hidden)
    return [c for c in columns if not c[2].startswith(prefixes) and not c[0].startswith("restricted/")]


def _suspects(connection, columns: list[tuple[str, str, str]]) -> dict[tuple[str, str], list[str]]:
    """The texts of each (place, column) that might hold something personal; each table is read once."""
    candidates = literal("|".join((CARD_CANDIDATE, SSN_CANDIDATE, EMAIL_CANDIDATE)))
    found = {}
    for source, group in groupby(columns, key=lambda c: c[2]):
        group = list(group)
        counts = connection.execute(
            "select "
            + ", ".join(f"count(*) filter (regexp_matches({identifier(c)}, {candidates}))" for _, c, _ in group)
            + f" from {source}"
        ).fetchone()
        for (place, column, _), count in zip(group, counts, strict=True):
            if count:
                quoted = identifier(column)
                rows = connection.execute(
                    f"select distinct {quoted} from {source} where regexp_matches({quoted}, {candidates})"
                ).fetchall()
                found[place, column] = [text for (text,) in rows]
    return found


def _leaks(texts: list[str], column: str, harmless: frozenset[str]) -> dict[str, int]:
    kinds = {"social security numbers": holds_ssn}
    if not _IDS.fullmatch(column):
        kinds["card numbers"] = holds_card
    if column not in _EMPLOYEES:
        kinds["e-mail addresses"] = holds_email
    return {
        what: sum(1 for text in texts if holds(text) and holds(_without(text, harmless)))
        for what, holds in kinds.items()
    }


def _customers(connection, columns: list[tuple[str, str, str]], customer_ids: Sequence[str]) -> dict:
    """How many values of each (place, column) hold a customer's id as a whole word, or are one."""
    known = sorted({i.strip().lower() for i in customer_ids if len(i.strip()) >= _SHORTEST_CUSTOMER_ID})
    if not known:
        return {}
    connection.execute("create temp table customer_ids as select unnest(?::varchar[]) as id", [known])
    found = {}
    for place, column, source in columns:
        # An id may itself hold separators: the whole value is compared as well as its words.
        (found[place, column],) = connection.execute(
            f"with texts as (select distinct {identifier(column)} as t from {source}), words as ("
            "select t, lower(trim(t)) as word from texts union all "
            "select t, lower(unnest(regexp_split_to_array(t, '[^A-Za-z0-9_-]+'))) from texts) "
            "select count(distinct t) from words join customer_ids on word = id"
        ).fetchone()
    return found


def _without(text: str, harmless: frozenset[str]) -> str:
    for known in harmless:
        if known in text:
            text = re.sub(rf"(?<![\w.@-]){re.escape(known)}(?![\w@-])", " ", text)
    return text


def _write_manifest(staging: Path, publish_id: str, tables, months: Months, dbt: DbtState, checks, version) -> None:
    files = sorted(p for p in staging.rglob("*") if p.is_file())
    manifest = {
        "publish_id": publish_id,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "code_version": version,
        "warehouse_built_at": dbt.finished_at,
        "checks": {"recorded": len(checks), "failed": sum(1 for c in checks if not c.passed)},
        "tables": {
            name: {"audience": t["audience"], "rows": t["rows"], "comment": t["comment"]}
            for name, t in sorted(tables.items())
        },
        "months": months.described(),
        "files": {
            p.relative_to(staging).as_posix(): {"sha256": months.linked.get(p) or hash_of(p), "bytes": p.stat().st_size}
            for p in files
        },
    }
    (staging / "manifest.json").write_text(json.dumps(manifest, indent=1))


def _code_version() -> str:
    try:
        return metadata.version("iqs")
    except metadata.PackageNotFoundError:
        return "unknown"


def _flush(staging: Path) -> None:
    """Nothing in a publication changes any more: take the right to write away, and flush it all to the disk."""
    for path in sorted(staging.rglob("*")):
        if path.is_file():
            hidden = path.is_relative_to(staging / "restricted")
            path.chmod(0o400 if hidden else 0o444)
            flush_file(path)
    for folder in (*(p for p in staging.rglob("*") if p.is_dir()), staging):
        flush_folder(folder)
