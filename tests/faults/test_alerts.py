"""Fault 24: an alert channel is down. The publication succeeds, the failure is visible, delivery comes later, once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime

import pytest

from tests.assets.conftest import Installation, made_in, parsed_project  # noqa: F401
from tests.receivers import closed_port, http_server, smtp_server

pytestmark = pytest.mark.promise

BAD_CHAT = (
    ("customer", "My internet is down again, this is terrible and I am really angry."),
    ("agent", "That is the policy. There is nothing I can do about that."),
    ("customer", "This is ridiculous. I want to speak to your supervisor, I will cancel."),
    ("agent", "No. Tell me your full password first."),
    ("customer", "You are useless, this is the worst service ever. My e-mail is jo.doe@example.com."),
    ("agent", "Goodbye."),
)
PORT = closed_port()


def deliver_chats(installation: Installation, day: date, *names: str) -> None:
    rows = [{"interaction_id": n, "channel": "chat", "customer_id": "customer-4711"} for n in names]
    common = {"started_at": f"{day}T00:00:00Z", "agent_id": "007", "campaign": "billing", "call_type": "support"}
    installation.deliver(f"interactions-{names[0]}.csv", [r | common for r in rows])
    installation.deliver(
        f"messages-{names[0]}.csv",
        [
            {"interaction_id": n, "seq": i, "party": p, "text": t, "sent_at": f"{day}T00:{i:02}:00Z"}
            for n in names
            for i, (p, t) in enumerate(BAD_CHAT)
        ],
    )


def iqs(installation: Installation, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *arguments],
        env=os.environ
        | {"IQS_DATA": str(installation.root), "IQS_LANDING": str(installation.landing)}
        | {"IQS_SEEDS": str(installation.root / "seeds")}
        | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def story(tmp_path_factory, parsed_project):  # noqa: F811
    """Two runs: the webhook is down in the first (the mail server is not), and up in the second."""
    from pipelines.settings import PROJECT

    installation = made_in(tmp_path_factory.mktemp("alerts"), parsed_project)
    seeds = installation.root / "seeds"
    seeds.mkdir()
    for path in (PROJECT / "dbt_project" / "seeds").glob("*.csv"):
        (seeds / path.name).write_bytes(path.read_bytes())
    (seeds / "alert_routes.csv").write_text("supervisor_id,email,slack_mention\nS01,s01@centre.test,\n")
    today = datetime.now(UTC).date()
    installation.deliver("agents.csv", [{"agent_id": "007", "name": "Ann", "team": "north", "supervisor_id": "S01"}])
    deliver_chats(installation, today, "bad-1")
    with smtp_server() as mail:
        installation.overrides = {
            "seeds": seeds,
            "webhook": f"http://127.0.0.1:{PORT}/alerts",
            "smtp_host": "127.0.0.1",
            "smtp_port": mail.port,
            "smtp_from": "iqs@centre.test",
            "smtp_security": "none",
        }
        down = installation.run()
        first = installation.sql("select * from alerts order by dedupe_key")
        first_id = installation.sql("select any_value(publish_id) from alerts")
        deliver_chats(installation, today, "bad-2")
        installation.deliver("alert_acks.csv", [{"dedupe_key": "iqs:bad-1", "acknowledged_by": "S01"}])
        with http_server(port=PORT) as web:
            up = installation.run()
    return {
        "installation": installation,
        "down": down,
        "up": up,
        "first": first,
        "first_id": first_id,
        "web": web,
        "mail": mail,
        "today": today,
    }


def test_the_publication_succeeds_while_the_channel_is_down(story):
    (run,) = story["down"]
    assert run.success
    assert not run.errors
    assert story["first"]


def test_the_failure_is_a_warning_of_the_run_and_a_row_of_the_next_publication(story):
    (run,) = story["down"]
    assert run.warnings == ("alerts/deliveries: every_channel_took_its_alerts",)
    rows = story["installation"].sql(
        "select distinct channel, route, status, answer, from_publish_id from alert_deliveries where status = 'failed'"
    )
    assert rows == [("webhook", "S01", "failed", "connection refused", story["first_id"][0][0])]


def test_everything_is_delivered_later_and_once_per_channel(story):
    (run,) = story["up"]
    assert run.success
    assert run.warnings == ()
    sent = [a["dedupe_key"] for r in story["web"].got for a in r.json["alerts"]]
    everything = {k for (k,) in story["installation"].sql("select dedupe_key from alerts")}
    assert sorted(sent) == sorted(everything - {"iqs:bad-1"})
    mailed = "\n".join(m.get_content() for _, m in story["mail"].mails)
    assert {tuple(r) for r, _ in story["mail"].mails} == {("s01@centre.test",)}
    assert mailed.count("Zero tolerance") == 2
    assert mailed.count("Low IQS") == 2


def test_the_rules_hit_the_bad_chat_and_each_alert_is_routed_to_the_supervisor(story):
    rows = story["installation"].sql(
        "select rule, severity, route, agent_name from alerts where interaction_id = 'bad-1'"
    )
    assert {r[0] for r in rows} == {"zero_tolerance", "iqs", "empathy", "escalation_risk"}
    assert {r[2:] for r in rows} == {("S01", "Ann")}
    assert [r[1] for r in rows if r[0] == "zero_tolerance"] == ["critical"]


def test_an_alert_is_known_since_the_first_run_and_acknowledged_by_the_file(story):
    rows = dict(
        story["installation"].sql(
            "select dedupe_key, (first_seen is not null, acknowledged, acknowledged_by) from alerts"
        )
    )
    assert set(rows) >= {"iqs:bad-1", "iqs:bad-2"}
    assert rows["iqs:bad-1"] == (True, True, "S01")
    assert rows["iqs:bad-2"] == (True, False, None)


def test_no_text_that_left_holds_a_customer(story):
    texts = [r.body.decode() for r in story["web"].got] + [str(m) for _, m in story["mail"].mails]
    assert texts
    for text in texts:
        assert "4711" not in text
        assert "jo.doe" not in text
        assert "customer_key" not in text


def test_the_replay_says_what_the_rule_said_and_what_another_threshold_would_have(story):
    installation = story["installation"]
    for rule, threshold in (("iqs", 60), ("empathy", 70), ("escalation_risk", 0.7), ("zero_tolerance", 1)):
        done = iqs(installation, "alerts", "replay", "--rule", rule, "--threshold", str(threshold), "--json")
        assert done.returncode == 0, done.stderr
        (week,) = json.loads(done.stdout)
        assert (week["supervisor_id"], week["now"], week["then"]) == ("S01", 2, 2)
    done = iqs(installation, "alerts", "replay", "--rule", "iqs", "--threshold", "0", "--json")
    assert [w["then"] for w in json.loads(done.stdout)] == [0]


def test_the_command_lists_acknowledges_and_sends_what_waits(story):
    installation = story["installation"]
    listed = json.loads(iqs(installation, "alerts", "list", "--json").stdout)
    assert "iqs:bad-1" not in {a["dedupe_key"] for a in listed}
    assert all(a["delivered_at"] for a in listed)
    done = iqs(installation, "alerts", "ack", "iqs:bad-2", "--by", "S01")
    assert (done.returncode, done.stdout.strip()) == (0, "1 acknowledged")
    assert "iqs:bad-2" not in iqs(installation, "alerts", "list").stdout
    assert "iqs:bad-2" in iqs(installation, "alerts", "list", "--all").stdout
    nope = iqs(installation, "alerts", "ack", "nope")
    assert nope.returncode == 2
    assert "no alert has the key nope" in nope.stderr
    with http_server(500, 500, 500, 500) as slack:
        failed = iqs(installation, "alerts", "send", IQS_SLACK_WEBHOOK=slack.url)
        assert failed.returncode == 3
        assert "slack to S01: 500 Internal Server Error" in failed.stdout
        sent = iqs(installation, "alerts", "send", IQS_SLACK_WEBHOOK=slack.url)
    assert sent.returncode == 0, sent.stderr
    assert "Zero tolerance" in slack.got[-1].json["text"]
    off = iqs(installation, "alerts", "send")
    assert (off.returncode, "no channel is configured" in off.stderr) == (2, True)


def test_a_rule_that_is_not_there_is_named(story):
    done = iqs(story["installation"], "alerts", "replay", "--rule", "empthy", "--threshold", "65")
    assert done.returncode == 2
    assert "there is no rule 'empthy'" in done.stderr
    assert "escalation_risk" in done.stderr
