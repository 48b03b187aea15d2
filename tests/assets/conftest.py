"""An installation in a temporary folder, its landing folder, and runs of the daily job in this process."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from pipelines.automation.launch import RunResult, run_days
from pipelines.definitions import build, resources
from pipelines.lake import Lake
from pipelines.landing import Landing, LandingOptions
from pipelines.publishing.days import ranges, unpublished_days
from pipelines.settings import Settings

DIALOGUE = (
    ("agent", "Thank you for calling support, my name is Ann, how can I help you today?"),
    ("customer", "Hi, I was charged twice on my bill and I am really angry about it."),
    ("agent", "I am so sorry about that, I understand how frustrating this is. Let me check your account."),
    ("agent", "I have refunded the second charge for you. Is there anything else I can do?"),
    ("customer", "No, that's great, thank you so much for your help."),
    ("agent", "You're welcome, have a nice day."),
)


MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)


@dataclass
class Installation:
    """A data root and its landing folder; `run` runs what is new, as `iqs run` does."""

    root: Path
    overrides: dict = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        return Settings(data=self.root, landing=self.root / "landing", workers=2, **self.overrides)

    @property
    def landing(self) -> Path:
        return self.root / "landing"

    @property
    def lake(self) -> Lake:
        return Lake(self.settings.lake)

    def deliver(self, name: str, rows: list[dict]) -> Path:
        """A landing file: CSV, or JSON Lines by its name."""
        path = self.landing / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
            return path
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(dict.fromkeys(k for row in rows for k in row)))
            writer.writeheader()
            writer.writerows(rows)
        return path

    def deliver_calls(self, day: date, count: int, *, first: int = 0, agent: str = "007", name: str = "") -> None:
        """Calls with ready-made transcripts, and one chat."""
        ids = [f"call-{day:%d}-{first + i}" for i in range(count)]
        started = f"{day.isoformat()}T09:00:00Z"
        common = {"started_at": started, "agent_id": agent, "campaign": "billing", "call_type": "support"}
        self.deliver(
            f"interactions-{day}{name}.csv",
            [{"interaction_id": i, "channel": "call", "customer_id": f"of {i}"} | common for i in ids],
        )
        self.deliver(
            f"transcripts-{day}{name}.csv",
            [
                {"interaction_id": i, "party": p, "text": t, "start_s": 7 * n, "end_s": 7 * n + 6}
                for i in ids
                for n, (p, t) in enumerate(DIALOGUE)
            ],
        )

    def waiting(self) -> list[date]:
        days = Landing(LandingOptions.of(self.settings)).day_table()
        return list(unpublished_days(self.lake, days))

    def run(self, days: list[date] | None = None) -> list[RunResult]:
        definitions = build(self.settings)
        with dg.DagsterInstance.ephemeral() as storage:
            return [run_days(definitions, self.settings, *r, storage=storage) for r in ranges(days or self.waiting())]

    def sql(self, query: str) -> list[tuple]:
        """Rows of the current publication."""
        with duckdb.connect(str(self.root / "published" / "current" / "iqs.duckdb"), read_only=True) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture(scope="session")
def parsed_project(tmp_path_factory) -> Path:
    """dbt's parsed project, made once: parsing it again for another data root is then partial, and fast."""
    root = tmp_path_factory.mktemp("parsed")
    warehouse = resources(Settings(data=root))["warehouse"].open()
    warehouse.prepare()
    (warehouse.target / "project.txt").unlink()
    return warehouse.target


@pytest.fixture
def installation(tmp_path: Path, parsed_project: Path) -> Installation:
    return made_in(tmp_path, parsed_project)


def made_in(root: Path, parsed_project: Path) -> Installation:
    """An installation in `root` with an empty landing folder."""
    (root / "landing").mkdir()
    shutil.copytree(parsed_project, root / "warehouse" / "dbt")
    return Installation(root)


def published(installation: Installation) -> dict[str, list[tuple]]:
    """Everything that readers see, less what belongs to the publication itself."""
    tables = ("fct_interactions", "fct_metrics", "fct_parameter_scores", "fct_events", "trend_iqs", "ops_ledger")
    return {t: installation.sql(f"select * exclude (publish_id) from {t} order by all") for t in tables}
