"""One writer at a time, and the one who waits learns who holds the lock."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from pipelines.publishing.lock import LockHeld, writer_lock

HOLD = """
import sys, time
from pathlib import Path
from pipelines.publishing.lock import writer_lock
with writer_lock(Path(sys.argv[1]), "the nightly run", 1):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def foreign(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / "lock")], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_a_foreign_lock_is_waited_for_a_while_and_its_holder_is_named(tmp_path, foreign):
    begin = time.monotonic()
    with pytest.raises(LockHeld, match="the nightly run") as caught, writer_lock(tmp_path / "lock", "me", 0.3):
        pass
    assert 0.3 <= time.monotonic() - begin < 5
    assert str(foreign.pid) in str(caught.value)
    assert caught.value.holder["pid"] == foreign.pid
    assert caught.value.holder["since"].startswith("20")


def test_a_killed_holder_leaves_no_lock(tmp_path, foreign):
    os.kill(foreign.pid, signal.SIGKILL)
    foreign.wait()
    with writer_lock(tmp_path / "lock", "me", 1):
        assert json.loads((tmp_path / "lock").read_text())["holder"] == "me"


def test_the_lock_is_free_again_after_an_error_and_names_nobody(tmp_path):
    with pytest.raises(ZeroDivisionError), writer_lock(tmp_path / "a" / "lock", "first", 0):
        1 / 0  # noqa: B018
    assert (tmp_path / "a" / "lock").read_text() == ""
    with writer_lock(tmp_path / "a" / "lock", "second", 0):
        pass


def test_the_same_process_is_locked_out_too(tmp_path):
    with (
        writer_lock(tmp_path / "lock", "first", 0),
        pytest.raises(LockHeld, match="first"),
        writer_lock(tmp_path / "lock", "second", 0),
    ):
        pass


def test_a_forked_child_that_lives_on_does_not_keep_the_lock(tmp_path):
    read, write = os.pipe()
    with writer_lock(tmp_path / "lock", "parent", 0):
        child = os.fork()
        if child == 0:
            os.close(write)
            os.read(read, 1)
            os._exit(0)
    try:
        with writer_lock(tmp_path / "lock", "next", 10):
            pass
    finally:
        os.close(write)
        os.waitpid(child, 0)
