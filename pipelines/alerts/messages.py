"""What an alert says: plain texts and JSON, from the public columns of the table `alerts` and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime

_LONGEST_EVIDENCE = 240
_WORDS = {"below": "below", "at_most": "at most", "above": "above", "at_least": "at least"}
SEVERITIES = ("critical", "warning", "info")


@dataclass(frozen=True)
class Alert:
    """One row of the published table `alerts`. No customer is in it, and no text but the redacted evidence."""

    dedupe_key: str
    rule: str
    version: int
    severity: str
    meaning: str | None
    interaction_id: str | None
    subject: str | None
    call_date: date
    period: str | None
    agent_id: str | None
    agent_name: str | None
    team: str | None
    route: str | None
    campaign: str | None
    issue_type: str | None
    measure: str
    party: str | None
    value: float
    comparison: str
    threshold: float
    evidence: str | None
    evidence_start_s: float | None
    evidence_end_s: float | None
    iqs: float | None
    channels: str | None
    send_within_days: int | None
    first_seen: datetime | None
    acknowledged: bool
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    delivered_at: datetime | None

    @property
    def order(self) -> tuple:
        """The gravest first, then the newest."""
        return SEVERITIES.index(self.severity), -self.call_date.toordinal(), self.dedupe_key


COLUMNS = tuple(f.name for f in fields(Alert))
# What leaves the house as JSON: not who else was told, and how.
_SENT = COLUMNS[: COLUMNS.index("channels")]


def as_json(alert: Alert) -> dict:
    """The alert as a JSON object."""
    return {n: _plain(getattr(alert, n)) for n in _SENT}


def payload(alerts: Sequence[Alert], route: str, publish_id: str) -> dict:
    """What the webhook gets: the alerts of one route, each with the key by which a receiver can tell repeats."""
    return {"source": "iqs", "publish_id": publish_id, "route": route, "alerts": [as_json(a) for a in alerts]}


def subject(alerts: Sequence[Alert]) -> str:
    """`IQS: 1 critical, 3 warning (B03, 007)`: counts and agents, nothing that was said."""
    counts = [f"{n} {s}" for s in SEVERITIES if (n := sum(a.severity == s for a in alerts))]
    agents = list(dict.fromkeys(a.agent_id for a in alerts if a.agent_id))
    shown = ", ".join(agents[:5]) + (" …" if len(agents) > 5 else "")
    return f"IQS: {', '.join(counts)}" + (f" ({shown})" if agents else "")


def text(alerts: Sequence[Alert]) -> str:
    """The alerts in words, those of one interaction together."""
    together: dict[tuple, list[Alert]] = {}
    for alert in sorted(alerts, key=lambda a: a.order):
        together.setdefault((alert.interaction_id, alert.subject, alert.call_date), []).append(alert)
    return "\n\n".join("\n".join(_paragraph(found)) for found in together.values())


def _paragraph(alerts: Sequence[Alert]) -> list[str]:
    first = alerts[0]
    who = f"{first.agent_name} ({first.agent_id})" if first.agent_name else first.agent_id
    if first.interaction_id:
        parts = [first.interaction_id, str(first.call_date), who, first.campaign, first.issue_type]
    else:
        parts = [f"{first.measure} {first.subject}", f"{first.period} from {first.call_date}"]
    lines = [", ".join(p for p in parts if p)]
    for alert in alerts:
        mark = "!!" if alert.severity == "critical" else "-"
        lines.append(f"{mark} {alert.meaning or alert.rule}: {measured(alert)}")
        if alert.evidence:
            lines.append(f"   {_where(alert)}{_cut(alert.evidence)}")
    return lines


def measured(alert: Alert) -> str:
    """`agent empathy_score 12 (below 70)`."""
    what = f"{alert.measure} " if alert.interaction_id else ""
    party = f"{alert.party} " if alert.party in ("agent", "customer") else ""
    return f"{party}{what}{alert.value:.4g} ({_WORDS[alert.comparison]} {alert.threshold:.4g})"


def _where(alert: Alert) -> str:
    if alert.evidence_start_s is None:
        return ""
    minutes, seconds = divmod(int(alert.evidence_start_s), 60)
    return f"at {minutes}:{seconds:02}: "


def _cut(words: str) -> str:
    words = " ".join(words.split())
    return words if len(words) <= _LONGEST_EVIDENCE else words[: _LONGEST_EVIDENCE - 1] + "…"


def slack_text(alerts: Sequence[Alert], mention: str = "") -> str:
    """The text for a Slack-compatible webhook; what was said can't mention anybody or make a link."""
    escaped = text(alerts).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"{mention} *{subject(alerts)}*\n{escaped}".strip()


def _plain(value):
    if isinstance(value, date | datetime):
        return value.isoformat()
    return value
