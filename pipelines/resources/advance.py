"""How far a long stage has come: told to whoever watches in this process, such as the command line's progress bar."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Advance:
    """`count` of `total` recordings of `day` are `done` (measured, recognised, …) after `elapsed_s` seconds.

    `audio_s` of `total_audio_s` seconds of sound are through; both 0 where the sound's length is not known before.
    """

    step: str
    day: date
    done: str
    count: int
    total: int
    elapsed_s: float
    audio_s: float = 0.0
    total_audio_s: float = 0.0

    @property
    def share(self) -> float:
        """How much is through, 0 to 1: by the sound where its length is known, else by recordings."""
        if self.total_audio_s:
            return min(self.audio_s / self.total_audio_s, 1.0)
        return self.count / self.total if self.total else 1.0

    @property
    def times_real_time(self) -> float | None:
        """Seconds of sound a second; None where it can't be told yet."""
        return self.audio_s / self.elapsed_s if self.audio_s and self.elapsed_s > 0 else None

    @property
    def left_s(self) -> float | None:
        """Seconds that the rest takes at the pace so far; None where it can't be told yet."""
        return self.elapsed_s * (1 - self.share) / self.share if self.share > 0 else None

    @property
    def words(self) -> str:
        """`2026-03-02: 12 of 40 recordings recognised, 1.4 of 4.6 h of audio, 14 × real time, 14 min left`."""
        parts = [f"{self.day}: {self.count} of {self.total} recordings {self.done}"]
        if self.total_audio_s:
            parts.append(f"{self.audio_s / 3600:.1f} of {self.total_audio_s / 3600:.1f} h of audio")
        if self.times_real_time:
            parts.append(f"{self.times_real_time:.0f} × real time")
        if self.count < self.total and self.left_s is not None:
            parts.append(f"{minutes(self.left_s)} left")
        return ", ".join(parts)


def minutes(seconds: float) -> str:
    """A time as people say it: `40 s`, `14 min`, `2 h 05 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    whole = round(seconds / 60)
    return f"{whole} min" if whole < 90 else f"{whole // 60} h {whole % 60:02} min"


Watcher = Callable[[Advance], None]
_watchers: list[Watcher] = []


@contextmanager
def watched(by: Watcher) -> Iterator[None]:
    """Tell `by` of every advance in this process for the length of the block."""
    _watchers.append(by)
    try:
        yield
    finally:
        _watchers.remove(by)


def tell(advance: Advance) -> None:
    """Tell the watchers."""
    for watcher in _watchers:
        watcher(advance)
