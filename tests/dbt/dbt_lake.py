"""A small lake and the dbt project on top of it: parsed once, run in process, every file under a temporary folder."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path

import duckdb
import polars as pl

from pipelines.contracts import all_tables
from pipelines.contracts.logs import LOGS
from pipelines.contracts.metrics import METRICS, catalogue
from pipelines.lake import Lake
from pipelines.warehouse import fewer_events

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
MONDAY = date(2026, 3, 2)


@dataclass(frozen=True)
class Ticket:
    """One ticket of the CRM."""

    id: str
    interaction: str | None = None
    customer: str | None = None
    issue_type: str | None = None
    status: str | None = None
    opened_at: datetime | None = None
    resolved_at: datetime | None = None
    reopened_at: datetime | None = None


@dataclass(frozen=True)
class Call:
    """One interaction of a test lake. `values` holds the metrics that were measured; the others are `no_event`.

    `extractor` is the version that measured them.
    """

    id: str
    day: date = MONDAY
    values: dict[tuple[str, str], float] = field(default_factory=dict)
    outcome: str = "eligible"
    reason: str | None = None
    at: time = time(10)
    channel: str = "call"
    call_type: str | None = "support"
    agent: str | None = "007"
    campaign: str | None = "retail"
    issue_type: str | None = "billing"
    customer: str | None = None
    transferred_at: datetime | None = None
    extractor: str = "t"
    ticket: str | None = None
    ended_at: datetime | None = None
    hold_s: float | None = None
    acw_s: float | None = None

    @property
    def started_at(self) -> datetime:
        return datetime.combine(self.day, self.at, UTC)


def rows_of(calls: Iterable[Call]) -> dict[str, list[dict]]:
    """What these calls give in the daily tables, by table name."""
    calls = list(calls)
    read = [c for c in calls if c.outcome != "quarantined"]
    return {
        "landing/interactions": [
            {
                "interaction_id": c.id,
                "call_date": c.day,
                "channel": c.channel,
                "started_at": c.started_at,
                "agent_id": c.agent,
                "campaign": c.campaign,
                "customer_key": c.customer,
                "call_type": c.call_type,
                "transferred_at": c.transferred_at,
                "ticket_id": c.ticket,
                "ended_at": c.ended_at,
                "hold_s": c.hold_s,
                "acw_s": c.acw_s,
                "client": "acme",
                "source_file": "interactions.csv",
            }
            for c in calls
        ],
        "metrics/outcomes": [
            {
                "interaction_id": c.id,
                "outcome": c.outcome,
                "reason": c.reason,
                "duration_s": 60.0,
                "n_words": None if c.outcome == "quarantined" else 100,
                "language": "en",
                "layout": "two_channel",
                "speaker_source": "default",
                "speaker_confidence": 0.75,
            }
            for c in calls
        ],
        "language/issue_types": [
            {
                "interaction_id": c.id,
                "issue_type": c.issue_type,
                "source": "inferred",
                "confidence": 0.9,
                "extractor_version": "t",
            }
            for c in read
            if c.issue_type
        ],
        "metrics/interaction_metrics": [
            {
                "interaction_id": c.id,
                "metric": m.id,
                "party": party,
                "value": c.values.get((m.id, party)),
                "unit": m.unit,
                "reason": None if (m.id, party) in c.values else "no_event",
                "extractor_version": c.extractor,
            }
            for c in read
            for m in METRICS.values()
            for party in m.parties
            if m.id != "repeat_within_7d"
        ],
        "recordings/recordings": [
            {
                "interaction_id": c.id,
                "recording": f"{c.id}.wav",
                "agent_channel_source": "default",
                "outcome": "accepted" if c.outcome != "quarantined" else "quarantined",
                "extractor_version": "t",
            }
            for c in calls
            if c.channel == "call"
        ],
        "transcripts/utterances": [
            {
                "interaction_id": c.id,
                "utterance": i,
                "party": party,
                "start_s": 2.0 * i,
                "end_s": 2.0 * i + 1,
                "text": "my card is [card]",
                "n_words": 4,
                "source": "recognition",
            }
            for c in read
            for i, party in enumerate(("agent", "customer"))
        ],
        "language/sentiments": [
            {
                "interaction_id": c.id,
                "utterance": 1,
                "party": "customer",
                "sentiment": -0.5,
                "confidence": 0.8,
                "word_sentiment": -0.25,
                "activation": 1.5,
                "quarter": 4,
                "extractor_version": "t",
            }
            for c in read
        ],
        "language/keywords": [
            {
                "interaction_id": c.id,
                "party": "customer",
                "keyword": c.issue_type or "nothing",
                "n": 2,
                "utterance": 1,
                "extractor_version": "t",
            }
            for c in read
        ],
        "conversation/events": [
            {
                "interaction_id": c.id,
                "event": i,
                "kind": "interruption",
                "party": "agent",
                "start_s": 10.0 * (i + 1),
                "end_s": 10.0 * (i + 1) + i + 1,
            }
            for c in read
            for i in range(2)
        ],
        "language/events": [
            {"interaction_id": c.id, "event": 0, "kind": "empathy", "party": "agent", "start_s": 15.0} for c in read
        ],
    }


def write_day(lake: Lake, day: date, calls: Iterable[Call]) -> None:
    """Replace the day's partition of every daily table by what these calls give."""
    rows = rows_of(calls)
    for contract in all_tables().values():
        if contract.daily:
            lake.write(contract, contract.frame(rows.get(contract.name, [])), day, inputs="test")


