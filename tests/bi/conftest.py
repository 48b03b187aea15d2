"""A publication with the columns, types and comments that dbt's contracts declare, and ways to make the next one."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
import yaml

from pipelines.bi import Places
from pipelines.publishing.generations import literal
from pipelines.publishing.publisher import publish
from pipelines.warehouse import BuildState
from tests.conftest import REPOSITORY

WEEKS = 3


@dataclass(frozen=True)
class House:
    """A warehouse that can be published over and over; in each publication every row's n is its number."""

    root: Path

    @property
    def places(self) -> Places:
        return Places((self.root / "published").resolve(), True)

    def publish(self, number: int) -> str:
        warehouse = self.root / "warehouse" / "warehouse.duckdb"
        with duckdb.connect(str(warehouse)) as connection:
            connection.execute("update trends.trend_iqs set n = ?", [number])
        made = publish(
            warehouse, self.root / "published", public=["trends.trend_iqs"], dbt=BuildState("success", "2026-03-23")
        )
        return made.publish_id


@pytest.fixture
def house(tmp_path) -> House:
    """trend_iqs as its contract declares it, with three weeks of 70, 71 and 72 points, published once."""
    (tmp_path / "warehouse").mkdir()
    models = yaml.safe_load((REPOSITORY / "dbt_project" / "models" / "trends" / "_trends.yml").read_text())["models"]
    (columns,) = [m["columns"] for m in models if m["name"] == "trend_iqs"]
    columns = [c for c in columns if c["name"] != "publish_id"]
    rows = {
        "dimension": "'all'",
        "value": "'all'",
        "period": "'week'",
        "basis": "'as_scored'",
        "period_start": "date '2026-03-02' + 7 * i::int",
        "iqs": "70 + i",
    }
    values = ", ".join(f"({rows.get(c['name'], 'null')})::{c['data_type']} as {c['name']}" for c in columns)
    with duckdb.connect(str(tmp_path / "warehouse" / "warehouse.duckdb")) as connection:
        connection.execute("create schema trends")
        connection.execute(f"create table trends.trend_iqs as select {values} from range({WEEKS}) t(i)")
        connection.execute("comment on table trends.trend_iqs is 'One row per group and period.'")
        for c in columns:
            comment = " ".join(c["description"].split())
            connection.execute(f"comment on column trends.trend_iqs.{c['name']} is {literal(comment)}")
    house = House(tmp_path)
    house.publish(1)
    return house


@pytest.fixture(scope="session")
def python_with_engine() -> str:
    """A Python in which SQLAlchemy finds the dialect duckdb: this one, or that of IQS_TEST_BI_PYTHON."""
    for python in (sys.executable, os.environ.get("IQS_TEST_BI_PYTHON", "")):
        if python and not subprocess.run([python, "-c", "import duckdb_engine"], capture_output=True).returncode:
            return python
    raise RuntimeError("duckdb-engine is not installed: `make setup` does it, or name a Python in IQS_TEST_BI_PYTHON")


@pytest.fixture(scope="session")
def duckdb_program() -> str:
    """DuckDB's command-line client: that of IQS_TEST_DUCKDB, the one beside this Python, or one on the path."""
    beside = shutil.which("duckdb", path=str(Path(sys.executable).parent))
    found = os.environ.get("IQS_TEST_DUCKDB") or beside or shutil.which("duckdb")
    if not found:
        raise RuntimeError("the program duckdb is not installed: `make setup` does it, or name it in IQS_TEST_DUCKDB")
    return found
