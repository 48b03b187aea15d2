"""The settings file of a project folder: `.env` in the folder where a command is started, and nowhere else."""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path

from pipelines.settings import SettingError

NAME = ".env"
_OURS = "IQS_"


def read_env_file(path: Path) -> dict[str, str]:
    """The `IQS_*` lines of the file; empty where there is none. Read as Dagster reads it, so that both see the same.

    Raises SettingError naming the line that is no `NAME=value`, or why the file can't be read.
    """
    if not path.is_file():
        return {}
    from dotenv import dotenv_values
    from dotenv.parser import parse_stream

    try:
        with path.open(encoding="utf-8") as file:
            for binding in parse_stream(file):
                if binding.error:
                    raise SettingError(f"{path} line {binding.original.line} is not of the form NAME=value")
        values = dotenv_values(path)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{path} can't be read: {error}") from error
    return {name: value or "" for name, value in values.items() if name.startswith(_OURS)}


def load_env_file(environment: MutableMapping[str, str], folder: Path | None = None) -> Path | None:
    """Add the settings of `.env` in `folder` (the working folder) to `environment`; what stands there already wins.

    Returns the file, or None where there is none. Raises SettingError as read_env_file does.
    """
    path = (folder or Path.cwd()) / NAME
    for name, value in read_env_file(path).items():
        environment.setdefault(name, value)
    return path if path.is_file() else None
