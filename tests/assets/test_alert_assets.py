"""What Dagster's users see of the deliveries: a warning and a reason, never a failed run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from assets.alerts import deliveries
from assets.crm import tickets
from pipelines.automation.redelivery import redelivery, waiting
from pipelines.contracts.logs import CRM_SYNC
from pipelines.definitions import resources
from pipelines.quality.ledger import read_lines
from pipelines.settings import Settings
from tests.receivers import http_server

COLUMNS = """
    dedupe_key varchar, rule varchar, version bigint, severity varchar, meaning varchar, interaction_id varchar,
    subject varchar, call_date date, period varchar, agent_id varchar, agent_name varchar, team varchar, route varchar,
    campaign varchar, issue_type varchar, measure varchar, party varchar, value double, comparison varchar,
    threshold double, evidence varchar, evidence_start_s double, evidence_end_s double, iqs decimal(9, 4),
    channels varchar, send_within_days bigint, first_seen timestamp, acknowledged boolean, acknowledged_by varchar,
    acknowledged_at timestamp, delivered_at timestamp
"""


@dataclass
class Published:
    """An installation with a publication of one scored interaction, its ticket and one alert."""

    root: Path

    def materialize(self, asset, **settings) -> tuple[dg.AssetCheckEvaluation, dict]:
        made = resources(Settings(data=self.root, **settings))
        needed = {n: made[n] for n in ("warehouse", "publications", "notifier", "crm")}
        result = dg.materialize([asset], resources=needed, instance=dg.DagsterInstance.ephemeral())
        assert result.success
        (check,) = result.get_asset_check_evaluations()
        (materialization,) = result.asset_materializations_for_node(asset.node_def.name)
        return check, {n: v.value for n, v in materialization.metadata.items()}


@pytest.fixture
def published(tmp_path) -> Published:
    folder = tmp_path / "published" / "current"
    folder.mkdir(parents=True)
    today = datetime.now(UTC).date()
    with duckdb.connect(str(folder / "iqs.duckdb")) as connection:
        connection.execute(f"create table alerts ({COLUMNS})")
        connection.execute(
            "insert into alerts (dedupe_key, rule, version, severity, interaction_id, call_date, agent_id, route,"
            " measure, value, comparison, threshold, channels, send_within_days, acknowledged)"
            " values ('iqs:c1', 'iqs', 1, 'warning', 'c1', ?, '007', 'S01', 'iqs', 41.5, 'below', 60, 'all', 7, false)",
            [today],
        )
        connection.execute("create table ops_ledger as select 'p1' as publish_id")
        connection.execute(
            "create table fct_interactions as select 'c1' as interaction_id, ?::date as call_date, 'T-1' as ticket_id,"
            " current_timestamp::timestamp as started_at, 'scored' as status, 41.5 as iqs, false as is_failed,"
            " 1 as resolved, 'call' as channel, '007' as agent_id, 'north' as team, 'billing' as campaign,"
            " null as issue_type, 'p1' as publish_id",
            [today],
        )
        connection.execute(
            "create table fct_metrics (interaction_id varchar, call_date date, party varchar, metric varchar,"
            " value double)"
        )
    return Published(tmp_path)


def test_without_a_channel_and_a_crm_nothing_happens_and_nothing_warns(published):
    check, shown = published.materialize(deliveries)
    assert check.passed
    assert shown["channels"] == "none is configured"
    check, shown = published.materialize(tickets)
    assert check.passed
    assert shown["target"] == "none is configured"
    assert not (published.root / "lake").exists()


def test_a_delivery_shows_its_figures(published):
    with http_server() as web:
        check, shown = published.materialize(deliveries, webhook=web.url)
        assert check.passed
        assert (shown["channels"], shown["delivered"], shown["waiting"]) == ("webhook", 1, 0)
        assert published.materialize(deliveries, webhook=web.url)[1]["delivered"] == 0
    assert [a["dedupe_key"] for a in web.got[0].json["alerts"]] == ["iqs:c1"]


def test_a_channel_that_refuses_warns_and_the_run_goes_on(published):
    with http_server(403) as web:
        check, shown = published.materialize(deliveries, webhook=web.url)
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "webhook to S01: 403 Forbidden" in check.metadata["problems"].value
    assert shown["failed"] == 1


def test_a_setting_that_cannot_be_used_warns_and_the_run_goes_on(published):
    check, _ = published.materialize(deliveries, webhook="not an address")
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "IQS_WEBHOOK is no http(s) address" in check.metadata["problems"].value
    check, _ = published.materialize(tickets, crm_target="salesforce", crm_url="https://x")
    assert "it takes generic, zendesk, hubspot" in check.metadata["problems"].value


def test_the_crm_gets_its_tickets_once(published):
    with http_server() as web:
        settings = {"crm_target": "generic", "crm_url": f"{web.url}/tickets"}
        check, shown = published.materialize(tickets, **settings)
        assert check.passed
        assert shown["sent"] == 1
        assert published.materialize(tickets, **settings)[1]["unchanged"] == 1
    (got,) = web.got
    assert (got.method, got.path, got.json["fields"]["iqs"], got.json["flags"]) == (
        "PUT",
        "/tickets/T-1",
        41.5,
        ["iqs"],
    )
    (row,) = read_lines(CRM_SYNC.path(published.root / "lake"))
    assert (row["ticket_id"], row["status"], row["from_publish_id"]) == ("T-1", "sent", "p1")


def test_what_waits_is_sent_again_every_ten_minutes_and_nothing_is_started_for_nothing(published):
    off = Settings(data=published.root)
    with http_server(503, 503, 503, 503) as web:
        on = Settings(data=published.root, webhook=web.url, crm_target="generic", crm_url=f"{web.url}/tickets")
        assert waiting(off) == ""
        assert waiting(on) == "1 messages and 1 tickets"
        assert not published.materialize(deliveries, webhook=web.url)[0].passed
        with dg.build_schedule_context() as context:
            (request,) = redelivery(on).evaluate_tick(context).run_requests
            assert request.tags["waiting"] == "1 messages and 1 tickets"
        assert published.materialize(deliveries, webhook=web.url)[0].passed
        assert published.materialize(tickets, crm_target="generic", crm_url=f"{web.url}/tickets")[0].passed
        with dg.build_schedule_context() as context:
            assert redelivery(on).evaluate_tick(context).skip_message == "nothing waits"


def test_a_secret_is_in_no_configuration_that_dagster_keeps(published):
    made = resources(
        Settings(data=published.root, webhook="https://x/SECRET", crm_token="SECRET", smtp_password="SECRET")
    )
    for name in ("notifier", "crm"):
        assert not isinstance(made[name], dg.ConfigurableResource)
        assert "SECRET" not in repr(made[name])
