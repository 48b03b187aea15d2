"""Delivery against real servers: once per channel, retried, acknowledged, and never a customer in it."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace
from datetime import date, timedelta

import pytest

from pipelines.alerts.channels import Channels, Mail, Route, read_routes
from pipelines.alerts.delivery import (
    AlertError,
    DeliveryOptions,
    acknowledge,
    deliver,
    due,
    note_sightings,
    with_news,
)
from pipelines.contracts.logs import ALERT_ATTEMPTS, ALERT_SIGHTINGS, LOGS
from pipelines.quality.ledger import ensure, read_lines
from pipelines.settings import SettingError, Settings
from tests.receivers import closed_port, http_server, smtp_server

TODAY = date(2026, 3, 5)
OPTIONS = DeliveryOptions(TODAY)


def attempts(lake) -> list[dict]:
    return list(read_lines(ALERT_ATTEMPTS.path(lake)))


def test_an_alert_is_delivered_once_per_channel_however_often_the_run_comes(tmp_path, alert, quick):
    with http_server() as web, http_server() as slack, smtp_server() as mail:
        channels = Channels(
            webhook=web.url,
            slack=slack.url,
            mail=Mail("127.0.0.1", mail.port, "iqs@centre.test", "none"),
            routes={"S01": Route("s01@centre.test", "<@U1>")},
            patience=quick,
        )
        first = deliver([alert("empathy:c1"), alert("iqs:c1")], channels, tmp_path, "p1", OPTIONS)
        again = deliver([alert("empathy:c1"), alert("iqs:c1")], channels, tmp_path, "p2", OPTIONS)
        more = deliver([alert("empathy:c1"), alert("iqs:c2")], channels, tmp_path, "p3", OPTIONS)
    assert (first.delivered, again.delivered, more.delivered) == (6, 0, 3)
    assert [[a["dedupe_key"] for a in r.json["alerts"]] for r in web.got] == [["empathy:c1", "iqs:c1"], ["iqs:c2"]]
    assert len(slack.got) == 2
    assert slack.got[0].json["text"].startswith("<@U1> *IQS: 2 warning (007)*")
    recipients, message = mail.mails[0]
    assert recipients == ["s01@centre.test"]
    assert message["Subject"] == "IQS: 2 warning (007)"
    assert "agent empathy_score 12 (below 70)" in message.get_content()
    assert len(mail.mails) == 2
    assert {(a["status"], a["from_publish_id"]) for a in attempts(tmp_path)} == {
        ("delivered", "p1"),
        ("delivered", "p3"),
    }


def test_a_channel_that_is_down_fails_visibly_and_gets_everything_at_the_next_run(tmp_path, alert, quick):
    port = closed_port()
    channels = Channels(webhook=f"http://127.0.0.1:{port}/hook", patience=quick)
    alerts = [alert("iqs:c1"), alert("iqs:c2", route="S02")]
    down = deliver(alerts, channels, tmp_path, "p1", OPTIONS)
    assert (down.delivered, down.failed, down.waiting) == (0, 1, 1)
    assert down.problems == ("webhook to S01: connection refused",)
    assert [(a["status"], a["tries"], a["answer"]) for a in attempts(tmp_path)] == [("failed", 3, "connection refused")]
    with http_server(port=port) as web:
        up = deliver(alerts, channels, tmp_path, "p2", OPTIONS)
    assert (up.delivered, up.is_complete) == (2, True)
    assert [r.json["route"] for r in web.got] == ["S01", "S02"]


def test_one_channel_that_is_down_does_not_hold_up_the_others(tmp_path, alert, quick):
    with smtp_server() as mail:
        channels = Channels(
            webhook=f"http://127.0.0.1:{closed_port()}",
            mail=Mail("127.0.0.1", mail.port, "iqs@centre.test", "none", fallback="lead@centre.test"),
            patience=quick,
        )
        made = deliver([alert()], channels, tmp_path, "p", OPTIONS)
    assert (made.delivered, made.failed) == (1, 1)
    assert mail.mails[0][0] == ["lead@centre.test"]


def test_a_receiver_in_trouble_is_tried_again_with_the_same_key_and_a_signed_body(tmp_path, alert, quick):
    with http_server(503, (429, {"Retry-After": "0.05"})) as web:
        channels = Channels(webhook=web.url, webhook_secret="s3cret", patience=quick)
        made = deliver([alert()], channels, tmp_path, "p", OPTIONS)
    assert made.delivered == 1
    assert len(web.got) == 3
    assert len({(r.headers["idempotency-key"], r.body) for r in web.got}) == 1
    expected = hmac.new(b"s3cret", web.got[0].body, hashlib.sha256).hexdigest()
    assert web.got[0].headers["x-iqs-signature"] == f"sha256={expected}"
    assert attempts(tmp_path)[0]["tries"] == 3


def test_a_receiver_that_asks_for_an_hour_is_left_alone_until_the_next_run(tmp_path, alert, quick):
    with http_server((429, {"Retry-After": "3600"})) as web:
        made = deliver([alert()], Channels(webhook=web.url, patience=quick), tmp_path, "p", OPTIONS)
    assert (made.failed, len(web.got)) == (1, 1)


def test_a_redirect_is_not_followed(tmp_path, alert, quick):
    with http_server() as elsewhere, http_server((302, {"Location": elsewhere.url})) as web:
        made = deliver([alert()], Channels(webhook=web.url, patience=quick), tmp_path, "p", OPTIONS)
    assert (made.failed, elsewhere.got) == (1, [])
    assert made.problems == ("webhook to S01: 302 Found",)


def test_one_message_that_is_refused_does_not_hold_up_the_next(tmp_path, alert, quick):
    with http_server(422) as web:
        alerts = [alert("iqs:c1"), alert("iqs:c2", route="S02")]
        made = deliver(alerts, Channels(webhook=web.url, patience=quick), tmp_path, "p", OPTIONS)
    assert (made.failed, made.delivered, made.waiting) == (1, 1, 0)


def test_a_refused_recipient_does_not_hold_up_the_others_and_leaves_no_address_in_the_log(tmp_path, alert, quick):
    with smtp_server(refuse={"gone@centre.test": 550}) as mail:
        channels = Channels(
            mail=Mail("127.0.0.1", mail.port, "iqs@centre.test", "none"),
            routes={"S01": Route("gone@centre.test"), "S02": Route("s02@centre.test")},
            patience=quick,
        )
        alerts = [alert("iqs:c1"), alert("iqs:c2", route="S02"), alert("iqs:c3", route="S03")]
        made = deliver(alerts, channels, tmp_path, "p", OPTIONS)
    assert (made.delivered, made.failed) == (1, 2)
    assert [r for r, _ in mail.mails] == [["s02@centre.test"]]
    assert mail.connections == 1
    log = ALERT_ATTEMPTS.path(tmp_path).read_text()
    assert "recipient refused (SMTP 550)" in log
    assert "add a row to alert_routes.csv" in log
    assert "@" not in log


def test_the_texts_hold_what_the_table_says_and_cannot_mention_or_break_anything(tmp_path, alert, quick):
    nasty = alert(evidence="<!channel> look <http://x|here>\r\nBcc: all@x.test & more", agent_name="Ann\r\nBcc: x@y")
    with http_server() as slack, smtp_server() as mail:
        channels = Channels(
            slack=slack.url,
            mail=Mail("127.0.0.1", mail.port, "iqs@centre.test", "none", fallback="lead@centre.test"),
            patience=quick,
        )
        assert deliver([nasty], channels, tmp_path, "p", OPTIONS).delivered == 2
    text = slack.got[0].json["text"]
    assert "&lt;!channel&gt;" in text
    assert "<" not in text.replace("&lt;", "")
    recipients, message = mail.mails[0]
    assert recipients == ["lead@centre.test"]
    assert message["Bcc"] is None
    assert "at 1:05: <!channel> look" in message.get_content()


def test_what_is_sent_as_json_names_no_customer_and_nothing_of_other_channels(tmp_path, alert, quick):
    with http_server() as web:
        deliver([alert()], Channels(webhook=web.url, patience=quick), tmp_path, "p", OPTIONS)
    sent = web.got[0].json["alerts"][0]
    assert sent["evidence"] == "That is the policy. Your card is [card]."
    assert sent["call_date"] == "2026-03-05"
    assert not {n for n in sent if "customer" in n or n in ("channels", "acknowledged_by", "delivered_at")}


def test_acknowledged_and_old_alerts_and_rules_without_a_channel_are_not_sent(tmp_path, alert, quick):
    channels = Channels(webhook="http://127.0.0.1:1", slack="http://127.0.0.1:1", patience=quick)
    alerts = [
        alert("iqs:c1"),
        alert("iqs:c2", acknowledged=True),
        alert("iqs:old", call_date=TODAY - timedelta(days=8)),
        alert("iqs:quiet", channels=None),
        alert("iqs:slack", channels="slack|email"),
    ]
    assert acknowledge(alerts, ["iqs:c1"], "sam", tmp_path) == 1
    assert acknowledge(alerts, ["iqs:c1"], "sam", tmp_path) == 0
    found = due(alerts, channels, tmp_path, OPTIONS)
    assert [(m.channel, [a.dedupe_key for a in m.alerts]) for m in found] == [("slack", ["iqs:slack"])]
    older = due(alerts, channels, tmp_path, replace(OPTIONS, within_days=30))
    assert {a.dedupe_key for m in older for a in m.alerts} == {"iqs:slack", "iqs:old"}
    assert with_news(alerts, tmp_path)[0].acknowledged_by == "sam"


def test_an_unknown_key_is_not_acknowledged(tmp_path, alert):
    with pytest.raises(AlertError, match="no alert has the key iqs:nope"):
        acknowledge([alert()], ["iqs:nope"], "sam", tmp_path)


def test_a_bad_day_is_a_few_messages_and_the_gravest_come_first(tmp_path, alert, quick):
    alerts = [alert(f"iqs:c{i:02}") for i in range(45)] + [alert("zero_tolerance:c1", severity="critical")]
    found = due(alerts, Channels(webhook="http://127.0.0.1:1"), tmp_path, OPTIONS)
    assert [len(m.alerts) for m in found] == [20, 20, 6]
    assert found[0].alerts[0].dedupe_key == "zero_tolerance:c1"


def test_the_first_sighting_is_written_down_once(tmp_path, alert):
    assert note_sightings([alert("iqs:c1")], tmp_path) == 1
    assert note_sightings([alert("iqs:c1"), alert("iqs:c2")], tmp_path) == 1
    assert [r["dedupe_key"] for r in read_lines(ALERT_SIGHTINGS.path(tmp_path))] == ["iqs:c1", "iqs:c2"]


def test_a_line_that_a_crash_tore_is_no_delivery_and_does_not_spoil_the_log(tmp_path, alert, quick):
    ensure(tmp_path)
    whole = json.dumps(
        {"dedupe_key": "iqs:c1", "channel": "webhook", "status": "delivered", "attempted_at": "2026-03-05"}
    )
    ALERT_ATTEMPTS.path(tmp_path).write_text(whole + "\n" + whole.replace("c1", "c2")[:40])
    with http_server() as web:
        made = deliver(
            [alert("iqs:c1"), alert("iqs:c2")], Channels(webhook=web.url, patience=quick), tmp_path, "p", OPTIONS
        )
    assert made.delivered == 1
    assert [a["dedupe_key"] for a in attempts(tmp_path)] == ["iqs:c1", "iqs:c2"]


def test_nothing_is_sent_and_nothing_written_unless_a_channel_is_configured(tmp_path, alert):
    assert Channels.of(Settings(data=tmp_path)).on == ()
    deliver([alert()], Channels.of(Settings(data=tmp_path)), tmp_path, "p", OPTIONS)
    assert not list(tmp_path.rglob("*.jsonl"))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"webhook": "ftp://x"}, "IQS_WEBHOOK is no http"),
        ({"slack_webhook": "hooks.slack.com/x"}, "IQS_SLACK_WEBHOOK is no http"),
        ({"smtp_host": "mail"}, "IQS_SMTP_FROM must be"),
        ({"smtp_host": "mail", "smtp_from": "a@b", "smtp_security": "ssl"}, "it takes starttls, tls or none"),
        (
            {"smtp_host": "mail", "smtp_from": "a@b", "smtp_security": "none", "smtp_password": "p"},
            "would go unencrypted",
        ),
    ],
)
def test_a_channel_that_cannot_be_used_is_named(tmp_path, settings, says):
    with pytest.raises(SettingError, match=says):
        Channels.of(Settings(data=tmp_path, **settings))


def test_secrets_are_in_no_text_of_the_settings_or_channels(tmp_path):
    settings = Settings(data=tmp_path, webhook="https://x/SECRET", smtp_password="SECRET", crm_token="SECRET")
    assert "SECRET" not in repr(settings)
    assert "SECRET" not in repr(Channels.of(settings))


@pytest.mark.parametrize(
    ("row", "says"), [("S01,a b@c,", "one e-mail address"), (",a@b.c,", "supervisor_id is missing")]
)
def test_a_bad_route_is_named_by_its_row(tmp_path, row, says):
    path = tmp_path / "alert_routes.csv"
    path.write_text(f"supervisor_id,email,slack_mention\n{row}\n")
    with pytest.raises(SettingError, match=f"row 2: .*{says}"):
        read_routes(path)


def test_dbt_reads_every_log_with_the_columns_that_it_is_written_with():
    import re
    from pathlib import Path

    import yaml

    project = Path(__file__).resolve().parents[3] / "dbt_project"
    sources = yaml.safe_load((project / "models" / "staging" / "_sources.yml").read_text())["sources"]
    tables = next(s for s in sources if s["name"] == "ops")["tables"]
    declared = {t["name"]: t["config"]["meta"]["external_location"] for t in tables}
    for log in LOGS:
        assert dict(re.findall(r"(\w+): '(\w+)'", declared[log.name])) == log.columns
