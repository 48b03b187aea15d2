"""Delivery: every alert once per channel, whatever is down in between; what happened stands in the lake's logs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pipelines.alerts.channels import EVERYBODY, Channels, Message, send
from pipelines.alerts.messages import COLUMNS, Alert
from pipelines.contracts.logs import ALERT_ACKS, ALERT_ATTEMPTS, ALERT_SIGHTINGS
from pipelines.publishing.lock import writer_lock
from pipelines.quality.ledger import append_lines, read_lines

DELIVERED, FAILED = "delivered", "failed"


class AlertError(RuntimeError):
    """Alerts can't be read or acknowledged; the message says why and what to do."""


@dataclass(frozen=True)
class DeliveryOptions:
    """`today` decides what is too old to be sent (the rule's send_within_days, or `within_days` for all)."""

    today: date
    within_days: int | None = None
    per_message: int = 20


@dataclass(frozen=True)
class Delivery:
    """What a delivery came to: alerts (per channel) that arrived, that failed, and that wait because it failed before
    their turn. `problems` says in words which channel and why."""

    delivered: int = 0
    failed: int = 0
    waiting: int = 0
    too_old: int = 0
    problems: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        return not (self.failed or self.waiting)


def read_alerts(connection, table: str = "alerts") -> list[Alert]:
    """The alerts in a DuckDB connection, the gravest first. AlertError where the table is not there."""
    import duckdb

    try:
        rows = connection.execute(f"select {', '.join(COLUMNS)} from {table}").fetchall()
    except duckdb.Error as error:
        raise AlertError(
            "the publication has no table alerts: an earlier version made it; `iqs run` makes it anew"
        ) from error
    found = (Alert(**dict(zip(COLUMNS, row, strict=True))) for row in rows)
    alerts = (replace(a, iqs=None if a.iqs is None else float(a.iqs)) for a in found)
    return sorted(alerts, key=lambda a: a.order)


def published_alerts(database: Path) -> tuple[list[Alert], str]:
    """The alerts of a published database, and its publish id."""
    import duckdb

    with duckdb.connect(str(database), read_only=True) as connection:
        alerts = read_alerts(connection)
        found = connection.execute("select any_value(publish_id) from ops_ledger").fetchone()
    return alerts, (found[0] if found else None) or ""


def with_news(alerts: Iterable[Alert], lake_root: Path) -> list[Alert]:
    """The alerts with what the logs tell since they were published: acknowledged, delivered."""
    acks = {r["dedupe_key"]: r for r in reversed(list(read_lines(ALERT_ACKS.path(lake_root))))}
    delivered = {key: at for (key, _), at in reversed(_delivered(lake_root).items())}
    found = []
    for alert in alerts:
        ack = acks.get(alert.dedupe_key)
        if ack and not alert.acknowledged:
            alert = replace(
                alert,
                acknowledged=True,
                acknowledged_by=ack["acknowledged_by"],
                acknowledged_at=_time(ack["acknowledged_at"]),
            )
        if alert.delivered_at is None and alert.dedupe_key in delivered:
            alert = replace(alert, delivered_at=_time(delivered[alert.dedupe_key]))
        found.append(alert)
    return found


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=None)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _delivered(lake_root: Path) -> dict[tuple[str, str], str]:
    """(dedupe key, channel) -> when it was delivered."""
    rows = read_lines(ALERT_ATTEMPTS.path(lake_root))
    return {(r["dedupe_key"], r["channel"]): r["attempted_at"] for r in rows if r.get("status") == DELIVERED}


def note_sightings(alerts: Iterable[Alert], lake_root: Path) -> int:
    """Write down when an alert was first raised; returns how many are new."""
    path = ALERT_SIGHTINGS.path(lake_root)
    known = {r["dedupe_key"] for r in read_lines(path)}
    now = _now()
    rows = [
        {"dedupe_key": a.dedupe_key, "rule": a.rule, "version": a.version, "first_seen": now}
        for a in alerts
        if a.dedupe_key not in known
    ]
    if rows:
        path.parent.mkdir(parents=True, exist_ok=True)
        append_lines(path, rows)
    return len(rows)


