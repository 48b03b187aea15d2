"""Backup and restore: the lake, which is the truth, with what can't be made from it: rules, key, history.

A backup is a folder: `objects/<hash>` holds each content once, `backup.json` (written last, replaced by rename) says
which file is which. So the next backup into the same folder copies only what is new, a killed one leaves the last one
as it was, every byte can be proved, and what was erased leaves the folder with the next backup.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from pipelines.lake import write_text
from pipelines.landing import LandingOptions
from pipelines.publishing.generations import flush_file, hash_of
from pipelines.publishing.lock import LockHeld, writer_lock
from pipelines.quality.ledger import flush_folder
from pipelines.settings import Settings

_INDEX = "backup.json"
_FORMAT = 1
_PASSES = 5
# Made again by any run: work in progress, and what was parsed from landing files.
_LEFT_OUT = (".staging", ".parts", ".mirror")
# In this order; `on_step` gets each name once the step is done.
RESTORE_STEPS = ("verified", "copied", "erasures", "history", "lake")


class BackupError(RuntimeError):
    """A backup can't be made or restored; the message says why and what to do."""


class BadTarget(BackupError):
    """The folder that was named can't be used for this."""


@dataclass(frozen=True)
class Entry:
    """A file of the backup: the hash of its bytes, their number, its time and mode."""

    sha256: str
    bytes: int
    modified_ns: int
    mode: int


@dataclass(frozen=True)
class Backup:
    """What stands in a backup. `settings` as they were, less secrets; `key_mark` tells keys apart and no more."""

    made_at: str
    code_version: str
    during_a_run: bool
    key_mark: str
    settings: dict[str, str]
    files: dict[str, Entry] = field(repr=False)
    format: int = _FORMAT

    @property
    def bytes(self) -> int:
        return sum(e.bytes for e in self.files.values())

    @property
    def partitions(self) -> int:
        return sum(1 for name in self.files if name.startswith("lake/") and name.endswith("/data.parquet"))


@dataclass(frozen=True)
class Copied:
    """What a backup came to: what stands in it, and what had to be copied or could be dropped this time."""

    backup: Backup
    copied_files: int
    copied_bytes: int
    dropped_objects: int


# --- backup
def back_up(settings: Settings, target: Path) -> Copied:
    """Copy the installation's truth into the folder `target`, which is empty or holds an earlier backup.

    Works while a run writes: every partition is copied with the manifest that fits it, and what changes meanwhile is
    copied again. Raises BadTarget, BackupError (nothing to back up, a damaged partition, no calm), LockHeld.
    """
    target = target.resolve()
    if not (settings.lake / "landing").is_dir():
        raise BackupError(f"there is no lake at {settings.lake}: nothing to back up")
    if target.is_relative_to(settings.data.resolve()) or settings.data.resolve().is_relative_to(target):
        raise BadTarget(f"{target} and the data root {settings.data} lie in each other; name a folder elsewhere")
    if target.exists() and not target.is_dir():
        raise BadTarget(f"{target} is a file; name a folder")
    if target.exists() and any(target.iterdir()) and not (target / _INDEX).exists() and not _is_begun(target):
        raise BadTarget(f"{target} is neither empty nor a backup; name another folder")
    (target / "objects").mkdir(parents=True, exist_ok=True)
    target.chmod(0o700)  # the key and the customers' ids are in it
    with writer_lock(target / ".lock", "backup", 5.0):
        before = read_backup(target).files if (target / _INDEX).exists() else {}
        files, copied = _copy_until_calm(settings, target, before)
        during_a_run = True
        try:
            # Whoever runs now waits for this last look, which copies only what changed since.
            with writer_lock(settings.data / "run.lock", "backup", 0):
                files, late = _copy_until_calm(settings, target, files)
                copied |= late
                during_a_run = False
        except LockHeld:
            pass
        backup = Backup(_now(), _code_version(), during_a_run, _key_mark(settings), _shown(settings), files)
        flush_folder(target / "objects")
        write_text(target / _INDEX, json.dumps(asdict(backup), indent=0))
        (target / _INDEX).chmod(0o600)
        dropped = _drop_unnamed(target, {e.sha256 for e in files.values()})
    return Copied(backup, len(copied), sum(copied.values()), dropped)


def _is_begun(target: Path) -> bool:
    """Whether a first backup was begun here and killed."""
    return {p.name for p in target.iterdir()} <= {"objects", ".lock"}


