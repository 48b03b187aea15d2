"""How long things are kept: rows of seeds/retention.csv. A row without days keeps its class for good."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import polars as pl

from pipelines.contracts.acoustics import MEASUREMENTS
from pipelines.contracts.landing import INTERACTIONS, TRANSCRIPTS
from pipelines.contracts.recordings import RECORDINGS
from pipelines.contracts.transcripts import RECOGNITIONS
from pipelines.lake import Lake
from pipelines.landing import Landing, LandingOptions
from pipelines.landing import expired as gone
from pipelines.publishing.days import published_days
from pipelines.publishing.generations import hash_of, publications, remove
from pipelines.settings import PROJECT, Settings

FILE = "retention.csv"
_COLUMNS = ["class", "keep_days", "action", "meaning"]


class RetentionError(ValueError):
    """A row of retention.csv can't be obeyed; the message names file, line and what it takes."""


@dataclass(frozen=True)
class Rule:
    """Keep what is of `kind` for `keep_days` days; None: for good."""

    kind: str
    keep_days: int | None


@dataclass(frozen=True)
class Expired:
    """Something that is older than its rule allows. `path` is a file or folder.

    `audio_sha256` is that of a recording that scores stand on.
    """

    kind: str
    path: Path
    since: datetime
    bytes: int
    audio_sha256: str | None = None


def read_rules(seeds: Path) -> list[Rule]:
    """The rules of a folder of seeds, the shipped ones where it has none. Raises RetentionError."""
    path = seeds / FILE if (seeds / FILE).exists() else PROJECT / "dbt_project" / "seeds" / FILE
    rules: list[Rule] = []
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if reader.fieldnames != _COLUMNS:
            raise RetentionError(f"{path}: the columns are {', '.join(_COLUMNS)}")
        for line, row in enumerate(reader, 2):
            kind, days = (row["class"] or "").strip(), (row["keep_days"] or "").strip()
            if kind not in _FINDERS or kind in {r.kind for r in rules}:
                raise RetentionError(
                    f"{path}, line {line}: class {kind!r} takes one of {', '.join(_FINDERS)}, each once"
                )
            if row["action"] != "remove":
                raise RetentionError(f"{path}, line {line}: action is {row['action']!r}; it takes remove")
            if days and (not days.isdigit() or int(days) < 1):
                raise RetentionError(f"{path}, line {line}: keep_days is {days!r}; it takes days from 1 on, or nothing")
            rules.append(Rule(kind, int(days) if days else None))
    return rules


def expired(settings: Settings, now: datetime | None = None) -> list[Expired]:
    """What the rules let go at `now`, oldest first.

    Raises RetentionError; FileNotFoundError without a landing folder.
    """
    now = now or datetime.now(UTC)
    found = [
        item
        for rule in read_rules(settings.seeds)
        if rule.keep_days is not None
        for item in _FINDERS[rule.kind](settings)
        if item.since < now - timedelta(days=rule.keep_days)
    ]
    return sorted(found, key=lambda e: (e.since, e.path))


def apply(items: list[Expired], settings: Settings) -> int:
    """Remove them; returns how many were still there. Call it while no run is at work.

    Recordings that scores stand on are put on the list of expired ones first: their calls stay as measured.
    """
    there = [i for i in items if i.path.exists() and i.audio_sha256 in (None, hash_of(i.path))]
    gone.add(gone.list_in(settings.lake), (_remembered(i, settings) for i in there if i.audio_sha256))
    for item in there:
        remove(item.path)
    return len(there)


def _remembered(item: Expired, settings: Settings) -> gone.ExpiredRecording:
    stat, now = item.path.stat(), datetime.now(UTC).isoformat(timespec="seconds")
    name = item.path.relative_to(settings.landing).as_posix()
    return gone.ExpiredRecording(name, item.audio_sha256, stat.st_size, stat.st_mtime_ns, now)


def _item(kind: str, path: Path, since: datetime, audio_sha256: str | None = None) -> Expired:
    files = [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path]
    return Expired(kind, path, since, sum(p.stat().st_size for p in files), audio_sha256)


def _changed(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _publications(settings: Settings) -> Iterator[Expired]:
    for publication in publications(settings.published):
        if not publication.is_current:
            yield _item("publications", publication.path, datetime.fromisoformat(publication.created_at))


def _look(settings: Settings) -> Landing:
    return Landing(LandingOptions.of(settings))


def _scored(settings: Settings) -> Iterator[Expired]:
    """Recordings of published days of which all is measured, by their day; the newest of those that name one counts."""
    lake, published = Lake(settings.lake), published_days(Lake(settings.lake))
    found: dict[str, tuple[date, str]] = {}
    needed: set[str] = set()
    for day in lake.days(RECORDINGS):
        rows = lake.read(RECORDINGS, day).filter(pl.col("recording").is_not_null())
        heard = {
            *lake.read(RECOGNITIONS, day).filter(pl.col("outcome") != "failed")["interaction_id"],
            *lake.read(TRANSCRIPTS, day)["interaction_id"],
        }
        measured = set(lake.read(MEASUREMENTS, day).filter(outcome="measured")["interaction_id"])
        for row in rows.iter_rows(named=True):
            done = day in published and row["outcome"] == "accepted" and row["interaction_id"] in heard & measured
            if done:
                found[row["recording"]] = (day, row["audio_sha256"])
            else:
                needed.add(row["recording"])
    for path, (day, sha256) in found.items():
        file = settings.landing / path
        if path not in needed and file.is_file():
            yield _item("scored_recordings", file, datetime.combine(day, time(), UTC), sha256)


def _opted_out(settings: Settings) -> Iterator[Expired]:
    lake, seen = Lake(settings.lake), _look(settings)
    refused, needed = set(), set()
    for day in lake.days(INTERACTIONS):
        rows = lake.read(INTERACTIONS, day).filter(pl.col("recording").is_not_null())
        without = pl.col("consent").fill_null(True).not_()
        refused |= set(rows.filter(without)["recording"])
        needed |= set(rows.filter(~without)["recording"])
    for path in sorted((refused - needed) & set(seen.recordings)):
        yield _item("opted_out_recordings", settings.landing / path, _changed(settings.landing / path))


def _unclaimed(settings: Settings) -> Iterator[Expired]:
    rejects = _look(settings).rejects().filter(reason="no_metadata", kind="recordings")
    for path in rejects["source_file"]:
        yield _item("unclaimed_recordings", settings.landing / path, _changed(settings.landing / path))


def _run_logs(settings: Settings) -> Iterator[Expired]:
    folders = (settings.data / "dagster" / "storage").glob("*/compute_logs")
    for path in (*folders, *(settings.warehouse.parent / "dbt" / "logs").glob("*.log*")):
        yield _item("run_logs", path, _changed(path))


_FINDERS: dict[str, Callable[[Settings], Iterator[Expired]]] = {
    "publications": _publications,
    "scored_recordings": _scored,
    "opted_out_recordings": _opted_out,
    "unclaimed_recordings": _unclaimed,
    "run_logs": _run_logs,
}
