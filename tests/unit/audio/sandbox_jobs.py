"""What the sandbox's children are asked to do in the tests: top level, so that a child can import it."""

import ctypes
import os
import signal
import time
from pathlib import Path

from pipelines.audio.decode import BadRecording


def double(number: int) -> int:
    return 2 * number


def add(first: int, second: int) -> int:
    return first + second


def process_id(_: object) -> int:
    return os.getpid()


def note_and_stay(file: Path, stay: bool) -> None:
    """Leaves the process id in `file`, then perhaps hangs."""
    file.with_suffix(".part").write_text(str(os.getpid()))
    file.with_suffix(".part").rename(file)
    if stay:
        time.sleep(600)


def misbehave(how: str) -> str:
    if how == "crash":
        ctypes.string_at(0)
    if how == "exit":
        os._exit(3)
    if how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "hang":
        time.sleep(600)
    if how == "hang_in_c":
        ctypes.PyDLL(None).sleep(600)
    if how == "swell":
        return str(len(bytearray(8 << 30)))
    if how == "swell_slowly":
        hoard = []
        while True:
            hoard.append(bytearray(32 << 20))
    if how == "refuse":
        raise BadRecording("not_audio", "a poem")
    if how == "fail":
        raise KeyError("no such thing")
    return f"{how} is fine"


def threads(_: object) -> dict[str, str | None]:
    return {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS")}


def arrays(shapes: tuple) -> list:
    """Arrays of these shapes, counting up, one of them not contiguous, and a text."""
    import numpy as np

    return [np.arange(np.prod(s), dtype=np.int16).reshape(s) for s in shapes] + [np.arange(10)[::2], "text"]


def not_to_be_sent(_: object):
    return lambda: None
