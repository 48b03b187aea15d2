"""Work on untrusted files in child processes that may die, hang or swell without harm to the rest."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any

from pipelines.audio.decode import BadRecording, DecodeLimits
from pipelines.audio.spool import NoRoom, Spool, forget

_START_S = 120.0  # a fresh installation compiles on the first import
_CHILD = "import sys; sys.path[:] = {path!r}; from pipelines.audio.sandbox import _serve; _serve({fd})"
_PIECE = 16 << 20
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "MALLOC_ARENA_MAX")
_OUT_OF_MEMORY_SIGNS = ("bad_alloc", "Failed to allocate memory", "Cannot allocate memory", "Unable to allocate")
_READY = "ready"


class Sandbox:
    """`workers` long-lived child processes, each within `limits`, replaced after `recycle_after` items.

    Children are fresh interpreters with one BLAS and numba thread: they don't import the parent's main module, so
    the parent may be any program and have threads. They end when the sandbox is left and when the parent dies.
    """

    def __init__(self, workers: int, limits: DecodeLimits, recycle_after: int = 200) -> None:
        if workers < 1 or recycle_after < 1:
            raise ValueError("workers and recycle_after must be at least 1")
        self._size, self._limits, self._recycle_after = workers, limits, recycle_after
        self._workers: list[_Worker] = []
        self._mapping = threading.Lock()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.end()
        self._workers.clear()

    def map(self, function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
        """(item, `function(item)`) for every item, in the order of completion.

        `function` is picklable by name, in a module that can be imported (not `__main__`). A BadRecording that it
        raises is its result. Any other exception, a death, a hang or too much memory loses this item only, as
        BadRecording "measurement_failed", "decoder_crashed", "timeout" or "out_of_memory". Items are drawn as
        workers fall idle. One map at a time: RuntimeError otherwise.
        """
        return self._run(function, items, spread=False)

    def starmap(self, function: Callable[..., Any], items: Iterable[tuple]) -> Iterator[tuple[tuple, Any]]:
        """`map` with each item a tuple of arguments: (item, `function(*item)`)."""
        return self._run(function, items, spread=True)

    def _run(self, function: Callable, items: Iterable, *, spread: bool) -> Iterator[tuple[Any, Any]]:
        if getattr(function, "__module__", None) == "__main__":
            raise ValueError("the function must be in a module that children can import, not in __main__")
        if not self._mapping.acquire(blocking=False):
            raise RuntimeError("this sandbox is already at work on another map")
        busy: dict[_Worker, Any] = {}
        waiting, drained = iter(items), False
        try:
            while True:
                while not drained and len(busy) < self._size:
                    try:
                        item = next(waiting)
                    except StopIteration:
                        drained = True
                        break
                    try:
                        request = pickle.dumps((function, spread, item))
                    except Exception as error:
                        yield item, _failed(error)
                        continue
                    busy[self._give(request, busy)] = item
                if not busy:
                    return
                for worker in _reporting(busy):
                    answer = worker.answer()
                    if answer is None:
                        continue
                    item = busy.pop(worker)
                    if worker.spent or worker.done >= self._recycle_after:
                        self._workers.remove(worker)
                        worker.end()
                    yield item, answer[0]
        finally:
            for worker in busy:
                self._workers.remove(worker)
                worker.kill()
            self._mapping.release()

    def _give(self, request: bytes, busy: dict) -> _Worker:
        """Hand the request to an idle worker; one that died while idle is replaced."""
        for worker in [w for w in self._workers if w not in busy]:
            with contextlib.suppress(OSError):
                if worker.process.poll() is None:
                    worker.give(request)
                    return worker
            self._workers.remove(worker)
            worker.kill()
        worker = _Worker(self._limits)
        self._workers.append(worker)
        with contextlib.suppress(OSError):  # its death is reported with the item
            worker.give(request)
        return worker


def _reporting(busy: dict[_Worker, Any]) -> list[_Worker]:
    """Wait for workers that have something to say, or have run out of time."""
    patience_s = max(0.0, min(w.deadline for w in busy) - time.monotonic())
    ready = set(wait([w.connection for w in busy], patience_s))
    now = time.monotonic()
    return [w for w in busy if w.connection in ready or now >= w.deadline]


def _failed(error: BaseException) -> BadRecording:
    return BadRecording("measurement_failed", f"{type(error).__name__}: {error}"[:500])


class _Worker:
    """One child and the pipe to it. `spent`: it can't take another item."""

    def __init__(self, limits: DecodeLimits) -> None:
        self.limits, self.done, self.spent, self.started = limits, 0, False, False
        self.connection, theirs = Pipe()
        path = [p or os.getcwd() for p in sys.path]
        self.process = subprocess.Popen(
            [sys.executable, "-c", _CHILD.format(path=path, fd=theirs.fileno())],
            pass_fds=(theirs.fileno(),),
            env={**os.environ, **dict.fromkeys(_ONE_THREAD, "1")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        theirs.close()
        self.connection.send((limits, os.getpid()))

    def give(self, request: bytes) -> None:
        start_s = 0.0 if self.started else _START_S
        self.deadline = time.monotonic() + start_s + self.limits.timeout_s
        self.connection.send_bytes(request)

    def answer(self) -> tuple[Any] | None:
        """What the child made of the item, or what became of the child; None: it has only just started."""
        try:
            if not self.connection.poll():
                self.kill()
                return (self._timeout(),)
            kind, value = _received(self.connection)
        except NoRoom as error:
            self.kill()
            return (BadRecording("out_of_memory", str(error)),)
        except (EOFError, OSError):
            return (self._death(),)
        if kind == _READY:
            self.started = True
            self.deadline = time.monotonic() + self.limits.timeout_s
            return None
        self.done += 1
        self.spent = kind == "out_of_memory"
        return (value if kind == "value" else BadRecording(kind, value),)

    def _timeout(self) -> BadRecording:
        return BadRecording("timeout", f"longer than {self.limits.timeout_s:g} s")

    def _death(self) -> BadRecording:
        self.spent = True
        try:
            code = self.process.wait(5.0)
        except subprocess.TimeoutExpired:
            code = None
        self.kill()
        if code == -signal.SIGKILL:
            return BadRecording("out_of_memory", "the system killed the process, as it does when memory runs out")
        if code == -signal.SIGALRM:
            return self._timeout()
        how = signal.Signals(-code).name if code is not None and code < 0 else f"exit code {code}"
        return BadRecording("decoder_crashed", f"the process died: {how}")

    def end(self) -> None:
        """Let an idle child go: it leaves when its pipe closes."""
        self.connection.close()
        try:
            self.process.wait(2.0)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        self.spent = True
        self.process.kill()
        self.process.wait()
        self.connection.close()


# --- on the pipe: a pickle, and after it the arrays of the answer as they lie in memory. Eight hours of sound are
# 920 MB: inside of the pickle they would be copied at each end, and from 64 MB on they lie in a file.


def _packed(kind: str, value: Any = None) -> list[Any]:
    """An answer as the messages that make it up: the first tells the sizes of the others."""
    buffers: list[pickle.PickleBuffer] = []
    packed = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL, buffer_callback=buffers.append)
    arrays = [buffer.raw() for buffer in buffers]
    return [pickle.dumps((kind, packed, [a.nbytes for a in arrays])), *arrays]


def _send(connection: Connection, message: list[Any]) -> None:
    connection.send_bytes(message[0])
    for array in message[1:]:
        sent = 0
        while sent < array.nbytes:
            sent += os.write(connection.fileno(), array[sent : sent + _PIECE])
            forget(array, _PIECE)


def _received(connection: Connection) -> tuple[str, Any]:
    """(kind, value). Raises EOFError where the child dies before the last byte."""
    kind, packed, sizes = pickle.loads(connection.recv_bytes())
    arrays = []
    for size in sizes:
        spool, filled, piece = Spool(), 0, memoryview(bytearray(min(size, _PIECE)))
        while filled < size:
            n = os.readv(connection.fileno(), [piece[: size - filled]])
            if not n:
                raise EOFError
            spool.append(piece[:n])
            filled += n
        arrays.append(spool.buffer())
    return kind, pickle.loads(packed, buffers=arrays)


# --- in the child


def _serve(fd: int) -> None:
    """Answer requests until the pipe closes. One thread reads and ends the process with the parent."""
    import queue
    import resource

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection = Connection(fd)
    limits, parent = connection.recv()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    allowed = resource.getrlimit(resource.RLIMIT_DATA)[1]
    n_bytes = limits.memory_mb << 20
    if allowed != resource.RLIM_INFINITY:
        n_bytes = min(n_bytes, allowed)
    resource.setrlimit(resource.RLIMIT_DATA, (n_bytes, n_bytes))
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(connection, requests, parent), daemon=True).start()
    greet = True
    while True:
        request = requests.get()
        # ends the process even where the parent is gone and the hang holds the interpreter's lock
        signal.setitimer(signal.ITIMER_REAL, limits.timeout_s + (_START_S if greet else 0.0) + 2.0)
        _send(connection, _work(request, connection if greet else None))
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        greet = False


def _read(connection: Connection, requests: Any, parent: int) -> None:
    try:
        while True:
            while not connection.poll(1.0):
                if os.getppid() != parent:
                    os._exit(0)
            requests.put(connection.recv_bytes())
    except (EOFError, OSError):
        os._exit(0)


def _work(request: bytes, greeting: Connection | None) -> list[Any]:
    try:
        function, spread, item = pickle.loads(request)
        if greeting is not None:
            _send(greeting, _packed(_READY))
        return _packed("value", function(*item) if spread else function(item))
    except BadRecording as error:
        return _packed("value", BadRecording(error.reason, error.detail))
    except MemoryError as error:
        return _packed("out_of_memory", str(error)[:500] or "memory ran out")
    except Exception as error:
        text = f"{type(error).__name__}: {error}"[:500]
        kind = "out_of_memory" if any(sign in text for sign in _OUT_OF_MEMORY_SIGNS) else "measurement_failed"
        return _packed(kind, text)