def acknowledge(alerts: Iterable[Alert], keys: Iterable[str], by: str, lake_root: Path) -> int:
    """Acknowledge alerts by their keys; returns how many were not acknowledged before. AlertError for unknown keys."""
    known = {a.dedupe_key: a for a in with_news(alerts, lake_root)}
    keys = list(dict.fromkeys(keys))
    if unknown := [k for k in keys if k not in known]:
        raise AlertError(f"no alert has the key {', '.join(unknown)}; `iqs alerts list --all` shows the keys")
    now = _now()
    rows = [{"dedupe_key": k, "acknowledged_by": by, "acknowledged_at": now} for k in keys if not known[k].acknowledged]
    if rows:
        path = ALERT_ACKS.path(lake_root)
        path.parent.mkdir(parents=True, exist_ok=True)
        append_lines(path, rows)
    return len(rows)


def due(alerts: Iterable[Alert], channels: Channels, lake_root: Path, options: DeliveryOptions) -> list[Message]:
    """The messages that are due: alerts that nobody took note of, young enough, and not yet delivered by a channel.

    One message per channel and supervisor, so that a bad day is one mail and not twenty; the gravest first.
    """
    delivered = _delivered(lake_root)
    waiting: dict[tuple[str, str], list[Alert]] = {}
    for alert in sorted(with_news(alerts, lake_root), key=lambda a: a.order):
        if alert.acknowledged or _too_old(alert, options):
            continue
        for channel in channels.wanted_by(alert):
            if (alert.dedupe_key, channel) not in delivered:
                waiting.setdefault((channel, alert.route or EVERYBODY), []).append(alert)
    return [
        Message(channel, route, tuple(found[i : i + options.per_message]))
        for (channel, route), found in waiting.items()
        for i in range(0, len(found), options.per_message)
    ]


def _too_old(alert: Alert, options: DeliveryOptions) -> bool:
    within = alert.send_within_days if options.within_days is None else options.within_days
    return within is not None and alert.call_date < options.today - timedelta(days=within)


def deliver(
    alerts: Iterable[Alert], channels: Channels, lake_root: Path, publish_id: str, options: DeliveryOptions
) -> Delivery:
    """Send what is due and write down what became of it; never raises for a channel that is down.

    At least once: where the process dies between the receiver's answer and the log's line, that message is sent
    again, with the same keys. Raises LockHeld where another process is delivering.
    """
    if not channels.on:
        return Delivery()
    alerts = list(alerts)
    with writer_lock(lake_root / "ops" / "alerts.lock", "delivery of alerts", wait_s=60):
        messages = due(alerts, channels, lake_root, options)
        too_old = sum(_too_old(a, options) for a in alerts)
        done = Delivery(too_old=too_old)
        for channel in channels.on:
            own = [m for m in messages if m.channel == channel]
            asked = 0
            for message, answer in send(own, channels, publish_id):
                asked += 1
                _write_down(message, answer, lake_root, publish_id)
                count = len(message.alerts)
                if answer.ok:
                    done = replace(done, delivered=done.delivered + count)
                else:
                    problem = f"{channel} to {message.route}: {answer.words}"
                    done = replace(done, failed=done.failed + count, problems=(*done.problems, problem))
            done = replace(done, waiting=done.waiting + sum(len(m.alerts) for m in own[asked:]))
    return done


def _write_down(message: Message, answer, lake_root: Path, publish_id: str) -> None:
    path = ALERT_ATTEMPTS.path(lake_root)
    path.parent.mkdir(parents=True, exist_ok=True)
    now = _now()
    append_lines(
        path,
        [
            {
                "dedupe_key": a.dedupe_key,
                "rule": a.rule,
                "version": a.version,
                "channel": message.channel,
                "route": message.route,
                "status": DELIVERED if answer.ok else FAILED,
                "attempted_at": now,
                "tries": answer.tries,
                "answer": answer.words,
                "from_publish_id": publish_id,
            }
            for a in message.alerts
        ],
    )
