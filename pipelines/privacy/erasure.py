"""Erase an interaction or a customer everywhere, keep it from coming back, and write a certificate.

Every step can be done again: what is to be erased stands in a journal (mode 0600, removed at the end) and on the list
of tombstones before anything is removed, so that a killed erasure goes on when the same command is given again.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from pipelines.contracts import all_tables
from pipelines.contracts.landing import INTERACTIONS
from pipelines.contracts.recordings import RECORDINGS
from pipelines.lake import Lake, up_to_date, write_text
from pipelines.landing import Landing, LandingOptions, expired
from pipelines.landing.rewriting import drop_rows, remove_temporaries
from pipelines.landing.rows import pseudonym
from pipelines.landing.tombstones import CUSTOMER, INTERACTION, RECORDING
from pipelines.privacy import customer_keys, handed_out
from pipelines.privacy.scrubbing import ERASED, scrub_sqlite, scrub_text
from pipelines.privacy.search import Names, files_below, holders, holds, is_sqlite
from pipelines.publishing.generations import clean, current_id, hash_of, lock_file, remove
from pipelines.publishing.lock import writer_lock
from pipelines.settings import Settings

# In this order; `on_step` gets each name once the step is done.
STEPS = (
    "journal",
    "tombstones",
    "recordings",
    "landing",
    "lake",
    "warehouse",
    "texts",
    "run_again",
    "publications",
    "verified",
    "certificate",
)
_NOT_COVERED = (
    "backups made before this erasure: make them anew (`iqs backup` into the same folder drops what is gone)",
    "copies that people or other systems took of a publication or a page, and what was sent by alerts or to the CRM",
    "blocks of the disk that removed files have freed: encrypt the disk",
)


class ErasureError(RuntimeError):
    """Nothing could be erased, or the erasure is not finished; the message says what is left and what to do."""


class NotThere(ErasureError):
    """The interaction or customer is not known here."""


@dataclass
class Subject:
    """What is to be erased. `days` are ISO dates; `removed` what was removed so far."""

    kind: str
    name: str = field(repr=False)
    digest: str = ""
    interactions: list[str] = field(default_factory=list, repr=False)
    customer_key: str | None = field(default=None, repr=False)
    recordings: list[str] = field(default_factory=list, repr=False)
    audio_sha256: list[str] = field(default_factory=list, repr=False)
    shared_recordings: int = 0
    days: list[str] = field(default_factory=list)
    started_at: str = ""
    attempts: int = 0
    removed: list[dict] = field(default_factory=list)

    @property
    def names(self) -> Names:
        """What must be found nowhere any more."""
        own = [self.name] if self.kind == INTERACTION else [self.name, self.customer_key or ""]
        return Names(tuple(sorted({n for n in (*own, *self.interactions) if n})))


@dataclass(frozen=True)
class Installation:
    """Where an installation keeps things."""

    settings: Settings

    @property
    def lake(self) -> Lake:
        return Lake(self.settings.lake)

    @property
    def folder(self) -> Path:
        return self.settings.data / "erasures"

    @property
    def dagster(self) -> Path:
        return self.settings.data / "dagster"

    def look(self) -> Landing:
        return Landing(LandingOptions.of(self.settings))

    def generations(self) -> list[Path]:
        return sorted(p for p in self.settings.published.glob("gen=*") if p.is_dir())


@contextmanager
def quiet(settings: Settings, what: str, *, wait_s: float = 5.0) -> Iterator[None]:
    """No run is at work meanwhile. Raises LockHeld naming the one that is."""
    warehouse, published = settings.warehouse.with_suffix(".lock"), lock_file(settings.published)
    with ExitStack() as locks:
        for path in (settings.data / "run.lock", warehouse, published):
            locks.enter_context(writer_lock(path, what, wait_s))
        locks.enter_context(up_to_date(settings.lake, settings.bucket))
        yield


# --- what is to be erased
def find(settings: Settings, kind: str, name: str) -> Subject:
    """What belongs to an interaction or a customer (`kind`), wherever it still is; an erasure that was begun goes on.

    Raises NotThere where nothing does; ErasureError where other interactions of its days would be lost, because
    their rows are not in the landing folder any more.
    """
    here, name = Installation(settings), name.strip()
    seen = here.look()
    digest = seen.erased.digest(kind, name)[:12]
    journal = _journal(here, digest)
    subject = Subject(kind, name, digest)
    if journal.exists():
        subject = Subject(**json.loads(journal.read_text()))
    if kind == CUSTOMER:
        subject.customer_key = pseudonym(name, seen.options.key())
    standing, kept = seen.standing(), _lake_interactions(here)
    mine = _of(subject, pl.concat([standing, kept]))
    ids = {*subject.interactions, *mine["interaction_id"], *_published_ids(here, subject)}
    if not ids and not _is_mentioned(seen, subject):
        if seen.erased.holds(kind, name if kind == INTERACTION else subject.customer_key):
            raise NotThere(f"this {kind} was erased before, and nothing of it is left")
        raise NotThere(f"there is no {kind} of this id in the landing folder, the lake or a publication")
    subject.interactions = sorted(ids | ({name} if kind == INTERACTION else set()))
    subject.days = sorted({*subject.days, *map(str, mine["call_date"])})
    _find_recordings(here, seen, subject, standing, mine)
    gone = kept.filter(
        pl.col("call_date").cast(pl.String).is_in(subject.days),
        ~pl.col("interaction_id").is_in([*subject.interactions, *standing["interaction_id"]]),
    )
    if gone.height:
        raise ErasureError(
            f"{gone.height} other interactions of the same days are in the lake, but their rows are not in the "
            f"landing folder any more: running the days again would lose them. Put the files of "
            f"{', '.join(sorted(set(map(str, gone['call_date']))))} back into {settings.landing} first"
        )
    return subject


def _of(subject: Subject, rows: pl.DataFrame) -> pl.DataFrame:
    if subject.kind == INTERACTION:
        return rows.filter(pl.col("interaction_id") == subject.name)
    wanted = pl.col("interaction_id").is_in(subject.interactions) | (pl.col("customer_key") == subject.customer_key)
    return rows.filter(wanted)


def _lake_interactions(here: Installation) -> pl.DataFrame:
    columns = ["interaction_id", "call_date", "customer_key", "recording"]
    files = sorted((here.lake.root / INTERACTIONS.name).glob("date=*/data.parquet"))
    frames = [pl.read_parquet(f, columns=columns, hive_partitioning=False) for f in files]
    return pl.concat([INTERACTIONS.empty().select(columns), *frames])


def _published_ids(here: Installation, subject: Subject) -> set[str]:
    import duckdb

    found: set[str] = set()
    column, value = ("interaction_id", subject.name) if subject.kind == INTERACTION else (
        "customer_key", subject.customer_key
    )  # fmt: skip
    for generation in here.generations():
        try:
            with duckdb.connect(str(generation / "iqs.duckdb"), read_only=True) as connection:
                query = f"select distinct interaction_id from fct_interactions where {column} = ?"
                found |= {i for (i,) in connection.execute(query, [value]).fetchall()}
        except duckdb.Error:
            continue  # one that can't be read is removed as a whole later
    return found


def _is_mentioned(seen: Landing, subject: Subject) -> bool:
    """Whether something of it came in, though no interaction stands for it; also what was delivered again."""
    if subject.kind == CUSTOMER and subject.customer_key in seen.customers()["customer_key"]:
        return True
    if subject.kind == INTERACTION and subject.name in seen.rejects()["interaction_id"]:
        return True
    buried = subject.name if subject.kind == INTERACTION else subject.customer_key
    again = seen.files()["rows_erased"].sum() or seen.erased_recordings()
    return bool(again) and seen.erased.holds(subject.kind, buried)


def _find_recordings(here, seen, subject: Subject, standing: pl.DataFrame, mine: pl.DataFrame) -> None:
    """The subject's recordings, their hashes, and copies of them that no other interaction names."""
    others = standing.filter(~pl.col("interaction_id").is_in(subject.interactions))["recording"].drop_nulls()
    named = {*subject.recordings, *mine["recording"].drop_nulls()}
    subject.shared_recordings = len(named & set(others))
    hashes = set(subject.audio_sha256)
    for day in here.lake.days(RECORDINGS):
        rows = here.lake.read(RECORDINGS, day).filter(pl.col("interaction_id").is_in(subject.interactions))
        hashes |= set(rows["audio_sha256"].drop_nulls())
    on_disk = {p: f for p, f in seen.recordings.items() if p in named and p not in seen.expired}
    hashes |= {hash_of(here.settings.landing / p) for p in on_disk}
    hashes |= {seen.expired[p].audio_sha256 for p in named & set(seen.expired)}
    sizes = {f.size_bytes for p, f in seen.recordings.items() if p in named}
    free = (p for p, f in seen.recordings.items() if f.size_bytes in sizes and p not in named and p not in set(others))
    copies = {p for p in free if hash_of(here.settings.landing / p) in hashes}
    named_after = {
        p for p in seen.recordings if Path(p).stem in subject.interactions or subject.names.pattern.search(p)
    }
    found = named | copies | named_after | set(seen.erased_recordings())
    subject.recordings = sorted(found - set(others))
    subject.audio_sha256 = sorted(hashes)


