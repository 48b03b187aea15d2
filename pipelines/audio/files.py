"""Where a recording is, and what identifies it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class FoundFile:
    """A recording inside the landing folder, or the reason why there is none.

    `audio_sha256` is that of a recording that retention has removed: its file is not there any more.
    """

    path: Path
    reason: str | None = None
    detail: str = ""
    identity: str = ""
    audio_sha256: str | None = None


def locate(folder: Path, relative: str) -> FoundFile:
    """The recording at `relative` in the landing folder; never outside of it, also not by a link.

    `identity` (size and time of change) says whether the file may have changed since the last look.
    """
    try:
        path = (folder / relative).resolve()
        if not path.is_relative_to(folder.resolve()):
            return FoundFile(path, "path_escape", f"recording {relative!r} leaves the landing folder")
        if not path.is_file():
            return FoundFile(path, "recording_missing", f"recording {relative!r} is not in the landing folder")
        stat = path.stat()
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: a link that leads to itself
        return FoundFile(folder, "metadata_invalid", f"recording {relative[:200]!r} is no path: {error}"[:500])
    return FoundFile(path, identity=f"{stat.st_size} {stat.st_mtime_ns}")
