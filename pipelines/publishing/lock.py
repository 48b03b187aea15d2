"""One writer at a time: a file lock with a bounded wait, whose error names the holder."""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

_LONGEST_PAUSE_S = 0.5
_held: set[int] = set()


class LockHeld(RuntimeError):
    """Another process holds the lock; the message names it. `holder` is what it wrote: holder, pid, command, since."""

    def __init__(self, message: str, holder: dict | None = None):
        super().__init__(message)
        self.holder = holder or {}


@contextmanager
def writer_lock(path: Path, holder: str, wait_s: float = 30.0) -> Iterator[None]:
    """Hold the lock file `path` for the block; the kernel releases it when the process dies, however it dies.

    `holder` says in words who this is. Waits up to `wait_s` seconds, then raises LockHeld naming the holder.
    Not re-entrant: a second lock in the same process waits like any other.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _acquire(descriptor, path, wait_s)
        _held.add(descriptor)
        _write_holder(descriptor, holder)
        try:
            yield
        finally:
            os.ftruncate(descriptor, 0)
            _held.discard(descriptor)
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, path: Path, wait_s: float) -> None:
    deadline = time.monotonic() + wait_s
    pause_s = 0.02
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                held_by = _read_holder(path)
                raise LockHeld(_sentence(path, held_by, wait_s), held_by) from None
            time.sleep(min(pause_s, left_s))
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def _write_holder(descriptor: int, holder: str) -> None:
    about = {
        "holder": holder,
        "pid": os.getpid(),
        "command": " ".join(Path(a).name if i == 0 else a for i, a in enumerate(sys.argv))[:200],
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(about).encode(), 0)


def _read_holder(path: Path) -> dict:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return {}


def _sentence(path: Path, held_by: dict, wait_s: float) -> str:
    if not held_by:
        return f"{path} is locked by another process; waited {wait_s:g} s"
    return (
        f"{path} is locked by {held_by.get('holder')} (process {held_by.get('pid')}, "
        f"`{held_by.get('command')}`, since {held_by.get('since')}); waited {wait_s:g} s. "
        "Wait for it to end, or end it"
    )


def _close_in_child() -> None:
    """A forked child that outlives its parent must not keep the parent's lock."""
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_close_in_child)
