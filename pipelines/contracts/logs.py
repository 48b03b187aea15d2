"""The logs of what left the house and what came back: JSON Lines under `<lake>/ops`, only ever appended to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Log:
    """One log. `columns` are DuckDB types, as dbt's source of that name declares them too."""

    name: str
    meaning: str
    columns: dict[str, str]

    def path(self, lake_root: Path) -> Path:
        """Its file under a lake."""
        return lake_root / "ops" / f"{self.name}.jsonl"


ALERT_SIGHTINGS = Log(
    "alert_sightings",
    "One row per alert, written when it was first raised.",
    {"dedupe_key": "VARCHAR", "rule": "VARCHAR", "version": "BIGINT", "first_seen": "TIMESTAMP"},
)
ALERT_ATTEMPTS = Log(
    "alert_attempts",
    "One row per alert, channel and attempt to deliver it.",
    {
        "dedupe_key": "VARCHAR",
        "rule": "VARCHAR",
        "version": "BIGINT",
        "channel": "VARCHAR",
        "route": "VARCHAR",
        "status": "VARCHAR",
        "attempted_at": "TIMESTAMP",
        "tries": "BIGINT",
        "answer": "VARCHAR",
        "from_publish_id": "VARCHAR",
    },
)
ALERT_ACKS = Log(
    "alert_acks",
    "One row per acknowledgement given at the command line.",
    {"dedupe_key": "VARCHAR", "acknowledged_by": "VARCHAR", "acknowledged_at": "TIMESTAMP"},
)
CRM_SYNC = Log(
    "crm_sync",
    "One row per ticket and attempt to write to it.",
    {
        "synced_at": "TIMESTAMP",
        "target": "VARCHAR",
        "ticket_id": "VARCHAR",
        "interaction_id": "VARCHAR",
        "status": "VARCHAR",
        "http_status": "BIGINT",
        "answer": "VARCHAR",
        "tries": "BIGINT",
        "sent": "VARCHAR",
        "sent_hash": "VARCHAR",
        "from_publish_id": "VARCHAR",
    },
)

LOGS = (ALERT_SIGHTINGS, ALERT_ATTEMPTS, ALERT_ACKS, CRM_SYNC)