def write_tickets(lake: Lake, tickets: Iterable[Ticket]) -> None:
    """Replace the tickets of the CRM."""
    contract = all_tables()["landing/tickets"]
    lake.write(contract, contract.frame(ticket_rows(tickets)), inputs="test")


def ticket_rows(tickets: Iterable[Ticket]) -> list[dict]:
    return [
        {
            "ticket_id": t.id,
            "interaction_id": t.interaction,
            "customer_key": t.customer,
            "issue_type": t.issue_type,
            "status": t.status,
            "opened_at": t.opened_at,
            "resolved_at": t.resolved_at,
            "reopened_at": t.reopened_at,
            "source_file": "tickets.csv",
        }
        for t in tickets
    ]


def write_lake(root: Path, calls: Iterable[Call], tickets: Iterable[Ticket] = ()) -> Lake:
    """A lake with these calls, two listed agents, a survey, a rejected row and the files of the ledger."""
    calls = list(calls)
    lake = Lake(root)
    for day in sorted({c.day for c in calls}):
        write_day(lake, day, (c for c in calls if c.day == day))
    rows: dict[str, list[dict]] = {
        "landing/agents": [
            {"agent_id": "007", "name": "Ann", "team": "north", "source_file": "agents.csv"},
            {"agent_id": "008", "name": "Bob", "team": "south", "source_file": "agents.csv"},
        ],
        "landing/surveys": [
            {"interaction_id": c.id, "csat": 4, "nps": 9, "source_file": "surveys.csv"} for c in calls[:1]
        ],
        "landing/rejects": [
            {
                "source_file": "interactions.csv",
                "row_number": 9,
                "kind": "interactions",
                "reason": "metadata_invalid",
                "detail": "no id",
            }
        ],
    }
    for contract in all_tables().values():
        if not contract.daily:
            frame = catalogue() if contract.name == "metrics/catalogue" else contract.frame(rows.get(contract.name, []))
            lake.write(contract, frame, inputs="test")
    write_tickets(lake, tickets)
    (root / "ops" / "dq_results").mkdir(parents=True, exist_ok=True)
    (root / "ops" / "dq_results" / "run.jsonl").write_text(
        json.dumps({"run_id": "r", "checked_at": "2026-03-02T10:00:00", "passed": True, "blocking": True}) + "\n"
    )
    (root / "ops" / "publications.jsonl").write_text("")
    for log in LOGS:
        log.path(root).touch()
    return lake


@dataclass
class Dbt:
    """The dbt project bound to one lake and one warehouse path; `build` returns what failed."""

    root: Path
    manifest: object = None

    @property
    def lake(self) -> Path:
        return self.root / "lake"

    @property
    def warehouse(self) -> Path:
        return self.root / "iqs.duckdb"

    def clean(self) -> None:
        shutil.rmtree(self.lake, ignore_errors=True)
        self.warehouse.unlink(missing_ok=True)

    def invoke(self, *arguments: str, days: Iterable[date] = (), threads: int = 2, **environment: str):
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager
        from dbt.adapters.factory import reset_adapters
        from dbt.cli.main import dbtRunner

        variables = {
            "IQS_LAKE": str(self.lake),
            "IQS_WAREHOUSE": str(self.warehouse),
            "IQS_DAYS": ",".join(d.isoformat() for d in days),
            **environment,
        }
        fewer_events()
        before = dict(os.environ)
        os.environ.update(variables)
        try:
            return dbtRunner(manifest=self.manifest).invoke(
                [
                    *arguments,
                    *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
                    *("--target-path", str(self.root / "target"), "--log-path", str(self.root / "logs")),
                    *("--threads", str(threads), "--quiet", "--no-write-json"),
                ]
            )
        finally:
            DuckDBConnectionManager.close_all_connections()  # else it keeps the lock on the file
            reset_adapters()
            os.environ.clear()
            os.environ.update(before)

    def build(self, *arguments: str, **more) -> dict[str, str]:
        """Names of the nodes that did not pass, with dbt's message; `more` as in `invoke`."""
        result = self.invoke("build", *arguments, **more)
        if result.exception:
            raise result.exception
        return {r.node.name: r.message for r in result.result if r.status in ("error", "fail", "runtime error")}

    def query(self, sql: str) -> pl.DataFrame:
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            return connection.execute(sql).pl()

    def dump(self) -> dict[str, list[tuple]]:
        """Every table of marts, trends, ops and restricted, its rows in order; not when the lake was written."""
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            names = connection.execute(
                "select table_schema || '.' || table_name from information_schema.tables"
                " where table_schema in ('marts', 'trends', 'ops', 'restricted') and table_name <> 'ops_freshness'"
                " order by 1"
            ).fetchall()
            return {n: connection.execute(f"select * from {n} order by all").fetchall() for (n,) in names}