def _copy_until_calm(settings: Settings, target: Path, known: dict[str, Entry]) -> tuple[dict, dict[str, int]]:
    """Copy what `known` does not have yet, until a look finds nothing new; the files, and bytes copied by hash."""
    copied: dict[str, int] = {}
    for _ in range(_PASSES):
        files, changed = {}, False
        for name, path in _sources(settings):
            entry = _same(path, known.get(name), target)
            if entry is None:
                changed = True
                try:
                    entry = _store(path, target, copied)
                except FileNotFoundError:  # replaced or removed at this very moment: the next look tells
                    continue
            files[name] = entry
        unfit = _unfit(files, target)
        for name in unfit:
            files.pop(name)
        if not changed and not unfit and files.keys() == known.keys():
            return files, copied
        known = files
    if unfit:
        shown = ", ".join(sorted(unfit)[:3])
        raise BackupError(
            f"{len(unfit)} partitions of the lake are damaged or keep changing, first: {shown}. Run their days again "
            "(`iqs run --date D`), then make the backup; the last backup stands"
        )
    return files, copied


def _sources(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Every file of the backup by its name there."""
    lake = settings.lake
    for path in sorted(lake.rglob("*")):
        inside = path.relative_to(lake)
        parsed = inside.parts[0] == ".landing" and path.name not in ("pseudonym.key", "erased.jsonl", "expired.jsonl")
        if path.is_file() and inside.parts[0] not in _LEFT_OUT and not parsed and not path.name.endswith(".tmp"):
            yield f"lake/{inside.as_posix()}", path
    for path in sorted(settings.seeds.glob("*.csv")):
        yield f"seeds/{path.name}", path
    for path in sorted((settings.data / "erasures").glob("[!.]*.json")):
        yield f"erasures/{path.name}", path
    history = settings.published / "history.jsonl"
    if history.exists():
        yield "published/history.jsonl", history


def _same(path: Path, known: Entry | None, target: Path) -> Entry | None:
    """What is known of a file that has not changed since by size and time, and whose content is here."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    same = known is not None and (known.bytes, known.modified_ns) == (stat.st_size, stat.st_mtime_ns)
    return known if same and _object(target, known.sha256).exists() else None


def _store(path: Path, target: Path, copied: dict[str, int]) -> Entry:
    """Copy a file's bytes under their hash; adds to `copied` what was not there."""
    stat = path.stat()
    temporary = target / "objects" / f".{secrets.token_hex(8)}.tmp"
    try:
        digest, size = hashlib.sha256(), 0
        with path.open("rb") as source, temporary.open("wb") as copy:
            while block := source.read(1 << 20):
                digest.update(block)
                size += len(block)
                copy.write(block)
        sha256 = digest.hexdigest()
        stored = _object(target, sha256)
        if not stored.exists():
            stored.parent.mkdir(exist_ok=True)
            temporary.chmod(0o600)
            flush_file(temporary)
            os.replace(temporary, stored)
            copied[sha256] = size
    finally:
        temporary.unlink(missing_ok=True)
    return Entry(sha256, size, stat.st_mtime_ns, stat.st_mode & 0o777)


def _object(target: Path, sha256: str) -> Path:
    return target / "objects" / sha256[:2] / sha256


def _unfit(files: dict[str, Entry], target: Path) -> set[str]:
    """Partitions whose data is not what their manifest says: caught between two renames, or damaged."""
    import pyarrow.parquet as pq

    unfit = set()
    for name, entry in files.items():
        if not name.endswith("/manifest.json"):
            continue
        data = f"{name.removesuffix('manifest.json')}data.parquet"
        try:
            told = json.loads(_object(target, entry.sha256).read_text())["fingerprint"]
            inside = pq.read_metadata(_object(target, files[data].sha256)).metadata or {}
            fits = inside.get(b"iqs_fingerprint", b"").decode() == told
        except (OSError, ValueError, KeyError):
            fits = False
        if not fits:
            unfit |= {name, data} & files.keys()
    return unfit


def _drop_unnamed(target: Path, named: set[str]) -> int:
    unnamed = [p for p in (target / "objects").rglob("*") if p.is_file() and p.name not in named]
    for path in unnamed:
        path.unlink()
    return len(unnamed)


# --- restore
def read_backup(source: Path) -> Backup:
    """What stands in a backup. Raises BadTarget where there is none, BackupError where it can't be read."""
    path = source / _INDEX
    if not path.exists():
        raise BadTarget(f"there is no backup in {source} ({_INDEX} is missing)")
    try:
        about = json.loads(path.read_text())
        about["files"] = {name: Entry(**entry) for name, entry in about["files"].items()}
        backup = Backup(**about)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise BackupError(
            f"{path} can't be read ({type(error).__name__}); the backup is damaged, take another"
        ) from error
    if backup.format != _FORMAT:
        raise BackupError(f"{source} was made by another version of iqs ({backup.code_version}); restore it with that")
    return backup


def damaged(source: Path, backup: Backup) -> list[str]:
    """Files of a backup whose bytes are missing or not those that were copied."""
    return [name for name, entry in backup.files.items() if hash_of(_object(source, entry.sha256)) != entry.sha256]


def differing_seeds(settings: Settings, backup: Backup) -> list[str]:
    """Seeds that are not those of the backup: with these, history would be scored by other rules."""
    theirs = {n.removeprefix("seeds/"): e.sha256 for n, e in backup.files.items() if n.startswith("seeds/")}
    ours = {p.name: hash_of(p) for p in settings.seeds.glob("*.csv")}
    return sorted(n for n in theirs.keys() | ours.keys() if theirs.get(n) != ours.get(n))


def restore(settings: Settings, source: Path, *, with_seeds: bool = False, on_step=lambda name: None) -> Backup:
    """Put a backup's lake, history and certificates into an empty data root; `with_seeds` also its rules.

    The warehouse and the publication are made from it afterwards. Every byte is proved before anything is written,
    and the lake appears in one rename: a killed restore is simply done again. Raises BadTarget (no backup, a data root
    that is not empty), BackupError (a damaged backup, another key), LockHeld.
    """
    backup = read_backup(source)
    with writer_lock(settings.data / "run.lock", "restore", 5.0):
        there = [p for p in (settings.lake, settings.warehouse, settings.published / "current") if p.exists()]
        if there:
            raise BadTarget(f"{settings.data} is not empty ({there[0]} is there); restore into another IQS_DATA")
        if settings.pseudonym_key and _mark(settings.pseudonym_key.encode()) != backup.key_mark:
            raise BackupError("IQS_PSEUDONYM_KEY is not the key of this backup: customers would get other pseudonyms")
        if "lake/.landing/pseudonym.key" not in backup.files and not settings.pseudonym_key:
            raise BackupError("the key of this backup came from IQS_PSEUDONYM_KEY and is not in it; set that first")
        bad = damaged(source, backup)
        if bad:
            raise BackupError(f"the backup is damaged, nothing was restored: {len(bad)} files, first: {bad[0]}")
        on_step("verified")
        staging = settings.data / ".restoring"
        shutil.rmtree(staging, ignore_errors=True)
        for name, entry in backup.files.items():
            _bring_back(_object(source, entry.sha256), staging / name, entry)
        _close_private_folders(staging / "lake")
        on_step("copied")
        for name in ("erasures", "published"):
            for path in sorted((staging / name).glob("*")):
                (settings.data / name).mkdir(parents=True, exist_ok=True)
                os.replace(path, settings.data / name / path.name)
            on_step("erasures" if name == "erasures" else "history")
        if with_seeds:
            for path in sorted((staging / "seeds").glob("*.csv")):
                shutil.copyfile(path, settings.seeds / path.name)
        os.replace(staging / "lake", settings.lake)
        flush_folder(settings.data)
        on_step("lake")
        shutil.rmtree(staging)
    return backup


def _bring_back(stored: Path, path: Path, entry: Entry) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(stored, path)
    path.chmod(entry.mode)
    os.utime(path, ns=(entry.modified_ns, entry.modified_ns))


def _close_private_folders(lake: Path) -> None:
    for name in (".landing", "restricted"):
        if (lake / name).exists():
            (lake / name).chmod(0o700)


# --- what a backup says about the installation
def _key_mark(settings: Settings) -> str:
    return _mark(LandingOptions.of(settings).key())


def _mark(key: bytes) -> str:
    return hashlib.sha256(b"backup, which key\0" + key).hexdigest()[:16]


def _shown(settings: Settings) -> dict[str, str]:
    """The settings less the secret ones."""
    return {
        f.metadata["variable"]: str(getattr(settings, f.name))
        for f in fields(settings)
        if f.repr and f.metadata.get("variable") != "IQS_PSEUDONYM_KEY"
    }


def _code_version() -> str:
    try:
        return metadata.version("iqs")
    except metadata.PackageNotFoundError:
        return "unknown"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
