"""The landing folder as tables: each file is parsed once, each day is put together from the parsed files."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from pipelines.contracts import landing, schemas
from pipelines.contracts.table import Table
from pipelines.lake import fingerprint, write_text
from pipelines.landing import expired
from pipelines.landing.kinds import KINDS, MADE_HERE, Kind, kind_of
from pipelines.landing.rows import (
    BadRow,
    EscapingFile,
    RowOptions,
    UnreadableFile,
    is_id,
    printable,
    pseudonym,
    raw_rows,
    typed,
)
from pipelines.landing.tombstones import INTERACTION, RECORDING, Tombstones
from pipelines.language.redaction import REDACTION_VERSION, redact, redact_field, redact_texts
from pipelines.settings import Settings

PARSER_VERSION = "landing-3"
_AUDIO = {
    ".wav",
    ".flac",
    ".mp3",
    ".ogg",
    ".opus",
    ".oga",
    ".m4a",
    ".aac",
    ".mp4",
    ".amr",
    ".3gp",
    ".wma",
    ".webm",
}
_ROW = pl.Int64()
# Of a column that the interface doesn't know, this much of its name is reported.
_LONGEST_NAME = 60
# Kinds of which every row is about one interaction.
_ABOUT_INTERACTIONS = ("transcripts", "messages", "surveys", "reviews")
# The real ids behind the pseudonyms: never in a table that others read.
_CUSTOMERS = pl.Schema({"customer_key": pl.String, "customer_id": pl.String})
# Tables that belong to no day.
_OF_NO_DAY = (landing.REVIEWS, landing.PROCESS_CHANGES, landing.TICKETS, landing.COACHING, landing.ALERT_ACKS)


@dataclass(frozen=True)
class LandingOptions:
    """How the landing folder is read; what is parsed is kept in `cache`.

    Without `pseudonym_key` a key is made once and kept beside the cache, readable by its owner only.
    """

    folder: Path
    cache: Path
    timezone: str
    recording_pattern: str
    first_day: date
    pseudonym_key: str = field(default="", repr=False)

    @classmethod
    def of(cls, settings: Settings) -> LandingOptions:
        """The options of an installation."""
        return cls(
            folder=settings.landing,
            cache=settings.lake / ".landing",
            timezone=settings.timezone,
            recording_pattern=settings.recording_pattern,
            first_day=date.fromisoformat(settings.first_day),
            pseudonym_key=settings.pseudonym_key,
        )

    def erased(self) -> Tombstones:
        """What was erased, kept beside the key. Raises TombstoneError where the list can't be obeyed."""
        return Tombstones.read(self.cache / "erased.jsonl", self.key(), ZoneInfo(self.timezone))

    def key(self) -> bytes:
        """The key of the customers' pseudonyms: the setting, or the key file (made at the first look, mode 0600)."""
        if self.pseudonym_key:
            return self.pseudonym_key.encode()
        path = self.cache / "pseudonym.key"
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            made = path.with_name(f".{secrets.token_hex(8)}.tmp")
            made.touch(mode=0o600)
            made.write_text(secrets.token_hex(32))
            with contextlib.suppress(FileExistsError):  # another process was first: its key stands
                os.link(made, path)
            made.unlink()
        return path.read_text().strip().encode()


@dataclass(frozen=True)
class RecordingFile:
    """A file under recordings/: `path` relative to the landing folder, and what identifies it without reading it."""

    path: str
    size_bytes: int
    modified_ns: int


