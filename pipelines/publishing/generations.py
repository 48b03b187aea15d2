"""Publications on the disk: one immutable folder each, a symlink that names the current one, and a way back.

published/gen=<publish_id>/   iqs.duckdb, parquet/<table>.parquet, checks.json, manifest.json, the report
                              parquet/<large table>/publish_id=<publish_id>/<month>.parquet, viewed by iqs.duckdb
                              live/<large table>/: these months, and links to those of earlier publications
                              restricted/ (mode 0700) with iqs_restricted.duckdb
published/current             symlink to the generation that readers get, replaced by rename
published/live.duckdb         views over current/: a connection that stays open sees new data at its next query
published/history.jsonl       every publication, refusal and rollback
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pipelines.lake import write_text
from pipelines.publishing.lock import writer_lock
from pipelines.quality.ledger import append_lines, flush_folder, read_lines

STORAGE_VERSION = "v1.0.0"
_GENERATION = "gen="


class PublicationError(RuntimeError):
    """A publication can't be made or found; the message says why and what to do."""


@dataclass(frozen=True)
class Publication:
    """One generation. `rows` by public table; `path` its folder."""

    publish_id: str
    path: Path
    created_at: str
    is_current: bool
    rows: dict[str, int] = field(default_factory=dict)
    code_version: str = ""


def new_publish_id(now: datetime | None = None) -> str:
    """A new id: UTC time to the millisecond and a short random part, so that ids sort by time."""
    now = (now or datetime.now(UTC)).astimezone(UTC)
    return f"{now:%Y%m%dT%H%M%S}{now.microsecond // 1000:03d}Z-{secrets.token_hex(3)}"


def generation_folder(published: Path, publish_id: str) -> Path:
    """Folder of a publication."""
    return published / f"{_GENERATION}{publish_id}"


def month_folder(generation: Path, table: str, publish_id: str, audience: str) -> Path:
    """Folder with the months of a large table: readers of Parquet take the column publish_id from its name."""
    base = generation / "restricted" if audience == "restricted" else generation
    return base / "parquet" / table / f"publish_id={publish_id}"


def months_view(folder: Path) -> str:
    """What a view selects from, given the absolute folder over those of its months; publish_id comes last.

    DuckDB looks for `**` in folders and not in links to folders: a query finds one publication's months in `live/`,
    and opens each by a path that stands in later ones, too.
    """
    files = literal(folder / "**" / "*.parquet")
    return f"read_parquet({files}, hive_partitioning = true, hive_types = {{'publish_id': varchar}})"


def lock_file(published: Path) -> Path:
    """The lock that everything that changes `published` holds."""
    return published / ".publish.lock"


def current_id(published: Path) -> str | None:
    """Id of the publication that readers get; None before the first."""
    try:
        return os.readlink(published / "current").removeprefix(_GENERATION)
    except OSError:
        return None


def current(published: Path) -> Path | None:
    """Folder of the publication that readers get now; None before the first."""
    publish_id = current_id(published)
    return generation_folder(published, publish_id) if publish_id else None


def publications(published: Path) -> list[Publication]:
    """The kept publications, oldest first. Folders that were never swapped in (a crash) are none."""
    now = current_id(published)
    known = {row["publish_id"] for row in history(published) if row["status"] == "published"} | {now}
    found = []
    for path in sorted(published.glob(f"{_GENERATION}*")):
        publish_id = path.name.removeprefix(_GENERATION)
        if publish_id not in known:
            continue
        try:
            manifest = read_manifest(path)
        except PublicationError:
            continue
        rows = {name: t["rows"] for name, t in manifest["tables"].items() if t["audience"] == "public"}
        found.append(
            Publication(
                publish_id,
                path,
                manifest["created_at"],
                publish_id == now,
                rows,
                manifest["code_version"],
            )
        )
    return found


def read_manifest(generation: Path) -> dict:
    """A generation's manifest; raises PublicationError where it can't be read."""
    try:
        return json.loads((generation / "manifest.json").read_text())
    except (OSError, ValueError) as error:
        raise PublicationError(f"{generation} has no readable manifest: {error}") from error


