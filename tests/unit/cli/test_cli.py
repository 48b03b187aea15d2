"""The command line: a sentence and an exit code, never a stack trace."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def iqs(data: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *arguments],
        env=os.environ | {"IQS_DATA": str(data)} | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "says"),
    [
        (["run", "--date", "tomorrow"], {}, 2, "--date takes a date such as 2026-03-02"),
        (["run", "--from", "2026-03-02"], {}, 2, "--from and --to go together"),
        (["run", "--date", "2026-03-02", "--new"], {}, 2, "give --date, or --from and --to, or --new"),
        (["run", "--frm", "x"], {}, 2, "--frm"),
        (["fly"], {}, 2, "fly"),
        (["run"], {}, 1, "set IQS_LANDING"),
        (["status"], {"IQS_TIMEZONE": "Mars"}, 2, "IQS_TIMEZONE='Mars' is no time zone"),
        (["status"], {"IQS_WORKERS": "many"}, 2, "IQS_WORKERS='many' can't be read as int"),
        (["report"], {}, 1, "nothing is published yet"),
        (["rollback"], {}, 1, "no older publication"),
        (["quarantine", "show", "nope"], {}, 2, "nope is not in quarantine"),
    ],
)
def test_a_mistake_gets_a_sentence_and_its_exit_code(tmp_path, arguments, environment, code, says):
    done = iqs(tmp_path, *arguments, **environment)
    assert done.returncode == code
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_an_empty_landing_folder_has_nothing_new_and_that_is_no_error(tmp_path):
    (tmp_path / "landing").mkdir()
    done = iqs(tmp_path, "run")
    assert (done.returncode, done.stdout.strip()) == (0, "nothing new in the landing folder")


def test_status_says_that_nothing_is_published_and_what_waits(tmp_path):
    (tmp_path / "landing").mkdir()
    header = "interaction_id,channel,started_at,agent_id,campaign"
    (tmp_path / "landing" / "interactions.csv").write_text(f"{header}\nc1,call,2026-03-02T09:00:00Z,007,billing\n")
    done = iqs(tmp_path, "status")
    assert done.returncode == 0
    assert "nothing is published yet" in done.stdout
    assert "2026-03-02" in done.stdout
