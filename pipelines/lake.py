"""The lake: one Parquet file per table and day, replaced whole, never torn.

A partition is `<stage>/<table>/date=<day>/data.parquet` (tables that aren't daily: without the date folder) with
`manifest.json` beside it, written last. A writer stages the file under a temporary name, reads it back, and renames;
a reader trusts a partition only where the manifest's fingerprint is the one inside the file.

The folder may be the mirror of a bucket (pipelines/bucket.py): what is written goes there too, at once; `pull` brings
what others wrote.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from functools import cached_property, lru_cache
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.bucket import BucketError, Mirror, attach, mirror_of, replace_file
from pipelines.contracts import Table

Day = date | None


@dataclass(frozen=True)
class Manifest:
    """What stands in a partition: `fingerprint` of its content, `inputs` that it was made from."""

    table: str
    day: str | None
    rows: int
    fingerprint: str
    inputs: str
    written_at: str


@dataclass(frozen=True)
class Staged:
    """A partition that is written and read back, but not yet visible."""

    path: Path
    manifest: Manifest


def fingerprint(*parts: object) -> str:
    """Short hash of the parts' text: equal parts, equal fingerprint."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:16]


def frame_fingerprint(frame: pl.DataFrame) -> str:
    """Hash of a frame's schema and rows in their order, independent of how they are stored."""
    rows = frame.hash_rows(seed=0).to_numpy().tobytes() if frame.width and frame.height else b""
    return hashlib.sha256(repr(frame.schema).encode() + rows).hexdigest()[:16]


