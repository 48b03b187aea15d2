"""A decoder with holes: files that begin with a word make it die, hang or swell. The sandbox's children import it."""

from __future__ import annotations

import ctypes
import time
from pathlib import Path

from pipelines.audio.channels import inspect

SEGFAULT, HANG, SWELL = b"SEGFAULT", b"HANGHANG", b"SWELLING"


def inspect_with_holes(path: str, *arguments) -> dict:
    """`inspect`, but for the files that find a hole."""
    with Path(path).open("rb") as file:
        hole = file.read(8)
    if hole == SEGFAULT:
        ctypes.string_at(0)
    if hole == HANG:
        time.sleep(3600)
    if hole == SWELL:
        hoard = []
        while True:
            hoard.append(bytearray(64 << 20))
    return inspect(path, *arguments)
