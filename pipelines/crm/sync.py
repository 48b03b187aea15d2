"""The sync: tickets with scores, from the publication to the CRM; each state once, each attempt in the log."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote, urlsplit

from pipelines.contracts.logs import CRM_SYNC
from pipelines.crm.mapping import GENERIC, HUBSPOT, TARGETS, ZENDESK, CrmError, Mapping
from pipelines.outbound import Answer, Patience, request, usable_url
from pipelines.publishing.lock import writer_lock
from pipelines.quality.ledger import append_lines, read_lines
from pipelines.settings import SettingError, Settings

SENT, FAILED, REFUSED = "sent", "failed", "refused"
_LOCAL = ("localhost", "127.0.0.1", "::1")
# So many tickets in a row that nobody answered for: the CRM is down.
_DOWN_AFTER = 3


@dataclass(frozen=True)
class Crm:
    """A CRM that is configured: its kind, address and key, and what goes where."""

    target: str
    url: str
    mapping: Mapping
    user: str = ""
    token: str = field(default="", repr=False)
    patience: Patience = Patience()

    @classmethod
    def of(cls, settings: Settings) -> Crm | None:
        """The CRM of an installation; None where none is configured. Raises SettingError or CrmError otherwise."""
        if not settings.crm_target and not settings.crm_url:
            return None
        if settings.crm_target not in TARGETS:
            raise SettingError(f"IQS_CRM_TARGET={settings.crm_target!r}; it takes {', '.join(TARGETS)}")
        if not usable_url(settings.crm_url):
            raise SettingError("IQS_CRM_URL is no http(s) address")
        parts = urlsplit(settings.crm_url)
        if settings.crm_token and parts.scheme == "http" and parts.hostname not in _LOCAL:
            raise SettingError("IQS_CRM_TOKEN would go unencrypted; give IQS_CRM_URL with https")
        mapping = Mapping.read(settings.crm_mapping, settings.crm_target)
        return cls(settings.crm_target, settings.crm_url.rstrip("/"), mapping, settings.crm_user, settings.crm_token)

    @property
    def headers(self) -> dict[str, str]:
        found = {"Content-Type": "application/json", "Accept": "application/json"}
        if self.token and self.target == ZENDESK and self.user:
            pair = base64.b64encode(f"{self.user}/token:{self.token}".encode()).decode()
            return found | {"Authorization": f"Basic {pair}"}
        return found | ({"Authorization": f"Bearer {self.token}"} if self.token else {})


@dataclass(frozen=True)
class Ticket:
    """A ticket with its values (by the names in mapping.VALUES) and the alert rules that were raised on it."""

    ticket_id: str
    interaction_id: str
    call_date: date
    values: dict
    rules: frozenset[str]


@dataclass(frozen=True)
class Change:
    """What a ticket of the CRM should hold. `hash` tells whether that has been sent already."""

    ticket: Ticket
    fields: dict
    tags: tuple[str, ...]
    gone_tags: tuple[str, ...]
    shown: str
    hash: str


@dataclass(frozen=True)
class Synced:
    """What a sync came to, in tickets; `unchanged` were sent before, `waiting` come at the next run."""

    sent: int = 0
    unchanged: int = 0
    failed: int = 0
    refused: int = 0
    waiting: int = 0
    problems: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        return not (self.failed or self.refused or self.waiting)


@dataclass(frozen=True)
class SyncOptions:
    """`today` decides which tickets are too old; `budget_s` is the longest that a sync takes."""

    today: date
    budget_s: float = 600.0
    retry_refused: bool = False


_TICKETS = """
with interactions as (select * from fct_interactions where ticket_id is not null),

metrics as (
    select
        interaction_id,
        call_date,
        max(value) filter (where metric = 'empathy_score' and party = 'agent') as empathy_score,
        max(value) filter (where metric = 'sentiment_end' and party = 'customer') as sentiment_end,
        max(value) filter (where metric = 'escalation_risk') as escalation_risk
    from fct_metrics
    where metric in ('empathy_score', 'sentiment_end', 'escalation_risk')
    group by interaction_id, call_date
),

raised as (
    select ticket_id, list(distinct rule) as rules
    from alerts inner join interactions using (interaction_id)
    group by ticket_id
),

together as (
    select
        ticket_id,
        count(*) as interactions,
        count(*) filter (where status = 'scored') as scored,
        avg(cast(iqs as double)) as iqs_mean,
        min(iqs) as iqs_lowest,
        coalesce(bool_or(is_failed), false) as is_failed
    from interactions
    group by ticket_id
)

