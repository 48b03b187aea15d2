"""Recordings that retention has removed from the landing folder, and what they were: their calls stay as measured.

A line of `expired.jsonl` (beside what was parsed) holds the path that the landing folder had, the hash of the sound,
size and time of the file, and when it was removed. With it, a day that is opened again takes what was measured of the
sound for good, whatever the extractor's version is today: nothing can measure it again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from pipelines.lake import write_text


@dataclass(frozen=True)
class ExpiredRecording:
    """A recording that is gone: `path` relative to the landing folder."""

    path: str
    audio_sha256: str
    size_bytes: int
    modified_ns: int
    expired_at: str


class ExpiredError(ValueError):
    """The list can't be read; the message says what to do."""


def list_in(lake: Path) -> Path:
    """Where the list of the lake `lake` is."""
    return lake / ".landing" / "expired.jsonl"


def read(path: Path) -> dict[str, ExpiredRecording]:
    """The recordings of the list by path; empty where there is none. Raises ExpiredError where it is damaged."""
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return {}
    try:
        found = [ExpiredRecording(**json.loads(line)) for line in lines]
    except (ValueError, TypeError) as error:
        raise ExpiredError(
            f"{path} is damaged: calls whose recordings were removed would be lost. Take it from a backup"
        ) from error
    return {recording.path: recording for recording in found}


def add(path: Path, recordings: Iterable[ExpiredRecording]) -> None:
    """Put recordings on the list, at once or not at all; before their files are removed."""
    if new := {r.path: r for r in recordings}:
        _write(path, read(path) | new)


def drop(path: Path, unwanted: Callable[[ExpiredRecording], bool]) -> int:
    """Take recordings off the list (of what is erased); returns how many."""
    known = read(path)
    kept = {p: r for p, r in known.items() if not unwanted(r)}
    if len(kept) < len(known):
        _write(path, kept)
    return len(known) - len(kept)


def _write(path: Path, recordings: dict[str, ExpiredRecording]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_text(path, "".join(json.dumps(asdict(r)) + "\n" for _, r in sorted(recordings.items())))
