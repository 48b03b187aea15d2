"""Notices to whoever runs the machine: a text by every configured channel, and a line of what became of it."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipelines.alerts.channels import EMAIL, EVERYBODY, SLACK, WEBHOOK, Channels, _close, _connect, _mail_error
from pipelines.outbound import Answer, request
from pipelines.quality.ledger import append_lines, read_lines

_LONGEST_TEXT = 4000


@dataclass(frozen=True)
class Notice:
    """What is told. `kind` is failure or warning; `key` is the same for the same news, so that it is told once."""

    kind: str
    subject: str
    text: str
    key: str

    @classmethod
    def of(cls, kind: str, subject: str, lines: list[str], key: str) -> Notice:
        return cls(kind, " ".join(subject.split()), "\n".join(lines)[:_LONGEST_TEXT], key)


def log_path(lake_root: Path) -> Path:
    """Where every notice is written down, whether or not a channel took it."""
    return lake_root / "ops" / "notices.jsonl"


def last_key(lake_root: Path, kind: str) -> str | None:
    """The key of the last notice of this kind."""
    keys = [row["key"] for row in read_lines(log_path(lake_root)) if row.get("kind") == kind]
    return keys[-1] if keys else None


def give_notice(notice: Notice, channels: Channels, lake_root: Path) -> dict[str, str]:
    """Send the notice to the addresses that get what has no address of its own, and write down what became of it.

    Returns the answers in words by channel; empty where none is configured. Never raises for what happens outside.
    """
    answers = {channel: _SEND[channel](notice, channels) for channel in channels.on}
    said = {channel: answer.words for channel, answer in answers.items()}
    row = {
        "told_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "kind": notice.kind,
        "key": notice.key,
        "subject": notice.subject,
        "text": notice.text,
        "channels": said,
    }
    path = log_path(lake_root)
    path.parent.mkdir(parents=True, exist_ok=True)
    append_lines(path, [row])
    return said


def _to_webhook(notice: Notice, channels: Channels) -> Answer:
    content = {"source": "iqs", "notice": notice.kind, "subject": notice.subject, "text": notice.text}
    body = json.dumps(content, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json", "Idempotency-Key": _short(notice)}
    if channels.webhook_secret:
        signature = hmac.new(channels.webhook_secret.encode(), body, hashlib.sha256).hexdigest()
        headers["X-IQS-Signature"] = f"sha256={signature}"
    return request("POST", channels.webhook, body, headers, channels.patience)


def _to_slack(notice: Notice, channels: Channels) -> Answer:
    words = f"*{notice.subject}*\n{notice.text}"
    escaped = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    headers = {"Content-Type": "application/json"}
    return request("POST", channels.slack, json.dumps({"text": escaped}).encode(), headers, channels.patience)


def _to_mail(notice: Notice, channels: Channels) -> Answer:
    import smtplib
    from email.message import EmailMessage
    from email.utils import formatdate

    to = channels.address(EVERYBODY)
    if not to:
        return Answer(None, "no address: add a row * to alert_routes.csv, or set IQS_SMTP_TO", 0)
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"], mail["Date"] = channels.mail.sender, to, notice.subject, formatdate()
    mail["Message-ID"] = f"<{_short(notice)}@iqs>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(notice.text + "\n")
    server = None
    try:
        server = _connect(channels.mail, channels.patience.timeout_s)
        server.send_message(mail)
        return Answer(250, "accepted")
    except (smtplib.SMTPException, OSError) as error:
        return _mail_error(error)[0]
    finally:
        _close(server)


_SEND = {WEBHOOK: _to_webhook, SLACK: _to_slack, EMAIL: _to_mail}


def _short(notice: Notice) -> str:
    return hashlib.sha256(f"{notice.kind} {notice.key}".encode()).hexdigest()[:32]
