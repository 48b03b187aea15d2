"""`iqs`: thin calls of the jobs that Dagster runs, for people and scripts at a terminal.

Exit codes: 0 done; 1 it failed and says why; 2 used wrongly; 3 done, but something is in quarantine or a warning
stands; 4 a blocking check failed and nothing was published.
"""

from __future__ import annotations

import logging
import os
import sys

import typer

# Each adds its commands, in the order in which the help shows them.
from pipelines.cli import setup, run, quarantine, scores, publications, privacy, backup, alerts, crm  # noqa: F401  # isort: skip
from pipelines.cli.terminal import DONE, FAILED, USED_WRONGLY, CommandError, app
from pipelines.installation.envfile import load_env_file
from pipelines.settings import SettingError, Settings


def main() -> None:
    """Entry point: errors become a sentence and an exit code, never a stack trace (IQS_DEBUG=1 shows it)."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    logging.raiseExceptions = False  # a log that can't be written, on a full disk, prints no stack traces
    try:
        load_env_file(os.environ)
        code = app(standalone_mode=False)
    except CommandError as error:
        code = _complain(str(error), error.code)
    except SettingError as error:
        code = _complain(str(error), USED_WRONGLY)
    except (typer.Abort, KeyboardInterrupt):
        code = _complain("stopped; finished recordings are kept, the next run goes on from there", FAILED)
    except Exception as error:
        if type(error).__module__.startswith(("click", "typer")):
            code = _complain(error.format_message() if hasattr(error, "format_message") else str(error), USED_WRONGLY)
        elif full := _full_disk():
            code = _complain(full, FAILED)
        elif os.environ.get("IQS_DEBUG"):
            raise
        elif type(error).__module__.startswith("pipelines") or isinstance(error, OSError):
            code = _complain(str(error), FAILED)
        else:
            code = _complain(f"{type(error).__name__}: {error}; IQS_DEBUG=1 shows where", FAILED)
    sys.exit(code if isinstance(code, int) else DONE)


def _full_disk() -> str | None:
    """That the data root's disk is full, where it is: SQLite and others call that an I/O error."""
    import shutil

    try:
        data = Settings.from_environment().data
    except SettingError:
        return None
    if not data.exists() or shutil.disk_usage(data).free >= 1 << 20:
        return None
    return (
        f"No space left on the disk of {data}. What is published stays; free some space, then run it again: "
        "it goes on from there"
    )


def _complain(message: str, code: int) -> int:
    print(f"iqs: {message}", file=sys.stderr)
    return code