select
    newest.ticket_id,
    newest.interaction_id,
    newest.call_date,
    newest.iqs,
    together.iqs_mean,
    together.iqs_lowest,
    together.interactions,
    together.scored,
    newest.channel,
    newest.agent_id,
    newest.team,
    newest.campaign,
    newest.issue_type,
    cast(newest.resolved as boolean) as resolved,
    together.is_failed,
    metrics.empathy_score,
    metrics.sentiment_end,
    metrics.escalation_risk,
    raised.rules
from interactions as newest
inner join together using (ticket_id)
left join metrics using (interaction_id, call_date)
left join raised using (ticket_id)
where newest.status = 'scored'
qualify
    row_number() over (partition by ticket_id order by newest.started_at desc, newest.interaction_id desc) = 1
order by newest.ticket_id
"""


def published_tickets(database: Path) -> tuple[list[Ticket], str]:
    """The tickets with a scored interaction in a published database, and its publish id."""
    import duckdb

    with duckdb.connect(str(database), read_only=True) as connection:
        try:
            cursor = connection.execute(_TICKETS)
        except duckdb.CatalogException as error:
            raise CrmError(
                "the publication has no table alerts: an earlier version made it; `iqs run` makes it anew"
            ) from error
        names = [c[0] for c in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        found = connection.execute("select any_value(publish_id) from fct_interactions").fetchone()
    tickets = []
    for row in rows:
        ticket_id, rules = row.pop("ticket_id"), frozenset(row.pop("rules") or ())
        tickets.append(Ticket(ticket_id, row["interaction_id"], row["call_date"], row, rules))
    return tickets, (found[0] if found else None) or ""


def changes(tickets: Sequence[Ticket], crm: Crm, lake_root: Path, options: SyncOptions) -> tuple[list[Change], int]:
    """The tickets that have to be written to, and how many hold already what they should."""
    last = _last_attempts(crm, lake_root)
    found, unchanged = [], 0
    for ticket in tickets:
        if ticket.call_date < options.today - timedelta(days=crm.mapping.within_days):
            continue
        before = last.get(ticket.ticket_id, {})
        change = _change(ticket, crm, before.get("tags", ()))
        if before.get(SENT) == change.hash:
            unchanged += 1
        elif before.get(REFUSED) != change.hash or options.retry_refused:
            found.append(change)
    return found, unchanged


def _last_attempts(crm: Crm, lake_root: Path) -> dict[str, dict]:
    """Of each ticket: the hash that stands in the CRM, its tags there, and the hash that was refused last."""
    found: dict[str, dict] = {}
    for row in read_lines(CRM_SYNC.path(lake_root)):
        if row.get("target") != crm.target:
            continue
        state = found.setdefault(row["ticket_id"], {})
        if row["status"] == SENT:
            state[SENT], state["tags"] = row["sent_hash"], tuple(json.loads(row["sent"]).get("tags", ()))
            state.pop(REFUSED, None)
        elif row["status"] == REFUSED:
            state[REFUSED] = row["sent_hash"]
        else:
            # Half of it may have arrived: what stands there is not known.
            state.pop(SENT, None)
    return found


def _change(ticket: Ticket, crm: Crm, tags_there: Sequence[str]) -> Change:
    plain = {name: _plain(value, crm.mapping.decimals) for name, value in ticket.values.items()}
    fields = {crm_field: plain[name] for crm_field, name in crm.mapping.fields.items()}
    tags = tuple(sorted(t for t, rule in crm.mapping.tags.items() if rule in ticket.rules))
    # By our own names: a field id of the CRM may look like a card number to the leak scan.
    shown = {name: plain[name] for name in dict.fromkeys(crm.mapping.fields.values())}
    shown_text = json.dumps(shown | ({"tags": tags} if crm.mapping.tags else {}), ensure_ascii=False, sort_keys=True)
    wanted = json.dumps([crm.target, crm.url, fields, tags], ensure_ascii=False, sort_keys=True)
    gone = tuple(sorted(set(tags_there) & set(crm.mapping.tags) - set(tags)))
    return Change(ticket, fields, tags, gone, shown_text, hashlib.sha256(wanted.encode()).hexdigest()[:32])


def _plain(value, decimals: int):
    if isinstance(value, float | Decimal):
        return round(float(value), decimals)
    return value.isoformat() if isinstance(value, date) else value


def requests_of(change: Change, crm: Crm) -> list[tuple[str, str, dict]]:
    """The requests (method, address, body) that bring a ticket into the wanted state; each may be repeated.

    Zendesk: PUT /api/v2/tickets/{id} with custom_fields, then PUT and DELETE /api/v2/tickets/{id}/tags, so that the
    tags of others stay. HubSpot: PATCH /crm/v3/objects/tickets/{id} with properties. Generic: PUT {url}/{id}.
    """
    ticket = quote(change.ticket.ticket_id, safe="")
    if crm.target == HUBSPOT:
        properties = {name: _hubspot(value) for name, value in change.fields.items()}
        return [("PATCH", f"{crm.url}/crm/v3/objects/tickets/{ticket}", {"properties": properties})]
    if crm.target == GENERIC:
        flags = {"flags": list(change.tags or sorted(change.ticket.rules))}
        return [("PUT", f"{crm.url}/{ticket}", {"ticket_id": change.ticket.ticket_id, "fields": change.fields} | flags)]
    address, steps = f"{crm.url}/api/v2/tickets/{ticket}", []
    if change.fields:
        custom = [{"id": int(name), "value": value} for name, value in change.fields.items()]
        steps.append(("PUT", address, {"ticket": {"custom_fields": custom}}))
    if change.tags:
        steps.append(("PUT", f"{address}/tags", {"tags": list(change.tags)}))
    if change.gone_tags:
        steps.append(("DELETE", f"{address}/tags", {"tags": list(change.gone_tags)}))
    return steps


def _hubspot(value) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def sync(tickets: Sequence[Ticket], crm: Crm, lake_root: Path, publish_id: str, options: SyncOptions) -> Synced:
    """Bring the CRM's tickets to what the publication says and write down every attempt.

    A state that stands there already is not sent again; what failed comes at the next run; what the CRM refuses (a
    ticket that is closed or not there) only when it changes. Stops where the key is refused, where nobody answers, and
    when the time is up. Raises LockHeld where another process is syncing.
    """
    until = time.monotonic() + options.budget_s
    with writer_lock(lake_root / "ops" / "crm.lock", "sync of the CRM", wait_s=60):
        found, unchanged = changes(tickets, crm, lake_root, options)
        done, in_a_row, stopped = Synced(unchanged=unchanged), 0, ""
        for number, change in enumerate(found):
            if time.monotonic() > until:
                stopped = f"the time is up after {options.budget_s:g} s"
            elif in_a_row >= _DOWN_AFTER:
                stopped = f"{_DOWN_AFTER} tickets in a row failed"
            if stopped:
                left = len(found) - number
                return replace(done, waiting=left, problems=(*done.problems, f"{stopped}; {left} tickets wait"))
            answer = _write(change, crm)
            status = SENT if answer.ok else FAILED if answer.may_pass or answer.status in (401, 403) else REFUSED
            _write_down(change, crm, status, answer, lake_root, publish_id)
            done = replace(done, **{status: getattr(done, status) + 1})
            in_a_row = in_a_row + 1 if status == FAILED else 0
            if not answer.ok:
                done = replace(done, problems=(*done.problems, f"ticket {change.ticket.ticket_id}: {answer.words}"))
            if answer.status in (401, 403):
                stopped = f"the CRM refuses the key ({answer.words}); see IQS_CRM_TOKEN"
            elif answer.retry_after_s and status == FAILED:
                stopped = f"the CRM asks for a pause of {answer.retry_after_s:.0f} s"
            if stopped:
                left = len(found) - number - 1
                return replace(done, waiting=left, problems=(*done.problems, f"{stopped}; {left} tickets wait"))
    return done


def _write(change: Change, crm: Crm) -> Answer:
    """Every request of a change; the first that fails ends it. `tries` counts them all."""
    tries, answer = 0, Answer(200, "nothing to write", 0)
    for method, url, body in requests_of(change, crm):
        key = hashlib.sha256(f"{change.hash} {method} {url}".encode()).hexdigest()[:32]
        content = json.dumps(body, ensure_ascii=False).encode()
        answer = request(method, url, content, crm.headers | {"Idempotency-Key": key}, crm.patience)
        tries += answer.tries
        if not answer.ok:
            break
    return replace(answer, tries=tries)


def _write_down(change: Change, crm: Crm, status: str, answer: Answer, lake_root: Path, publish_id: str) -> None:
    path = CRM_SYNC.path(lake_root)
    path.parent.mkdir(parents=True, exist_ok=True)
    row = {
        "synced_at": datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "target": crm.target,
        "ticket_id": change.ticket.ticket_id,
        "interaction_id": change.ticket.interaction_id,
        "status": status,
        "http_status": answer.status,
        "answer": answer.words,
        "tries": answer.tries,
        "sent": change.shown,
        "sent_hash": change.hash,
        "from_publish_id": publish_id,
    }
    append_lines(path, [row])