# --- erasing
def erase(
    settings: Settings,
    subject: Subject,
    run_again: Callable[[list[date]], int],
    *,
    withdraw: bool = False,
    on_step: Callable[[str], None] | None = None,
) -> Path:
    """Erase the subject; returns the certificate's path.

    `run_again(days)` runs these days and publishes; it returns 0 or 3 where it did. Where nothing could be published,
    ErasureError is raised, and the publications that hold the subject stay, unless `withdraw`: then they are removed,
    and readers have nothing until the next publication. Raises LockHeld where a run is at work.
    """
    here, step = Installation(settings), on_step or (lambda name: None)
    with quiet(settings, f"erasure {subject.digest}"):
        _begin(here, subject)
        step("journal")
        _bury(here, subject)
        step("tombstones")
        _remove_recordings(here, subject)
        step("recordings")
        _purge_landing(here, subject)
        step("landing")
        _purge_lake(here, subject)
        step("lake")
        _note(here, subject, "warehouse", files=_remove_warehouse(settings))
        step("warehouse")
        _purge_handed_out(here, subject)
        _purge_texts(here, subject)
        step("texts")
    days = _days_to_run(here, subject)
    published = not days or run_again(days) in (0, 3)
    step("run_again")
    if not published and not withdraw:
        raise ErasureError(
            "landing folder, lake and warehouse are clean, but no publication could be made without it, so that the "
            "last ones still hold it. Mend what stands in the way and give the command again, or add --withdraw to "
            "take these publications away at once"
        )
    with quiet(settings, f"erasure {subject.digest}", wait_s=60.0):
        _purge_publications(here, subject)
        step("publications")
        # What the run wrote about itself is looked through once more.
        _purge_texts(here, subject)
        searched = _verify(here, subject)
        step("verified")
        path = _certify(here, subject, searched)
        step("certificate")
        _journal(here, subject.digest).unlink()
    return path