@dataclass(frozen=True)
class Lake:
    """Reads and writes the tables under `root`. Holds no state but the path."""

    root: Path

    @cached_property
    def mirror(self) -> Mirror | None:
        """The bucket behind it, with what is known of it; None for a lake on a disk."""
        return mirror_of(self.root)

    # --- where things are
    def folder(self, table: Table, day: Day = None) -> Path:
        base = self.root / table.name
        return base / f"date={day.isoformat()}" if table.daily else base

    def path(self, table: Table, day: Day = None) -> Path:
        return self.folder(table, day) / "data.parquet"

    def days(self, table: Table) -> list[date]:
        """Days that have a trustworthy partition, in order."""
        folders = (self.root / table.name).glob("date=*")
        days = sorted(date.fromisoformat(f.name.removeprefix("date=")) for f in folders if f.is_dir())
        return [d for d in days if self.manifest(table, d)]

    def manifest(self, table: Table, day: Day = None) -> Manifest | None:
        """The partition's manifest, or None where there is no partition or it can't be trusted.

        A partition of an earlier contract (another schema) counts as none: it is made anew.
        """
        try:
            manifest = Manifest(**json.loads((self.folder(table, day) / "manifest.json").read_text()))
            file = pq.read_metadata(self.path(table, day))
        except (OSError, ValueError, TypeError):
            return None
        is_its_own = (file.metadata or {}).get(b"iqs_fingerprint", b"").decode() == manifest.fingerprint
        return manifest if is_its_own and _fits(table, file.schema.to_arrow_schema().remove_metadata()) else None

    def is_current(self, table: Table, day: Day, inputs: str) -> bool:
        """Whether the partition was made from these very inputs."""
        manifest = self.manifest(table, day)
        return manifest is not None and manifest.inputs == inputs

    # --- reading
    def read(self, table: Table, day: Day = None) -> pl.DataFrame:
        """A partition; an empty frame where there is none, or only one of an earlier contract."""
        path = self.path(table, day)
        if not path.exists():
            return table.empty()
        frame = pl.read_parquet(path, hive_partitioning=False)
        return frame if frame.schema == table.schema else table.empty()

    # --- writing
    def stage(self, table: Table, frame: pl.DataFrame, day: Day = None, *, inputs: str) -> Staged:
        """Write `frame` under a temporary name, flush it to the disk and read it back."""
        frame = table.conform(frame)
        print_ = frame_fingerprint(frame)
        temporary = self.root / ".staging" / f"{uuid.uuid4().hex}.parquet"
        temporary.parent.mkdir(parents=True, exist_ok=True)
        try:
            frame.write_parquet(temporary, compression="zstd", metadata={"iqs_fingerprint": print_})
            _flush(temporary)
            if frame_fingerprint(pl.read_parquet(temporary)) != print_:
                raise OSError(f"{temporary} reads back differently from what was written; check the disk")
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        written_at = datetime.now(UTC).isoformat(timespec="seconds")
        day_text = day.isoformat() if table.daily and day else None
        return Staged(temporary, Manifest(table.name, day_text, frame.height, print_, inputs, written_at))

    def promote(self, table: Table, staged: Staged) -> Manifest:
        """Make a staged partition the visible one: rename the data, then write the manifest."""
        day = date.fromisoformat(staged.manifest.day) if staged.manifest.day else None
        folder = self.folder(table, day)
        folder.mkdir(parents=True, exist_ok=True)
        os.replace(staged.path, folder / "data.parquet")
        write_text(folder / "manifest.json", json.dumps(asdict(staged.manifest), indent=1))
        self._send(folder / "manifest.json")
        return staged.manifest

    def discard(self, staged: Staged) -> None:
        """Drop a staged partition that failed its checks."""
        staged.path.unlink(missing_ok=True)

    def write(self, table: Table, frame: pl.DataFrame, day: Day = None, *, inputs: str) -> Manifest:
        """Stage and promote at once, for tables whose content needs no check in between."""
        return self.promote(table, self.stage(table, frame, day, inputs=inputs))

    def forget_inputs(self, table: Table, day: Day = None) -> None:
        """Let the next run look at the partition again, though nothing that it was made from has changed."""
        if manifest := self.manifest(table, day):
            written = asdict(manifest) | {"inputs": ""}
            write_text(self.folder(table, day) / "manifest.json", json.dumps(written, indent=1))
            self._send(self.folder(table, day) / "manifest.json")

    def clean(self) -> int:
        """Remove what writers that were killed left under temporary names; returns how many files.

        Only for whom no other writer is at work beside.
        """
        leftovers = [*(self.root / ".staging").glob("*"), *(self.root / ".parts").glob("*/*/*/.*.tmp")]
        for path in leftovers:
            path.unlink(missing_ok=True)
        return len(leftovers) + (self.mirror.clean() if self.mirror else 0)

    # --- work in progress: finished batches of a day, kept until the day is whole
    def save_part(self, table: Table, day: date, part: str, frame: pl.DataFrame) -> None:
        folder = self.root / ".parts" / table.name / day.isoformat()
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f".{uuid.uuid4().hex}.tmp"
        table.conform(frame).write_parquet(temporary)
        _flush(temporary)
        os.replace(temporary, folder / f"{part}.parquet")
        self._send(folder / f"{part}.parquet")

    def parts(self, table: Table, day: date) -> pl.DataFrame:
        """What an interrupted run had finished of the day; rows of another schema are left out."""
        folder = self.root / ".parts" / table.name / day.isoformat()
        frames = [pl.read_parquet(f) for f in sorted(folder.glob("*.parquet"))]
        return pl.concat([table.empty(), *(f for f in frames if f.schema == table.schema)])

    def drop_parts(self, table: Table, days: Iterable[date]) -> None:
        for day in days:
            folder = self.root / ".parts" / table.name / day.isoformat()
            if self.mirror:
                self.mirror.drop(folder)
            shutil.rmtree(folder, ignore_errors=True)

    # --- a bucket behind the folder; without one there is nothing to do
    def pull(self) -> None:
        """Fetch what others wrote. Raises BucketError where the bucket can't be read."""
        if self.mirror:
            self.mirror.pull()

    def push(self, *, removals: bool = False) -> None:
        """Send what is not a partition (logs, rules), or was written past this class; see Mirror.push."""
        if self.mirror:
            self.mirror.push(removals=removals)

    def _send(self, path: Path) -> None:
        if self.mirror:
            self.mirror.send(path)


@contextmanager
def up_to_date(root: Path, bucket: str = "", *, alone: bool = True) -> Iterator[Lake]:
    """The lake in `root`, for a block that reads and writes it: first what others wrote is fetched, then ours is sent.

    `bucket` is the address that the folder mirrors (empty: a lake on a disk, or what it mirrors already). `alone`:
    nobody else is at work, so that what the block removes is removed in the bucket too. Raises BucketError.
    """
    if bucket:
        attach(root, bucket)
    lake = Lake(root)
    lake.pull()
    try:
        yield lake
    except BaseException:
        with suppress(BucketError):  # the block's own error is the one to tell of
            lake.push(removals=alone)
        raise
    lake.push(removals=alone)


@lru_cache(maxsize=1024)
def _fits(table: Table, written: pa.Schema) -> bool:
    return pl.from_arrow(pa.Table.from_batches([], schema=written)).schema == table.schema


def write_text(path: Path, text: str) -> None:
    """Replace a small text file at once: a reader sees the old one or the new one."""
    replace_file(path, text.encode())


def _flush(path: Path) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())
