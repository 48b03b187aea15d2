from __future__ import annotations

from pathlib import Path

import pytest
from example_publication import Size, build


@pytest.fixture(scope="session")
def published(tmp_path_factory) -> Path:
    """Two weeks, about a hundred calls."""
    return build(tmp_path_factory.mktemp("published") / "iqs.duckdb")


@pytest.fixture(scope="session")
def nothing_published(tmp_path_factory) -> Path:
    """All tables, no interaction."""
    return build(tmp_path_factory.mktemp("nothing") / "iqs.duckdb", Size(days=0))


@pytest.fixture(scope="session")
def one_call_published(tmp_path_factory) -> Path:
    return build(tmp_path_factory.mktemp("one") / "iqs.duckdb", Size(days=1, calls=1))