def _journal(here: Installation, digest: str) -> Path:
    return here.folder / f".unfinished-{digest}.json"


def _save(here: Installation, subject: Subject) -> None:
    here.folder.mkdir(parents=True, exist_ok=True)
    here.folder.chmod(0o700)
    write_text(_journal(here, subject.digest), json.dumps(asdict(subject)))
    _journal(here, subject.digest).chmod(0o600)


def _note(here: Installation, subject: Subject, where: str, **counts) -> None:
    """Remember what was removed, for the certificate, also when the process dies."""
    if any(v for v in counts.values() if not isinstance(v, str)):
        subject.removed.append({"where": where, **counts})
        _save(here, subject)


def _begin(here: Installation, subject: Subject) -> None:
    subject.started_at = subject.started_at or _now()
    subject.attempts += 1
    _save(here, subject)


def _bury(here: Installation, subject: Subject) -> None:
    erased = LandingOptions.of(here.settings).erased()
    erased.add(INTERACTION, subject.interactions)
    erased.add(RECORDING, subject.recordings)
    if subject.customer_key:
        erased.add(CUSTOMER, [subject.customer_key])


def _remove_recordings(here: Installation, subject: Subject) -> None:
    removed, size = 0, 0
    for name in subject.recordings:
        path = here.settings.landing / name
        if path.is_file() and path.resolve().is_relative_to(here.settings.landing.resolve()):
            size += path.stat().st_size
            path.unlink()
            removed += 1
    _note(here, subject, "landing/recordings", files=removed, bytes=size)
    forgotten = expired.drop(expired.list_in(here.settings.lake), lambda r: r.path in subject.recordings)
    _note(here, subject, "list of expired recordings", rows=forgotten)


