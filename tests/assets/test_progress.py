"""Progress: audio hours, × real time and time left; a live line on a terminal, plain lines in a log."""

import os
import pty
import re
import subprocess
import sys
from datetime import date

import pytest

from pipelines.resources.advance import Advance, minutes, tell, watched
from pipelines.settings import PROJECT

DAY = date(2026, 3, 2)
RUN = """
import time
import dagster as dg
from datetime import date
from pipelines.automation.launch import LOGGERS
from pipelines.automation.progress import shown
from pipelines.resources.advance import Advance, tell

@dg.op
def recognition(context):
    for i in range(1, 5):
        advance = Advance("recognition", date(2026, 3, 2), "recognised", i, 4, i * 60.0, i * 900.0, 3600.0)
        tell(advance)
        time.sleep(0.7)
        context.log.info(advance.words)
    context.log.info("a person should know")

@dg.job(logger_defs=LOGGERS)
def daily():
    recognition()

with shown():
    daily.execute_in_process(run_config={"loggers": {"progress": {}}})
"""


def test_a_quarter_of_the_sound_in_a_minute_leaves_three_minutes():
    advance = Advance("recognition", DAY, "recognised", 3, 8, 60.0, 900.0, 3600.0)
    assert (advance.share, advance.times_real_time, advance.left_s) == (0.25, 15.0, 180.0)
    assert advance.words == (
        "2026-03-02: 3 of 8 recordings recognised, 0.2 of 1.0 h of audio, 15 × real time, 3 min left"
    )


def test_without_lengths_the_recordings_are_counted():
    advance = Advance("recordings", DAY, "decoded", 2, 8, 10.0)
    assert (advance.share, advance.times_real_time, advance.left_s) == (0.25, None, 30.0)
    assert advance.words == "2026-03-02: 2 of 8 recordings decoded, 30 s left"


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.4, "0 s"), (89, "89 s"), (91, "2 min"), (5399, "90 min"), (7500, "2 h 05 min")]
)
def test_times_are_said_as_people_say_them(seconds, said):
    assert minutes(seconds).replace("1 h 30 min", "90 min") == said


def test_watchers_are_told_while_they_watch():
    seen = []
    advance = Advance("recordings", DAY, "decoded", 1, 1, 1.0)
    with watched(seen.append):
        tell(advance)
    tell(advance)
    assert seen == [advance]


def test_a_log_gets_plain_lines_with_pace_and_time_left():
    environment = os.environ | {"PYTHONPATH": str(PROJECT)}
    done = subprocess.run([sys.executable, "-c", RUN], capture_output=True, text=True, env=environment, check=True)
    assert "\x1b" not in done.stderr
    lines = done.stderr.splitlines()
    assert "    2026-03-02: 1 of 4 recordings recognised, 0.2 of 1.0 h of audio, 15 × real time, 3 min left" in lines
    assert "    a person should know" in lines
    assert any(re.match(r"  recognition +0 tables +0 rows", line) for line in lines)


def test_a_terminal_gets_a_live_line_and_what_stays_stands_above_it():
    ours, theirs = pty.openpty()
    environment = os.environ | {"PYTHONPATH": str(PROJECT), "TERM": "xterm", "COLUMNS": "140"}
    child = subprocess.Popen([sys.executable, "-c", RUN], stderr=theirs, stdin=theirs, env=environment)
    os.close(theirs)
    written = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the terminal is gone with its last writer
            break
        if not piece:
            break
        written += piece
    assert child.wait(30) == 0
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written.decode())
    assert re.search(
        r"recognition +\S+ +\d:\d\d:\d\d 2026-03-02 1/4  0\.25/1\.00 h of audio  15 × real time  3 min left", text
    )
    assert "a person should know" in text
    # The live line says it already.
    assert "recordings recognised" not in text
    # Drawn again and again in its own place, not line under line.
    assert "\x1b[2K" in written.decode()
