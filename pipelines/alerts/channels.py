"""The channels by which alerts leave: a webhook (JSON), a Slack-compatible webhook, e-mail. None is on by default."""

from __future__ import annotations

import csv
import hashlib
import hmac
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.alerts.messages import Alert, payload, slack_text, subject, text
from pipelines.outbound import Answer, Patience, error_words, request, usable_url
from pipelines.settings import SettingError, Settings

WEBHOOK, SLACK, EMAIL = "webhook", "slack", "email"
CHANNELS = (WEBHOOK, SLACK, EMAIL)
EVERYBODY = "*"
# These speak of the address or the key, not of the message: the next one would fare no better.
_ADDRESS_REFUSED = (401, 403, 404, 410)


@dataclass(frozen=True)
class Route:
    """Where a supervisor is reached: a row of the seed alert_routes."""

    email: str = field(default="", repr=False)
    slack_mention: str = ""


@dataclass(frozen=True)
class Mail:
    """The mail server. `security` is starttls, tls or none."""

    host: str
    port: int
    sender: str
    security: str = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)
    fallback: str = field(default="", repr=False)


@dataclass(frozen=True)
class Channels:
    """The channels of an installation, and the routes. Empty: nothing is ever sent."""

    webhook: str = field(default="", repr=False)
    webhook_secret: str = field(default="", repr=False)
    slack: str = field(default="", repr=False)
    mail: Mail | None = None
    routes: dict[str, Route] = field(default_factory=dict, repr=False)
    patience: Patience = Patience()

    @classmethod
    def of(cls, settings: Settings) -> Channels:
        """The channels that the settings name. Raises SettingError where one of them can't be used."""
        for variable, url in (("IQS_WEBHOOK", settings.webhook), ("IQS_SLACK_WEBHOOK", settings.slack_webhook)):
            if url and not usable_url(url):
                raise SettingError(f"{variable} is no http(s) address")
        return cls(
            webhook=settings.webhook,
            webhook_secret=settings.webhook_secret,
            slack=settings.slack_webhook,
            mail=_mail(settings),
            routes=read_routes(settings.seeds / "alert_routes.csv"),
        )

    @property
    def on(self) -> tuple[str, ...]:
        """The channels that are configured."""
        configured = {WEBHOOK: self.webhook, SLACK: self.slack, EMAIL: self.mail}
        return tuple(c for c in CHANNELS if configured[c])

    def wanted_by(self, alert: Alert) -> tuple[str, ...]:
        """The configured channels that the alert's rule names."""
        named = {c.strip() for c in (alert.channels or "").split("|")}
        return self.on if "all" in named else tuple(c for c in self.on if c in named)

    def address(self, route: str) -> str:
        """The e-mail address of a route, the one for everybody else, or the fallback; empty where there is none."""
        own, everybody = self.routes.get(route), self.routes.get(EVERYBODY)
        return (own and own.email) or (everybody and everybody.email) or (self.mail.fallback if self.mail else "")

    def mention(self, route: str) -> str:
        found = self.routes.get(route) or self.routes.get(EVERYBODY)
        return found.slack_mention if found else ""


def _mail(settings: Settings) -> Mail | None:
    if not settings.smtp_host:
        return None
    if settings.smtp_security not in ("starttls", "tls", "none"):
        raise SettingError(f"IQS_SMTP_SECURITY={settings.smtp_security!r}; it takes starttls, tls or none")
    if settings.smtp_password and settings.smtp_security == "none":
        raise SettingError("IQS_SMTP_PASSWORD would go unencrypted; set IQS_SMTP_SECURITY to starttls or tls")
    if "@" not in settings.smtp_from:
        raise SettingError("IQS_SMTP_HOST is set, so IQS_SMTP_FROM must be the sender's e-mail address")
    return Mail(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_from,
        settings.smtp_security,
        settings.smtp_user,
        settings.smtp_password,
        settings.smtp_to,
    )


def read_routes(path: Path) -> dict[str, Route]:
    """The seed alert_routes by supervisor (`*`: everybody without a row). SettingError naming a row that is wrong."""
    if not path.exists():
        return {}
    found: dict[str, Route] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), 2):
            row = {(k or "").strip(): (v or "").strip() for k, v in row.items() if isinstance(v, str)}
            supervisor, email = row.get("supervisor_id", ""), row.get("email", "")
            if not supervisor or supervisor in found:
                raise SettingError(f"{path.name} row {number}: supervisor_id is missing, or came before")
            if email and ("@" not in email or any(c.isspace() or c in ",;" for c in email)):
                raise SettingError(f"{path.name} row {number}: email takes one e-mail address")
            found[supervisor] = Route(email, row.get("slack_mention", ""))
    return found