def _purge_landing(here: Installation, subject: Subject) -> None:
    """Rows of the subject, and rows of what was erased before and has been delivered again since."""
    options = LandingOptions.of(here.settings)
    erased, pattern = options.erased(), subject.names.pattern
    remove_temporaries(options.folder)

    def drop(row: dict, text: str) -> bool:
        if not row:
            return bool(pattern.search(text))
        return erased.covers(row) or bool(pattern.search(row.get("dedupe_key") or ""))

    for path in files_below([options.folder], [options.folder / "recordings"]):
        if path.name.startswith("."):
            continue
        done = drop_rows(path, drop)
        if done.dropped:
            name = pattern.sub(ERASED, path.relative_to(options.folder).as_posix())
            left = {"sha256_now": hash_of(path)} if done.left else {"file": "removed, nothing else was in it"}
            _note(here, subject, f"landing/{name}", rows=done.dropped, **left)
    seen = here.look()
    _note(here, subject, "lake/.landing (parsed files)", files=seen.prune_cache())


def _purge_lake(here: Installation, subject: Subject) -> None:
    lake, tables = here.lake, all_tables()
    seen = here.look()
    here_still = {d.isoformat() for d in seen.days()}
    shutil.rmtree(lake.root / ".staging", ignore_errors=True)
    for path in sorted(lake.root.rglob("*.parquet")):
        if ".landing" in path.parts or path == customer_keys.path(lake):
            continue
        day = path.parent.name.removeprefix("date=") if path.parent.name.startswith("date=") else None
        name = path.parent.parent if day else path.parent
        name = name.relative_to(lake.root).as_posix()
        try:
            frame = pl.read_parquet(path, hive_partitioning=False)
        except pl.exceptions.PolarsError:  # torn: no reader takes it, and nobody can say what is in it
            path.unlink()
            _note(here, subject, f"lake/{name}", day=day or "", files=1)
            continue
        kept = frame.filter(~_about(subject, frame))
        emptied = day in subject.days and day not in here_still
        if kept.height == frame.height and not emptied:
            continue
        table = tables.get(name)
        if emptied:
            shutil.rmtree(path.parent)
        elif table and frame.schema == table.schema:
            # Without inputs: the next run makes and checks the partition again.
            lake.write(table, kept, date.fromisoformat(day) if day else None, inputs="")
        else:
            path.unlink()
        _note(here, subject, f"lake/{name}", day=day or "", rows=frame.height - kept.height)
    customer_keys.write(lake, seen.customers())
    for table in tables.values():
        for day in subject.days:
            if table.daily and day in here_still:
                lake.forget_inputs(table, date.fromisoformat(day))


def _about(subject: Subject, frame: pl.DataFrame) -> pl.Expr:
    """Which rows are the subject's: by id, pseudonym, recording or the hash of its sound.

    Rows of no interaction are its own where they name it: a file, a reason, an alert.
    """
    wanted, ids = pl.lit(False), pl.lit(None, pl.String)
    if "interaction_id" in frame.columns:
        ids = pl.col("interaction_id")
        wanted |= ids.is_in(subject.interactions)
    if "customer_key" in frame.columns and subject.customer_key:
        wanted |= pl.col("customer_key") == subject.customer_key
    if "recording" in frame.columns:
        wanted |= pl.col("recording").is_in(subject.recordings) & ids.is_null()
    if "audio_sha256" in frame.columns:  # the parts of an unfinished day have no ids yet
        wanted |= pl.col("audio_sha256").is_in(subject.audio_sha256) & (ids.is_null() | (ids == ""))
    for column in {"source_file", "detail", "dedupe_key"} & set(frame.columns):
        wanted |= pl.col(column).str.contains(subject.names.linear) & ids.is_null()
    return wanted.fill_null(False)


def _remove_warehouse(settings: Settings) -> int:
    """The warehouse is disposable: a new file has no freed block that keeps anything."""
    files = [
        settings.warehouse,
        settings.warehouse.with_suffix(".duckdb.wal"),
        settings.warehouse.parent / "build.json",
    ]
    there = [f for f in files if f.exists()]
    for file in there:
        file.unlink()
    return len(there)


def _purge_handed_out(here: Installation, subject: Subject) -> None:
    """Pages of calls and reports of clients that name it, where they still are where they were put."""
    for entry in handed_out.there(here.settings):
        if holders((p for f in entry.files if (p := Path(f)).is_file()), subject.names):
            _note(here, subject, "pages that were handed out", files=handed_out.remove(here.settings, entry))


