from pathlib import Path

import pytest

from pipelines.language.day import Rules
from pipelines.language.phrases import Phrases

SEEDS = Path(__file__).resolve().parents[3] / "dbt_project" / "seeds"


@pytest.fixture(scope="session")
def seeds() -> Path:
    return SEEDS


@pytest.fixture(scope="session")
def phrases() -> Phrases:
    return Phrases.read(SEEDS)


@pytest.fixture(scope="session")
def rules() -> Rules:
    return Rules.read(SEEDS)
