"""One parsed dbt project for the whole folder: dbt's start is what costs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from dbt_lake import Dbt
from sql_models import SqlModels

sys.path.append(str(Path(__file__).resolve().parents[1]))  # oracle.py


@pytest.fixture(scope="session")
def project(tmp_path_factory) -> Dbt:
    """The parsed project. Tests share its paths, as the parsed project holds them; take `dbt` instead."""
    dbt = Dbt(tmp_path_factory.mktemp("dbt"))
    parsed = dbt.invoke("parse")
    assert parsed.success, parsed.exception
    dbt.manifest = parsed.result
    return dbt


@pytest.fixture(scope="session")
def models(project: Dbt) -> SqlModels:
    """The project's SQL, to be run in memory."""
    return SqlModels(project)


@pytest.fixture
def dbt(project: Dbt) -> Iterator[Dbt]:
    """The parsed project with an empty lake and no warehouse."""
    project.clean()
    yield project
    project.clean()