@dataclass(frozen=True)
class Message:
    """What is sent at once: alerts of one route by one channel."""

    channel: str
    route: str
    alerts: tuple[Alert, ...]

    @property
    def key(self) -> str:
        """The same alerts, the same key: for the receiver's own protection against repeats."""
        return hashlib.sha256("\n".join(a.dedupe_key for a in self.alerts).encode()).hexdigest()[:32]


def send(messages: Sequence[Message], channels: Channels, publish_id: str) -> Iterable[tuple[Message, Answer]]:
    """Send messages of one channel; yields what became of each, in order.

    A channel that fails as a whole is not asked again for the others: they are left out and wait for the next run.
    """
    if not messages:
        return
    if messages[0].channel == EMAIL:
        yield from _send_mails(messages, channels)
        return
    for message in messages:
        answer = _post(message, channels, publish_id)
        yield message, answer
        if not answer.ok and (answer.may_pass or answer.status in _ADDRESS_REFUSED):
            return


def _post(message: Message, channels: Channels, publish_id: str) -> Answer:
    headers = {"Content-Type": "application/json", "Idempotency-Key": message.key}
    if message.channel == SLACK:
        url, content = channels.slack, {"text": slack_text(message.alerts, channels.mention(message.route))}
    else:
        url, content = channels.webhook, payload(message.alerts, message.route, publish_id)
    body = json.dumps(content, ensure_ascii=False).encode()
    if message.channel == WEBHOOK and channels.webhook_secret:
        signature = hmac.new(channels.webhook_secret.encode(), body, hashlib.sha256).hexdigest()
        headers["X-IQS-Signature"] = f"sha256={signature}"
    return request("POST", url, body, headers, channels.patience)


def _send_mails(messages: Sequence[Message], channels: Channels) -> Iterable[tuple[Message, Answer]]:
    import smtplib

    server = None
    try:
        for message in messages:
            to, tried = channels.address(message.route), 0
            if not to:
                yield message, Answer(None, "no address: add a row to alert_routes.csv, or set IQS_SMTP_TO", 0)
                continue
            while True:
                tried += 1
                try:
                    server = server or _connect(channels.mail, channels.patience.timeout_s)
                    server.send_message(_mail_of(message, channels.mail.sender, to))
                    yield message, Answer(250, "accepted", tried)
                    break
                except (smtplib.SMTPException, OSError) as error:
                    answer, is_down = _mail_error(error)
                    # After a refused recipient the connection goes on; after anything else it is made anew.
                    server = server if not is_down else _close(server)
                    wait_s = channels.patience.wait_s(tried) if answer.may_pass else None
                    if wait_s is not None:
                        time.sleep(wait_s)
                        continue
                    yield message, Answer(answer.status, answer.reason, tried)
                    if is_down:
                        return
                    break
    finally:
        _close(server)


def _connect(mail: Mail, timeout_s: float):
    import smtplib
    import socket
    import ssl

    name = socket.gethostname() or "localhost"
    if mail.security == "tls":
        context = ssl.create_default_context()
        server = smtplib.SMTP_SSL(mail.host, mail.port, name, timeout=timeout_s, context=context)
    else:
        server = smtplib.SMTP(mail.host, mail.port, name, timeout=timeout_s)
    try:
        if mail.security == "starttls":
            server.starttls(context=ssl.create_default_context())
        if mail.user:
            server.login(mail.user, mail.password)
    except BaseException:
        server.close()
        raise
    return server


def _close(server) -> None:
    import contextlib

    if server is not None:
        with contextlib.suppress(Exception):
            server.quit()


def _mail_error(error: Exception) -> tuple[Answer, bool]:
    """What went wrong (without addresses or the server's text), and whether the channel as a whole is down."""
    import smtplib

    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = next(iter(error.recipients.values()))[0]
        # In SMTP 4xx passes and 5xx stays, the other way round than in HTTP.
        return Answer(503 if 400 <= code < 500 else 422, f"recipient refused (SMTP {code})"), False
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return Answer(401, f"user or password refused (SMTP {error.smtp_code})"), True
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return Answer(None, "the server closed the connection (some do so when they refuse the login)"), True
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return Answer(422, "the server offers no STARTTLS or no login; see IQS_SMTP_SECURITY"), True
    if isinstance(error, smtplib.SMTPResponseException):
        passes = 400 <= error.smtp_code < 500
        return Answer(503 if passes else 422, f"refused (SMTP {error.smtp_code})"), True
    return Answer(None, error_words(error)), True


def _mail_of(message: Message, sender: str, to: str):
    from email.message import EmailMessage
    from email.utils import formatdate

    mail = EmailMessage()
    mail["From"], mail["To"] = sender, to
    mail["Subject"] = " ".join(subject(message.alerts).split())
    mail["Date"] = formatdate()
    # The same alerts have the same id, so that a mail sent twice is shown once.
    mail["Message-ID"] = f"<{message.key}@iqs>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text(message.alerts) + "\n")
    return mail