def damaged_files(generation: Path) -> list[str]:
    """Files of a generation that are missing or whose bytes are not those of its manifest."""
    files = read_manifest(generation)["files"]
    return [name for name, about in files.items() if hash_of(generation / name) != about["sha256"]]


def rollback(published: Path, publish_id: str | None = None, *, wait_s: float = 30.0) -> Publication:
    """Make an older publication the current one: `publish_id`, or the one before the current.

    Nothing is deleted, and readers are not disturbed. Raises PublicationError where there is none, or where its
    files are damaged; LockHeld where a publication is being made.
    """
    with writer_lock(lock_file(published), "rollback", wait_s):
        kept, now = publications(published), current_id(published)
        if publish_id is None:
            older = [p for p in kept if now and p.publish_id < now]
            if not older:
                raise PublicationError("there is no older publication to go back to")
            target = older[-1]
        else:
            target = next((p for p in kept if p.publish_id == publish_id), None)
            if target is None:
                names = ", ".join(p.publish_id for p in kept) or "none"
                raise PublicationError(f"there is no publication {publish_id}; kept are: {names}")
        damaged = damaged_files(target.path)
        if damaged:
            raise PublicationError(f"{target.path} is damaged, not rolled back to: {', '.join(damaged)}")
        swap(published, target.publish_id)
        write_live(published)
        remember(
            published,
            target.publish_id,
            "rolled_back",
            rows=sum(target.rows.values()),
            note=f"back from {now}",
        )
    return next(p for p in publications(published) if p.is_current)


def swap(published: Path, publish_id: str) -> None:
    """Point `current` at a generation, in one rename; a query that has found its files through it still opens them."""
    _link_months(published, publish_id)
    temporary = published / f".current-{publish_id}"
    temporary.unlink(missing_ok=True)
    os.symlink(f"{_GENERATION}{publish_id}", temporary)
    os.replace(temporary, published / "current")
    flush_folder(published)


def _link_months(published: Path, publish_id: str) -> None:
    """Fill the `live/` of a generation: for each large table its own months, and links to those of earlier ones.

    No links to later ones: were there two ways, a swap between two looks at a folder could show both.
    """
    target = generation_folder(published, publish_id)
    earlier = [p for p in published.glob(f"{_GENERATION}*") if p.name < target.name]
    for table in read_manifest(target).get("months", {}):
        own, live = month_folder(target, table, publish_id, "public"), target / "live" / table
        if not own.is_dir():  # restricted
            continue
        (live / own.name).mkdir(parents=True, exist_ok=True)
        links = {live / own.name / month.name: month for month in own.iterdir()}
        for generation in earlier:
            months = month_folder(generation, table, generation.name.removeprefix(_GENERATION), "public")
            if months.is_dir():
                links[live / months.name] = months
        for link, place in links.items():
            if not link.is_symlink():
                link.symlink_to(os.path.relpath(place, link.parent))
        flush_folder(live / own.name)
        flush_folder(live)


def write_live(published: Path) -> Path:
    """Write `live.duckdb` anew: a view over current/ for each public table; returns its path.

    The paths in it are absolute: after moving the folder, publish or roll back once. One query over two views may
    meet a swap between them; who needs one state for many queries opens current/iqs.duckdb.
    """
    import duckdb

    root = published.resolve()
    manifest = read_manifest(root / "current")
    target, temporary = root / "live.duckdb", root / f".live-{secrets.token_hex(4)}.duckdb"
    try:
        with duckdb.connect() as connection:
            connection.execute(f"attach {literal(temporary)} as live (storage_version {literal(STORAGE_VERSION)})")
            for name, about in sorted(manifest["tables"].items()):
                if about["audience"] != "public":
                    continue
                parquet = root / "current" / "parquet"
                source = f"read_parquet({literal(parquet / f'{name}.parquet')})"
                if name in manifest.get("months", {}):
                    source = months_view(root / "current" / "live" / name)
                connection.execute(f"create view live.{identifier(name)} as select * from {source}")
                connection.execute(f"comment on view live.{identifier(name)} is {literal(about['comment'] or '')}")
            comments = _column_comments(connection, root / "current" / "iqs.duckdb")
            # One transaction: a thousand of them would flush the file a thousand times.
            connection.execute("begin")
            for table, column, comment in comments:
                where = f"live.{identifier(table)}.{identifier(column)}"
                connection.execute(f"comment on column {where} is {literal(comment)}")
            connection.execute("commit")
            connection.execute("detach live")
        flush_file(temporary)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    flush_folder(root)
    return target


