"""Samples of long recordings, in a file instead of in memory."""

from __future__ import annotations

import errno
import mmap
import tempfile

import numpy as np

# What is shorter stays in memory: 35 minutes of two channels at 8 kHz, 17 at 16 kHz.
IN_MEMORY_BYTES = 64 << 20
# How much of a file is looked at before its pages are given back.
_LOOKED_AT_BYTES = 16 << 20


class NoRoom(Exception):
    """The folder for temporary files is full."""


class Spool:
    """Bytes one after the other: in memory, and from 64 MB on in a file without a name.

    The file lies in the folder for temporary files (TMPDIR) and is gone with the process, also when that is killed:
    what callers said doesn't stay behind.
    """

    def __init__(self) -> None:
        self._head: bytearray | None = bytearray()
        self._file = None

    def append(self, data) -> None:
        """Add bytes, or a contiguous array. Raises NoRoom where the disk is full."""
        if self._head is not None and len(self._head) + memoryview(data).nbytes <= IN_MEMORY_BYTES:
            self._head += memoryview(data).cast("B")
            return
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile()  # noqa: SIM115  lives as long as its mapping
                self._file.write(self._head)
                self._head = None
            self._file.write(data)
            self._file.flush()
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise
            folder = tempfile.gettempdir()
            raise NoRoom(f"a long recording needs more room than {folder} has: set TMPDIR to a larger disk") from error

    def buffer(self) -> bytearray | mmap.mmap:
        """All bytes, as an object that arrays can be made from. Nothing can be added afterwards."""
        if self._file is None:
            return self._head
        with self._file:
            return _Pages(self._file.fileno(), 0)


class _Pages(mmap.mmap):
    """A mapped file that knows how much of it was looked at."""

    looked_at = 0


def forget(samples: np.ndarray | memoryview, n_bytes: int | None = None) -> None:
    """Give back the memory of the pages that were read, if `samples` lie in a file; they can be read again.

    `n_bytes` tells how much was looked at: little is only noted. To be called after each block by whatever goes
    through a recording: its memory then does not depend on the recording's length.
    """
    base = samples
    while base is not None and not isinstance(base, _Pages):
        base = base.obj if isinstance(base, memoryview) else getattr(base, "base", None)
    if base is None:
        return
    base.looked_at += _LOOKED_AT_BYTES if n_bytes is None else n_bytes
    if base.looked_at >= _LOOKED_AT_BYTES:
        base.looked_at = 0
        base.madvise(mmap.MADV_DONTNEED)
