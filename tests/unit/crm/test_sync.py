"""The sync against local servers that behave like the CRMs: their shapes, their limits, their failures."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from pipelines.contracts.logs import CRM_SYNC
from pipelines.crm.mapping import VALUES, CrmError, Mapping
from pipelines.crm.sync import Crm, SyncOptions, Ticket, published_tickets, sync
from pipelines.outbound import Patience
from pipelines.quality.ledger import read_lines
from pipelines.settings import SettingError, Settings
from tests.receivers import Got, closed_port, http_server

TODAY = date(2026, 3, 5)
OPTIONS = SyncOptions(TODAY)
QUICK = Patience(tries=3, first_wait_s=0.01, longest_wait_s=0.2, timeout_s=2)
DOCS = Path(__file__).resolve().parents[3] / "docs"


def ticket(number: int = 1, *, rules=(), day: date = TODAY, **values) -> Ticket:
    plain = dict.fromkeys(VALUES) | {"iqs": Decimal("41.5000"), "interaction_id": f"c{number}", "call_date": day}
    return Ticket(str(number), f"c{number}", day, plain | values, frozenset(rules))


def log(lake: Path) -> list[dict]:
    return list(read_lines(CRM_SYNC.path(lake)))


class Zendesk:
    """Tickets as Zendesk keeps them: custom fields, tags that only .../tags touches, closed ones refused."""

    def __init__(self, *ids: str, closed=(), limit_first: int = 0):
        self.tickets = {i: {"fields": {}, "tags": {"vip"}} for i in ids}
        self.closed, self.limited = set(closed), limit_first

    def __call__(self, got: Got):
        if got.headers.get("authorization") != "Basic " + base64.b64encode(b"api@centre.test/token:key").decode():
            return 401, {}, b'{"error":"Couldn\'t authenticate you"}'
        if self.limited:
            self.limited -= 1
            return 429, {"Retry-After": "0.05"}, b'{"error":"APIRateLimitExceeded"}'
        parts = got.path.strip("/").split("/")
        assert parts[:3] == ["api", "v2", "tickets"]
        known = self.tickets.get(parts[3])
        if known is None:
            return 404, {}, b'{"error":"RecordNotFound","description":"jo@example.com"}'
        if parts[3] in self.closed:
            return 422, {}, b'{"error":"RecordInvalid"}'
        if len(parts) == 4 and got.method == "PUT":
            known["fields"] |= {f["id"]: f["value"] for f in got.json["ticket"]["custom_fields"]}
        elif parts[4] == "tags" and got.method == "PUT":
            known["tags"] |= set(got.json["tags"])
        elif parts[4] == "tags" and got.method == "DELETE":
            known["tags"] -= set(got.json["tags"])
        else:
            return 405
        return 200, {}, json.dumps({"ticket": {"description": "my e-mail is jo@example.com"}}).encode()


def zendesk(url: str) -> Crm:
    mapping = Mapping(
        {"360001": "iqs", "360002": "resolved"}, {"iqs_low": "iqs", "iqs_zero_tolerance": "zero_tolerance"}
    )
    return Crm("zendesk", url, mapping, "api@centre.test", "key", QUICK)


def test_zendesk_gets_fields_and_tags_once_and_keeps_the_tags_of_others(tmp_path):
    server = Zendesk("1", limit_first=1)
    with http_server(behave=server) as web:
        first = sync([ticket(rules={"iqs", "empathy"}, resolved=True)], zendesk(web.url), tmp_path, "p1", OPTIONS)
        asked = len(web.got)
        again = sync([ticket(rules={"iqs", "empathy"}, resolved=True)], zendesk(web.url), tmp_path, "p2", OPTIONS)
        assert len(web.got) == asked
        better = sync([ticket(iqs=Decimal("82.1234"), resolved=True)], zendesk(web.url), tmp_path, "p3", OPTIONS)
    assert (first.sent, again.unchanged, again.sent, better.sent) == (1, 1, 0, 1)
    assert asked == 3  # one 429, the fields, the tags
    assert server.tickets["1"] == {"fields": {360001: 82.12, 360002: True}, "tags": {"vip"}}
    assert [(r["status"], r["http_status"], r["tries"], r["from_publish_id"]) for r in log(tmp_path)] == [
        ("sent", 200, 3, "p1"),
        ("sent", 200, 2, "p3"),
    ]
    assert json.loads(log(tmp_path)[0]["sent"]) == {"iqs": 41.5, "resolved": True, "tags": ["iqs_low"]}


def test_what_the_crm_refuses_is_not_sent_again_until_it_changes(tmp_path):
    server = Zendesk("1", "2", closed=("2",))
    with http_server(behave=server) as web:
        crm = zendesk(web.url)
        made = sync([ticket(1), ticket(2), ticket(3)], crm, tmp_path, "p", OPTIONS)
        assert (made.sent, made.refused) == (1, 2)
        assert made.problems == ("ticket 2: 422 Unprocessable Entity", "ticket 3: 404 Not Found") or (
            made.problems == ("ticket 2: 422 Unprocessable Content", "ticket 3: 404 Not Found")
        )
        asked = len(web.got)
        sync([ticket(1), ticket(2), ticket(3)], crm, tmp_path, "p", OPTIONS)
        assert len(web.got) == asked
        sync([ticket(2, iqs=Decimal("50"))], crm, tmp_path, "p", OPTIONS)
        sync([ticket(3)], crm, tmp_path, "p", replace(OPTIONS, retry_refused=True))
        assert len(web.got) == asked + 2
    assert "jo@example.com" not in CRM_SYNC.path(tmp_path).read_text()


def test_a_key_that_is_refused_stops_the_sync_at_once(tmp_path):
    with http_server(behave=Zendesk("1", "2")) as web:
        crm = replace(zendesk(web.url), token="wrong")
        made = sync([ticket(1), ticket(2)], crm, tmp_path, "p", OPTIONS)
        assert (len(web.got), made.failed, made.waiting) == (1, 1, 1)
        assert "see IQS_CRM_TOKEN" in made.problems[-1]
        after = sync([ticket(1), ticket(2)], zendesk(web.url), tmp_path, "p", OPTIONS)
    assert after.sent == 2


def test_hubspot_gets_properties_as_texts_and_a_daily_limit_stops_the_sync(tmp_path):
    limit = (429, {"Retry-After": "3600"}, b'{"errorType":"RATE_LIMIT","policyName":"DAILY"}')
    crm = Crm("hubspot", "", Mapping({"iqs_score": "iqs", "iqs_resolved": "resolved"}), "", "pat", QUICK)
    with http_server(200, limit) as web:
        crm = replace(crm, url=web.url)
        made = sync([ticket(1, resolved=False), ticket(2), ticket(3)], crm, tmp_path, "p", OPTIONS)
        assert (made.sent, made.failed, made.waiting) == (1, 1, 1)
        assert "asks for a pause of 3600 s; 1 tickets wait" in made.problems[-1]
        later = sync([ticket(1, resolved=False), ticket(2), ticket(3)], crm, tmp_path, "p", OPTIONS)
    assert (later.sent, later.unchanged) == (2, 1)
    first = web.got[0]
    assert (first.method, first.path) == ("PATCH", "/crm/v3/objects/tickets/1")
    assert first.headers["authorization"] == "Bearer pat"
    assert first.json == {"properties": {"iqs_score": "41.5", "iqs_resolved": "false"}}
    assert web.got[-1].json == {"properties": {"iqs_score": "41.5", "iqs_resolved": ""}}


def test_a_crm_that_is_down_is_left_after_three_tickets_and_gets_them_all_later(tmp_path):
    port = closed_port()
    crm = Crm("generic", f"http://127.0.0.1:{port}/tickets", Mapping({"iqs": "iqs"}), patience=QUICK)
    tickets = [ticket(n) for n in range(1, 6)]
    down = sync(tickets, crm, tmp_path, "p1", OPTIONS)
    assert (down.sent, down.failed, down.waiting) == (0, 3, 2)
    assert "3 tickets in a row failed; 2 tickets wait" in down.problems[-1]
    assert [(r["status"], r["http_status"], r["answer"], r["tries"]) for r in log(tmp_path)] == [
        ("failed", None, "connection refused", 3)
    ] * 3
    with http_server(500, 503, port=port) as web:
        up = sync(tickets, crm, tmp_path, "p2", OPTIONS)
    assert (up.sent, up.failed) == (5, 0)
    assert log(tmp_path)[3]["tries"] == 3
    assert len({g.headers["idempotency-key"] for g in web.got[:3]}) == 1


def test_a_change_that_failed_half_way_is_written_again_even_if_the_old_state_comes_back(tmp_path):
    with http_server(200, 200, 500, 500, 500) as web:
        crm = Crm("zendesk", web.url, Mapping({"1": "iqs"}, {"low": "iqs"}), "", "k", QUICK)
        old, new = ticket(rules={"iqs"}), ticket(rules={"iqs"}, iqs=Decimal("55"))
        assert sync([old], crm, tmp_path, "p", OPTIONS).sent == 1
        assert sync([new], crm, tmp_path, "p", OPTIONS).failed == 1
        assert sync([old], crm, tmp_path, "p", OPTIONS).sent == 1


def test_an_id_is_a_name_and_never_a_path(tmp_path):
    odd = replace(ticket(), ticket_id="../users/1?x=#")
    with http_server() as web:
        crm = Crm("generic", f"{web.url}/tickets", Mapping({"iqs": "iqs"}), patience=QUICK)
        sync([odd], crm, tmp_path, "p", OPTIONS)
    assert web.got[0].path == "/tickets/..%2Fusers%2F1%3Fx%3D%23"
    assert web.got[0].json == {"ticket_id": "../users/1?x=#", "fields": {"iqs": 41.5}, "flags": []}


def test_old_tickets_are_left_alone_and_the_time_of_a_sync_is_bounded(tmp_path):
    with http_server() as web:
        crm = Crm("generic", web.url, Mapping({"iqs": "iqs"}, within_days=30), patience=QUICK)
        old = ticket(1, day=TODAY - timedelta(days=31))
        assert sync([old, ticket(2)], crm, tmp_path, "p", OPTIONS).sent == 1
        made = sync([ticket(3), ticket(4)], crm, tmp_path, "p", replace(OPTIONS, budget_s=-1))
    assert (made.waiting, len(web.got)) == (2, 1)


def test_the_tickets_of_a_publication_are_those_with_a_scored_interaction(tmp_path):
    path = tmp_path / "iqs.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            """
            create table fct_interactions as
            select * from (values
                ('c1', 'T-1', date '2026-03-02', timestamp '2026-03-02 09:00', 'scored', 80.0000, false, 1, 'ann'),
                ('c2', 'T-1', date '2026-03-04', timestamp '2026-03-04 09:00', 'scored', 40.0000, true, 0, 'bob'),
                ('c3', 'T-1', date '2026-03-05', timestamp '2026-03-05 09:00', 'excluded', null, null, null, 'bob'),
                ('c4', 'T-2', date '2026-03-05', timestamp '2026-03-05 09:00', 'excluded', null, null, null, 'bob'),
                ('c5', null, date '2026-03-05', timestamp '2026-03-05 09:00', 'scored', 90.0000, false, 1, 'bob')
            ) as t (interaction_id, ticket_id, call_date, started_at, status, iqs, is_failed, resolved, agent_id);
            alter table fct_interactions add column channel varchar;
            alter table fct_interactions add column team varchar;
            alter table fct_interactions add column campaign varchar;
            alter table fct_interactions add column issue_type varchar;
            alter table fct_interactions add column publish_id varchar default 'p9';
            create table fct_metrics as
            select 'c2' as interaction_id, date '2026-03-04' as call_date, 'agent' as party, 'empathy_score' as metric,
                12.5 as value;
            create table alerts as select 'c1' as interaction_id, 'empathy' as rule union all select 'c2', 'iqs'
            """
        )
    (found,), publish_id = published_tickets(path)
    assert (found.ticket_id, found.interaction_id, publish_id) == ("T-1", "c2", "p9")
    assert found.rules == {"iqs", "empathy"}
    assert set(found.values) == set(VALUES)
    picked = {
        n: found.values[n] for n in ("iqs_mean", "scored", "interactions", "is_failed", "resolved", "empathy_score")
    }
    assert picked == {
        "iqs_mean": 60.0,
        "scored": 2,
        "interactions": 3,
        "is_failed": True,
        "resolved": False,
        "empathy_score": Decimal("12.5"),
    }


@pytest.mark.parametrize(
    ("settings", "error", "says"),
    [
        ({"crm_url": "https://x"}, SettingError, "it takes generic, zendesk, hubspot"),
        ({"crm_target": "generic"}, SettingError, "IQS_CRM_URL is no http"),
        ({"crm_target": "generic", "crm_url": "http://crm.test", "crm_token": "k"}, SettingError, "unencrypted"),
        ({"crm_target": "zendesk", "crm_url": "https://x"}, CrmError, "set IQS_CRM_MAPPING"),
    ],
)
def test_a_crm_that_cannot_be_used_is_explained(tmp_path, settings, error, says):
    with pytest.raises(error, match=says):
        Crm.of(Settings(data=tmp_path, **settings))


def test_without_settings_there_is_no_crm(tmp_path):
    assert Crm.of(Settings(data=tmp_path)) is None


@pytest.mark.parametrize(
    ("target", "content", "says"),
    [
        ("zendesk", '[fields]\niqs_field = "iqs"', "no Zendesk field id"),
        ("zendesk", '[fields]\n1 = "customer_id"', "customer_id.*there are iqs"),
        ("hubspot", '[tags]\nlow = "iqs"', "no tags"),
        ("generic", "[fields", "no TOML"),
        ("generic", "fields = 3", r"\[fields\] takes lines"),
        ("generic", "[felds]\na = 1", "unknown felds"),
        ("generic", 'decimals = "two"\n[fields]\na = "iqs"', "decimals takes a whole number"),
        ("generic", "", "names no field"),
    ],
)
def test_a_bad_mapping_is_explained(tmp_path, target, content, says):
    path = tmp_path / "mapping.toml"
    path.write_text(content)
    with pytest.raises(CrmError, match=says):
        Mapping.read(path, target)


@pytest.mark.parametrize("target", ["generic", "zendesk", "hubspot"])
def test_the_mappings_of_the_documentation_can_be_read(tmp_path, target):
    block = (DOCS / "crm.md").read_text().split(f"```toml\n# {target}\n")[1].split("```")[0]
    path = tmp_path / "mapping.toml"
    path.write_text(block)
    assert Mapping.read(path, target).fields


def test_no_value_of_a_ticket_names_the_customer():
    assert not [v for v in VALUES if "customer" in v or v in ("name", "phone", "email")]