def _purge_texts(here: Installation, subject: Subject) -> None:
    """The orchestrator's storage, logs, lists: whatever is no table of ours."""
    settings = here.settings
    skip = [settings.landing, here.folder, settings.models, *here.generations()]
    for path in files_below([settings.data], skip):
        if path.suffix in (".parquet", ".duckdb") or path.name.endswith(("-wal", "-shm")) or not path.stat().st_size:
            continue
        name = subject.names.pattern.sub(ERASED, path.relative_to(settings.data).as_posix())
        if is_sqlite(path):
            if holds(path, subject.names) or _in_wal(path, subject.names):
                _note(here, subject, name, texts=max(1, _scrub_storage(path, subject.names)))
        elif holds(path, subject.names):
            _note(here, subject, name, lines=scrub_text(path, subject.names))


def _scrub_storage(path: Path, names: Names) -> int:
    try:
        return scrub_sqlite(path, names)
    except sqlite3.OperationalError as error:
        raise ErasureError(
            f"not finished: {path} can't be written ({error}). Stop what has Dagster's storage open (`make dev`, the "
            "daemon) and give the command again"
        ) from error


def _in_wal(path: Path, names: Names) -> bool:
    wal = path.with_name(f"{path.name}-wal")
    return wal.exists() and bool(names.bytes_pattern.search(wal.read_bytes()))


def _days_to_run(here: Installation, subject: Subject) -> list[date]:
    """The days that must be run again: the subject's, and the first one, which answers for what has no day."""
    there = here.look().days()
    if not there:
        return []
    days = {d for d in there if d.isoformat() in subject.days}
    undated = any(r["where"].startswith("lake/") and not r.get("day") for r in subject.removed)
    return sorted(days | ({there[0]} if undated or not days else set()))


def _purge_publications(here: Installation, subject: Subject) -> None:
    """Remove the publications that hold the subject.

    They are removed and not rewritten: their trends, alerts and reports count the subject, and rules of that time
    can't be applied again, so that what is left would not add up.
    """
    published = here.settings.published
    if not published.exists():
        return
    clean(published)
    gone = [g for g in here.generations() if holders(files_below([g]), subject.names)]
    current = current_id(published)
    for generation in gone:
        if generation.name == f"gen={current}":
            for name in ("current", "live.duckdb"):
                (published / name).unlink(missing_ok=True)
        trash = published / f".trash-{generation.name.removeprefix('gen=')}"
        generation.rename(trash)
        remove(trash)
        _note(here, subject, f"published/{generation.name}", publications=1, how="removed as a whole")


def _verify(here: Installation, subject: Subject) -> int:
    """Look through everything once more; returns how many files. Raises ErasureError where something is left."""
    settings = here.settings
    files = dict.fromkeys(files_below(dict.fromkeys([settings.data, settings.landing]), [settings.models, here.folder]))
    left = holders(files, subject.names)
    if left:
        names = subject.names.pattern
        shown = ", ".join(names.sub(ERASED, str(p)) for p in left[:5])
        raise ErasureError(
            f"not finished: {len(left)} files still hold it: {shown}. Where another interaction's text mentions it, "
            "change that text in the landing folder; then give the command again"
        )
    return len(files)


def _certify(here: Installation, subject: Subject, searched: int) -> Path:
    """The certificate: what was removed where, counts and hashes; no id, no pseudonym, no word."""
    now = _now()
    path = here.folder / f"{now[:10]}-{subject.digest}.json"
    if path.exists():  # erased again, after it was delivered again
        path = here.folder / f"{now[:10]}-{subject.digest}-{now[11:19].replace(':', '')}.json"
    erased = LandingOptions.of(here.settings).erased()
    about = {
        "erased": subject.kind,
        "subject": f"keyed hash {subject.digest}",
        "begun_at": subject.started_at,
        "finished_at": now,
        "attempts": subject.attempts,
        "interactions": len(subject.interactions),
        "days": subject.days,
        "recordings": [erased.digest(RECORDING, r) for r in subject.recordings],
        "recordings_kept_because_shared": subject.shared_recordings,
        "removed": subject.removed,
        "publication_now": current_id(here.settings.published),
        "searched_afterwards": {"files": searched, "that_hold_it": 0},
        "kept_from_coming_back": "keyed hashes on the list that the landing reader obeys",
        "not_covered": _NOT_COVERED,
    }
    write_text(path, json.dumps(about, indent=1))
    return path


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def described(subject: Subject) -> Iterable[str]:
    """What would be erased, in lines for a person to confirm."""
    yield f"{len(subject.interactions)} interactions of {len(subject.days)} days, {len(subject.recordings)} recordings"
    if subject.shared_recordings:
        yield f"{subject.shared_recordings} recordings stay: another interaction names them, too"
    if subject.attempts:
        yield f"begun {subject.started_at}, not finished: it goes on"