def _column_comments(connection, database: Path) -> list[tuple[str, str, str]]:
    """(table, column, comment) of a published database."""
    connection.execute(f"attach {literal(database)} as commented (read_only)")
    found = connection.execute(
        "select table_name, column_name, comment from duckdb_columns() "
        "where database_name = 'commented' and comment is not null"
    ).fetchall()
    connection.execute("detach commented")
    return found


def clean(published: Path) -> list[str]:
    """Remove what a killed publisher left behind; returns the names. Call it with the lock held."""
    now = current_id(published)
    known = {row["publish_id"] for row in history(published) if row["status"] == "published"}
    if now and now not in known:
        # It was killed after the swap: what is current was published.
        remember(published, now, "published", note="recorded after a crash")
        known.add(now)
    leftovers = [
        *published.glob(".staging-*"),
        *published.glob(".trash-*"),
        *published.glob(".current-*"),
        *published.glob(".live-*"),
        *(p for p in published.glob(f"{_GENERATION}*") if p.name.removeprefix(_GENERATION) not in known),
    ]
    for path in leftovers:
        remove(path)
    return [p.name for p in leftovers]


def prune(published: Path, keep: int) -> list[str]:
    """Remove all but the last `keep` publications (at least 1; the current one always stays); returns their ids."""
    kept = publications(published)
    gone = [p for p in kept[: -max(1, keep)] if not p.is_current]
    for publication in gone:
        trash = published / f".trash-{publication.publish_id}"
        os.replace(publication.path, trash)
        remove(trash)
    return [p.publish_id for p in gone]


def remove(path: Path) -> None:
    """Remove a file, a link, or a folder with what is in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


# --- history
def history(published: Path) -> list[dict]:
    """Every publication, refusal and rollback, oldest first: publish_id, published_at, status, days, rows, note."""
    return list(read_lines(published / "history.jsonl"))


def remember(
    published: Path,
    publish_id: str | None,
    status: str,
    *,
    days: Iterable[str] = (),
    rows: int | None = None,
    note: str = "",
) -> None:
    """Add to the history; `status` is published, refused, rolled_back or rules_edited."""
    published.mkdir(parents=True, exist_ok=True)
    row = {
        "publish_id": publish_id,
        "published_at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "status": status,
        "days": ",".join(sorted(days)),
        "rows": rows,
        "note": note,
    }
    append_lines(published / "history.jsonl", [row])


def copy_history(published: Path, lake_root: Path) -> Path:
    """Put the history where dbt reads it, `<lake>/ops/publications.jsonl`; empty before the first."""
    path = lake_root / "ops" / "publications.jsonl"
    write_text(path, "".join(json.dumps(row) + "\n" for row in history(published)))
    return path


# --- small helpers that the publisher shares
def hash_of(path: Path) -> str | None:
    """SHA-256 of a file's bytes; None where there is no such file."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def flush_file(path: Path) -> None:
    """Flush a file's bytes to the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def checksums(connection, columns: Sequence[str], source: str) -> tuple:
    """Rows of `source`, and of each column the sum of its values' hashes: exact, and the same in any order of rows."""
    sums = "".join(f", coalesce(sum(hash({identifier(c)})), 0)" for c in columns)
    return connection.execute(f"select count(*){sums} from {source}").fetchone()


def literal(value: object) -> str:
    """A text as a quoted SQL literal, for statements that take no parameters."""
    return "'" + str(value).replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