class Landing:
    """One look at the landing folder. Files that were parsed before and have not changed are not read again.

    Raises FileNotFoundError where the folder is missing.
    """

    def __init__(self, options: LandingOptions):
        if not options.folder.is_dir():
            raise FileNotFoundError(
                f"the landing folder {options.folder} does not exist; make it, or set IQS_LANDING to yours"
            )
        self.options = options
        self.zone = ZoneInfo(options.timezone)
        self._key = options.key()
        self._version = fingerprint(
            PARSER_VERSION,
            REDACTION_VERSION,
            # What was parsed for another contract lacks the columns that came since.
            *(repr(k.table.schema) for k in KINDS.values()),
            options.timezone,
            options.first_day,
            hashlib.sha256(self._key).hexdigest(),
        )
        self.erased = options.erased()
        self.expired = expired.read(options.cache / "expired.jsonl")
        self._files = self._parse_new()

    # --- files
    def _parse_new(self) -> pl.DataFrame:
        """Parse what is new or changed; returns the register (table landing/files plus size, time and order)."""
        index_path = self.options.cache / "index.json"
        try:
            index = json.loads(index_path.read_text())
        except (OSError, ValueError):
            index = {}
        entries, changed = [], False
        erased_before = len(self.erased.erased_at)
        for path in self._metadata_files():
            kind = kind_of(path.name)
            stat = path.stat()
            name = printable(path.relative_to(self.options.folder).as_posix())
            old = index.get(name)
            if not (
                old
                and (old["size_bytes"], old["modified_ns"], old["version"])
                == (stat.st_size, stat.st_mtime_ns, self._version)
                and self._parsed(old["sha256"]).exists()
            ):
                old, changed = self._parse(path, name, kind) | {"modified_ns": stat.st_mtime_ns}, True
            entries.append(old)
        if len(self.erased.erased_at) > erased_before:
            # An erased customer's interaction came again: what was parsed about it before must go, too.
            folder = self.options.folder
            entries = [
                old
                if old["kind"] == "interactions" or not self._holds_erased(old["sha256"])
                else self._parse(
                    folder / old["source_file"], old["source_file"], kind_of(Path(old["source_file"]).name)
                )
                | {"modified_ns": old["modified_ns"]}
                for old in entries
            ]
            changed = True
        if changed or {e["source_file"] for e in entries} != set(index):
            write_text(index_path, json.dumps({e["source_file"]: e for e in entries}, indent=1))
        kept = [c for c in landing.FILES.schema.names() if c != "rows_superseded"]
        schema = {c: landing.FILES.schema[c] for c in kept} | {
            "size_bytes": _ROW,
            "modified_ns": _ROW,
            "version": pl.String(),
        }
        return pl.DataFrame(entries, schema=schema).sort("modified_ns", "source_file")

    def _metadata_files(self) -> list[Path]:
        """The files beside the recordings, interactions first: they tell whose the others' rows are."""
        found = [
            path
            for path in self.options.folder.rglob("*")
            if path.relative_to(self.options.folder).parts[0] != "recordings"
            and not path.name.startswith(".")
            and path.is_file()
        ]
        return sorted(found, key=lambda p: (not p.name.lower().startswith("interactions"), p))

    def _holds_erased(self, sha256: str) -> bool:
        """Whether a parsed file has a row about an interaction that was erased."""
        for path in (self._parsed(sha256), self._parsed(sha256, "rejects")):
            if "interaction_id" in pl.read_parquet_schema(path):
                ids = pl.read_parquet(path, columns=["interaction_id"])["interaction_id"].drop_nulls().unique()
                if any(self.erased.holds(INTERACTION, i) for i in ids):
                    return True
        return False

    def _parsed(self, sha256: str, what: str = "rows") -> Path:
        return self.options.cache / f"{sha256[:32]}-{self._version}-{what}.parquet"

    def _parse(self, path: Path, name: str, kind: Kind | None) -> dict:
        """Parse one file into the cache: accepted rows, rejected rows. Nothing of it is lost: the counts add up."""
        size_bytes, digest, refusal = _identity(path, self.options.folder)
        sha256 = hashlib.sha256(name.encode() + b"\0" + digest).hexdigest()
        options = RowOptions(self.zone, self._key, redact, redact_field)
        table = kind.table if kind else landing.REJECTS
        accepted: list[dict] = []
        rejects: list[dict] = []
        unknown: set[str] = set()
        seen: set[tuple] = set()
        customers: dict[str, str] = {}
        read = erased = 0

        def reject(number: int, reason: str, detail: str, interaction_id: str | None = None) -> None:
            rejects.append(
                {
                    "source_file": name,
                    "row_number": number,
                    "kind": kind.name if kind else "unknown",
                    # What should be an id may be a sentence, where columns are mixed up.
                    "interaction_id": redact(interaction_id)
                    if interaction_id and " " in interaction_id
                    else interaction_id,
                    "reason": reason,
                    "detail": detail,
                }
            )

        try:
            if refusal is not None:
                raise refusal
            if kind is None:
                raise UnreadableFile(f"the name begins with none of {', '.join(KINDS)}")
            if not size_bytes:
                raise UnreadableFile("the file has no bytes")
            for number, raw in raw_rows(path):
                if not isinstance(raw, BadRow) and self._drop_erased(kind, raw):
                    erased += 1
                    continue
                read += 1
                if isinstance(raw, BadRow):
                    reject(number, "metadata_invalid", str(raw))
                    continue
                unknown |= {redact(c)[:_LONGEST_NAME] for c in raw if c not in table.schema and c != "customer_id"}
                for made in MADE_HERE:
                    raw.pop(made, None)
                try:
                    row = typed(kind, raw, options)
                except BadRow as error:
                    row = _identified(kind, raw, name, str(error), options)
                    if row is None:
                        reject(number, "metadata_invalid", str(error), _text_id(raw))
                        continue
                unique = tuple(row[c] for c in kind.unique)
                if unique and unique in seen:
                    reject(
                        number,
                        "duplicate",
                        f"{', '.join(kind.unique)} came before in this file",
                        row.get("interaction_id"),
                    )
                    continue
                seen.add(unique)
                if row.get("customer_key") and raw.get("customer_id"):
                    customers[row["customer_key"]] = raw["customer_id"].strip()
                accepted.append(row | {"source_file": name, "_row": number})
        except UnreadableFile as error:
            reject(0, error.reason, str(error))
        if kind and kind.name == "transcripts":
            _number_segments(accepted)
        if kind and kind.name in ("transcripts", "messages"):
            _redact_conversations(accepted)
        if kind and kind.name == "interactions":
            for row in accepted:
                if row.get("started_at") is not None:
                    row["call_date"] = row["started_at"].astimezone(self.zone).date()
            accepted = [r for r in accepted if self._in_time(r, reject)]
        frame = pl.DataFrame(accepted, schema=table.schema | {"_row": _ROW})
        self.options.cache.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(frame, self._parsed(sha256))
        _write(landing.REJECTS.frame(rejects), self._parsed(sha256, "rejects"))
        pairs = pl.DataFrame(list(customers.items()), schema=_CUSTOMERS, orient="row")
        _write(pairs, self._parsed(sha256, "customers"), mode=0o600)
        rejected_rows = sum(1 for r in rejects if r["row_number"] > 0)
        return {
            "source_file": name,
            "kind": kind.name if kind else "unknown",
            "sha256": sha256,
            "rows_read": read,
            "rows_accepted": frame.height,
            "rows_rejected": rejected_rows,
            "rows_erased": erased,
            "unknown_columns": ",".join(sorted(unknown)) or None,
            "size_bytes": size_bytes,
            "version": self._version,
        }

    def _drop_erased(self, kind: Kind, raw: dict) -> bool:
        """Whether the row is about what was erased. What an erased customer's row names is erased with it."""
        if not self.erased.covers(raw):
            return False
        if kind.name == "interactions":
            for what, column in ((INTERACTION, "interaction_id"), (RECORDING, "recording")):
                name = (raw.get(column) or "").strip()
                if name and not self.erased.holds(what, name):
                    self.erased.add(what, [name])
        return True

    def _is_erased_recording(self, recording: RecordingFile) -> bool:
        """Whether a recording that no row names belongs to what was erased: by its path, or by its name."""
        if not self.erased.erased_at:
            return False
        path = Path(recording.path)
        paths = (recording.path, recording.path.removeprefix("recordings/"))
        if any(self.erased.holds(RECORDING, p) for p in paths) or self.erased.holds(INTERACTION, path.stem):
            return True
        match = re.search(self.options.recording_pattern, path.stem)
        found = match.groupdict() if match else {}
        started = re.sub(r"T(\d\d)-(\d\d)-(\d\d)$", r"T\1:\2:\3", found.get("started_at") or "")
        return self.erased.covers(found | {"started_at": started})

    def _in_time(self, row: dict, reject: Callable[..., None]) -> bool:
        """Whether the row's day is one that can be run: not before the first partition, not after tomorrow."""
        day, first = row["call_date"], self.options.first_day
        if day < first:
            detail = f"started_at lies before {first}; set IQS_FIRST_DAY to take older interactions"
        elif day > datetime.now(self.zone).date() + timedelta(days=1):
            detail = "started_at lies in the future; check the clock or the time zone of the exporting system"
        else:
            return True
        reject(row["_row"], "metadata_invalid", detail, row["interaction_id"])
        return False

    # --- tables
    def files(self) -> pl.DataFrame:
        """The register, in the contract of landing/files."""
        counted = self._files.join(self._superseded(), on="source_file", how="left").with_columns(
            pl.col("rows_superseded").fill_null(0)
        )
        return landing.FILES.conform(counted.select(landing.FILES.schema.names()))

    def _superseded(self) -> pl.DataFrame:
        """Rows of each file whose key came again in a later one."""
        frames = [
            self._rows(k.name)
            .filter(pl.col("_order") < pl.col("_order").max().over(k.unique))
            .group_by("source_file")
            .agg(pl.len().cast(pl.Int64).alias("rows_superseded"))
            for k in KINDS.values()
            if k.unique
        ]
        return pl.concat(frames)

    def rejects(self) -> pl.DataFrame:
        """Everything of the landing folder that could not be taken, in the contract of landing/rejects."""
        frames = [pl.read_parquet(self._parsed(s, "rejects")) for s in self._files["sha256"]]
        orphans = landing.REJECTS.frame(
            [
                {
                    "source_file": printable(r.path),
                    "row_number": 0,
                    "kind": "recordings",
                    "interaction_id": None,
                    "reason": "no_metadata",
                    "detail": "no row of interactions* names it, and its name doesn't fit IQS_RECORDING_PATTERN",
                }
                for r in self._linked[1]
            ]
        )
        return landing.REJECTS.conform(
            pl.concat([landing.REJECTS.empty(), *frames, orphans, self._unknown_interactions()])
        )

    def _unknown_interactions(self) -> pl.DataFrame:
        """Rows about an interaction that has not come in: one reject per file and interaction."""
        known = self._interactions["interaction_id"]
        frames = []
        for kind in _ABOUT_INTERACTIONS:
            lost = self._rows(kind).filter(~pl.col("interaction_id").is_in(known.implode()))
            frames.append(
                lost.group_by("source_file", "interaction_id")
                .agg(pl.col("_row").min().alias("row_number"), pl.len())
                .select(
                    "source_file",
                    "row_number",
                    pl.lit(kind).alias("kind"),
                    "interaction_id",
                    pl.lit("unknown_interaction").alias("reason"),
                    pl.format("{} rows of an interaction that no interactions* file names", "len").alias("detail"),
                )
            )
        return pl.concat(frames).select(pl.col(n).cast(t) for n, t in landing.REJECTS.schema.items())

    def _rows(self, kind: str) -> pl.DataFrame:
        """All accepted rows of a kind with the order in which their files were delivered."""
        table = KINDS[kind].table
        files = self._files.with_row_index("_order").filter(pl.col("kind") == kind)
        frames = [
            pl.read_parquet(self._parsed(sha)).with_columns(pl.lit(order).cast(_ROW).alias("_order"))
            for order, sha in files.select("_order", "sha256").iter_rows()
        ]
        return pl.concat([pl.DataFrame(schema=table.schema | {"_row": _ROW, "_order": _ROW}), *frames])

    def reference(self, table: Table) -> pl.DataFrame:
        """A table that is not daily (agents, surveys, …): the row delivered last stands for its key.

        Rows about an interaction that has not come in wait in quarantine until it does.
        """
        kind = table.name.split("/")[1]
        rows = self._rows(kind).sort("_order", "_row").unique(list(table.key), keep="last", maintain_order=True)
        if kind in _ABOUT_INTERACTIONS:
            rows = rows.filter(pl.col("interaction_id").is_in(self._interactions["interaction_id"].implode()))
        return table.conform(rows.select(table.schema.names()))

    @cached_property
    def recordings(self) -> dict[str, RecordingFile]:
        """The files under recordings/ by their path relative to the landing folder, those that expired included."""
        root = self.options.folder / "recordings"
        found = {r.path: RecordingFile(r.path, r.size_bytes, r.modified_ns) for r in self.expired.values()}
        for folder, _, names in os.walk(root):
            for name in names:
                path = Path(folder) / name
                if name.startswith(".") or not path.is_file():
                    continue
                stat = path.stat()
                relative = path.relative_to(self.options.folder).as_posix()
                found[relative] = RecordingFile(relative, stat.st_size, stat.st_mtime_ns)
        return found

    @property
    def _interactions(self) -> pl.DataFrame:
        return self._linked[0]

    @cached_property
    def _linked(self) -> tuple[pl.DataFrame, list[RecordingFile]]:
        """Every interaction with an id and a date, its recording linked; and the recordings that none of them names.

        A recording belongs to the row that names it, or to the row whose id is its name; else its name makes a row.
        """
        rows = (
            self._rows("interactions").sort("_order", "_row").unique("interaction_id", keep="last", maintain_order=True)
        )
        by_stem = {Path(p).stem: p for p in sorted(self.recordings) if Path(p).suffix.lower() in _AUDIO}
        named = rows.filter(pl.col("recording").is_null() & (pl.col("channel") == "call"))["interaction_id"].to_list()
        links = {i: by_stem[i] for i in named if i in by_stem}
        rows = rows.with_columns(
            pl.coalesce(
                "recording",
                pl.col("interaction_id").replace_strict(links, default=None, return_dtype=pl.String),
            )
        )
        rows = rows.with_columns(pl.col("recording").map_elements(self._landing_path, return_dtype=pl.String))
        orphans = []
        linked, taken = set(rows["recording"].drop_nulls()), set(rows["interaction_id"])
        made = []
        for recording in sorted(self.recordings.values(), key=lambda r: r.path):
            if recording.path in linked or self._is_erased_recording(recording):
                continue
            row = self._row_from_name(recording)
            if row is None or row["interaction_id"] in taken:
                orphans.append(recording)
            else:
                taken.add(row["interaction_id"])
                made.append(row)
        extra = pl.DataFrame(made, schema=rows.schema)
        return pl.concat([rows, extra]).sort("interaction_id"), orphans

    def customers(self) -> pl.DataFrame:
        """The real ids behind the pseudonyms: customer_key, customer_id; one row per customer, for the few who may."""
        frames = [pl.read_parquet(self._parsed(s, "customers")) for s in self._files["sha256"]]
        names = (re.search(self.options.recording_pattern, Path(r.path).stem) for r in self.recordings.values())
        ids = {m.groupdict().get("customer_id") for m in names if m}
        named = [(pseudonym(i, self._key), i) for i in ids if i and self.erased.customer_until(i) is None]
        rows = pl.concat([*frames, pl.DataFrame(named, schema=_CUSTOMERS, orient="row")])
        return rows.unique("customer_key", keep="last").sort("customer_key")

    def _landing_path(self, path: str) -> str:
        """A recording's path relative to the landing folder; a bare name is looked for in recordings/."""
        if path not in self.recordings and f"recordings/{path}" in self.recordings:
            return f"recordings/{path}"
        return path

    def _row_from_name(self, recording: RecordingFile) -> dict | None:
        """An interactions row from a file name that carries the data, or None where the name doesn't fit."""
        path = Path(recording.path)
        match = re.search(self.options.recording_pattern, path.stem)
        if not match or path.suffix.lower() not in _AUDIO or printable(recording.path) != recording.path:
            return None
        found = match.groupdict()
        if not is_id(found.get("interaction_id")) or not is_id(found.get("agent_id") or "unknown"):
            return None
        try:
            started = datetime.strptime(found.get("started_at") or "", "%Y-%m-%dT%H-%M-%S").replace(tzinfo=self.zone)
        except ValueError:
            # Without a time in the name the file's own time stands.
            started = datetime.fromtimestamp(recording.modified_ns // 10**9, UTC)
        customer = found.get("customer_id")
        return {
            "interaction_id": found["interaction_id"],
            "call_date": started.astimezone(self.zone).date(),
            "channel": "call",
            "started_at": started.astimezone(UTC),
            "agent_id": found.get("agent_id") or "unknown",
            "campaign": found.get("campaign") or "unknown",
            "customer_key": pseudonym(customer, self._key) if customer else None,
            "recording": recording.path,
            "source_file": recording.path,
            "_row": 0,
        }

    def standing(self) -> pl.DataFrame:
        """Every interaction that has come in: interaction_id, call_date, customer_key, recording."""
        return self._interactions.select("interaction_id", "call_date", "customer_key", "recording")

    def erased_recordings(self) -> list[str]:
        """Paths of recordings of what was erased that were delivered again."""
        linked = set(self._interactions["recording"].drop_nulls())
        return [r.path for r in self.recordings.values() if r.path not in linked and self._is_erased_recording(r)]

    def prune_cache(self) -> int:
        """Remove what was parsed from files that are gone or have changed since; how many files that were."""
        kept = {f"{sha[:32]}-{self._version}" for sha in self._files["sha256"]}
        gone = [p for p in self.options.cache.glob("*.parquet") if p.name.rpartition("-")[0] not in kept]
        for path in (*gone, *self.options.cache.glob(".*.tmp")):
            path.unlink(missing_ok=True)
        return len(gone)

    # --- days
    def days(self) -> list[date]:
        """The days for which there is an interaction."""
        return sorted(self._interactions["call_date"].unique().to_list())

    def interactions(self, day: date) -> pl.DataFrame:
        """The day's interactions in the contract of landing/interactions."""
        rows = self._interactions.filter(pl.col("call_date") == day)
        return landing.INTERACTIONS.conform(rows.select(landing.INTERACTIONS.schema.names()))

    def texts(self, table: Table, day: date) -> pl.DataFrame:
        """The day's rows of landing/transcripts or landing/messages; of an interaction, those delivered last."""
        ids = self._interactions.filter(pl.col("call_date") == day)["interaction_id"]
        rows = self._rows(table.name.split("/")[1]).filter(pl.col("interaction_id").is_in(ids.implode()))
        rows = rows.filter(pl.col("_order") == pl.col("_order").max().over("interaction_id"))
        return table.conform(rows.select(table.schema.names()))

    def day_table(self) -> pl.DataFrame:
        """The days and their keys, in the contract of landing/days.

        A day's key covers its interactions, their recordings (path, size, time), transcripts, messages, surveys,
        tickets and agents, as they stand now; a file delivered again without a change leaves the keys alone. What
        belongs to no day (reviews, process changes, coaching, …, rejects) is in the key of the first day, which stays
        the first when new days come: so that a run starts for it.
        """
        daily = self._interactions.select(
            "call_date",
            "interaction_id",
            "agent_id",
            _row_digest(self._interactions, "row"),
            pl.col("recording")
            .map_elements(lambda p: str(self.recordings.get(p)), return_dtype=pl.String, skip_nulls=True)
            .alias("file"),
        )
        for kind in ("transcripts", "messages", "surveys", "tickets"):
            daily = daily.join(self._digest(kind, "interaction_id"), on="interaction_id", how="left")
        daily = daily.join(self._digest("agents", "agent_id"), on="agent_id", how="left")
        shared = fingerprint(self._version, *schemas(), *self.reference(landing.ISSUE_TYPES).drop("source_file").rows())
        undated = [self.reference(t) for t in _OF_NO_DAY]
        undated = fingerprint(*(row for f in (*undated, self.rejects()) for row in f.drop("source_file").rows()))
        first = daily["call_date"].min()
        return landing.DAYS.frame(
            [
                {
                    "call_date": day[0],
                    "interactions": group.height,
                    "day_key": fingerprint(
                        shared, undated if day[0] == first else None, *group.sort("interaction_id").rows()
                    ),
                }
                for day, group in daily.group_by("call_date")
            ]
        ).sort("call_date")

    def _digest(self, kind: str, key: str) -> pl.DataFrame:
        """One hash per `key` over the rows that stand for it."""
        table = KINDS[kind].table
        rows = self._rows(kind).sort("_order", "_row").filter(pl.col(key).is_not_null())
        if table.daily:
            rows = rows.filter(pl.col("_order") == pl.col("_order").max().over(key))
        else:
            rows = rows.unique(list(table.key), keep="last", maintain_order=True)
        return (
            rows.select(key, _row_digest(rows, kind)).group_by(key, maintain_order=True).agg(pl.col(kind).str.join(","))
        )


def _identity(path: Path, folder: Path) -> tuple[int, bytes, UnreadableFile | None]:
    """Size in bytes, hash of the content, and why the file is not read. A size of -1: to be tried at every look."""
    relative = path.relative_to(folder).as_posix()
    if printable(relative) != relative:
        return path.stat().st_size, b"", UnreadableFile("the name holds control characters or is no UTF-8; rename it")
    try:
        if not path.resolve().is_relative_to(folder.resolve()):
            return path.stat().st_size, b"", EscapingFile("the file is a link that leaves the landing folder")
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").digest()
            return os.fstat(file.fileno()).st_size, digest, None
    except OSError as error:
        return -1, b"", UnreadableFile(f"the file can't be read: {error.strerror or error}")


def _row_digest(rows: pl.DataFrame, name: str) -> pl.Expr:
    columns = [c for c in rows.columns if not c.startswith("_") and c != "source_file"]
    digest = pl.struct(columns).map_elements(lambda r: fingerprint(*r.values()), return_dtype=pl.String)
    return digest.alias(name)


def _text_id(raw: dict) -> str | None:
    text = raw.get("interaction_id")
    return text[:128] if text and text.isprintable() else None


def _identified(kind: Kind, raw: dict, file_name: str, detail: str, options: RowOptions) -> dict | None:
    """A bad interactions row that has an id and a date (its own, or the file name's): it is kept, in quarantine."""
    if kind.name != "interactions":
        return None
    try:
        row = typed(
            Kind("interactions", kind.table, ("interaction_id",), ()),
            {"interaction_id": raw.get("interaction_id")},
            options,
        )
    except BadRow:
        return None
    day = None
    try:
        alone = typed(
            Kind("interactions", kind.table, ("started_at",), ()),
            {"started_at": raw.get("started_at")},
            options,
        )
        row["started_at"] = alone["started_at"]
    except BadRow:
        if found := re.search(r"\d{4}-\d\d-\d\d", file_name):
            try:
                day = date.fromisoformat(found[0])
            except ValueError:
                day = None
        if day is None:
            return None
        row["call_date"] = day
    for name in ("agent_id", "campaign", "channel"):
        try:
            row[name] = typed(Kind("interactions", kind.table, (), ()), {name: raw.get(name)}, options)[name]
        except BadRow:
            row[name] = None
    return row | {"landing_reason": "metadata_invalid", "landing_detail": detail}


def _redact_conversations(rows: list[dict]) -> None:
    """Numbers that are split over texts, or that only the question before tells."""
    conversations: dict[str, list[dict]] = {}
    for row in rows:
        conversations.setdefault(row["interaction_id"], []).append(row)
    for conversation in conversations.values():
        conversation.sort(key=lambda r: r["seq"])
        texts = redact_texts([r["text"] for r in conversation], [r["party"] for r in conversation])
        for row, text in zip(conversation, texts, strict=True):
            row["text"] = text


def _number_segments(rows: list[dict]) -> None:
    """Give supplied transcripts an order where they have none: by their place in the file."""
    count: dict[str, int] = {}
    numbered = all(r.get("seq") is not None for r in rows)
    for row in rows:
        i = count.get(row["interaction_id"], 0)
        count[row["interaction_id"]] = i + 1
        row["seq"] = row["seq"] if numbered else i


def _write(frame: pl.DataFrame, path: Path, *, mode: int = 0o644) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.touch(mode=mode)
    frame.write_parquet(temporary)
    os.replace(temporary, path)
