"""Runs of the daily job over text: what is made again, and what is left alone."""

from datetime import UTC, date, datetime, timedelta

import dagster as dg
import duckdb
import polars as pl
import pytest

from pipelines.automation.launch import instance
from pipelines.automation.schedules import nightly
from pipelines.automation.sensors import attempt, landing_sensor
from pipelines.contracts import all_tables
from pipelines.contracts.landing import INTERACTIONS
from pipelines.definitions import resources
from tests.assets.conftest import MONDAY, TUESDAY, published


def test_a_day_of_ready_made_transcripts_and_chats_is_scored_checked_and_published(installation):
    installation.deliver_calls(MONDAY, 3)
    installation.deliver("agents.csv", [{"agent_id": "007", "name": "Ann", "team": "north"}])
    installation.deliver("surveys.csv", [{"interaction_id": "call-02-0", "csat": 4, "nps": 9}])
    chat = {"channel": "chat", "started_at": "2026-03-02T10:00:00Z", "agent_id": "007", "campaign": "sales"}
    broken = [{"interaction_id": "odd", "channel": "fax"}, {"interaction_id": "no-words", "channel": "chat"}]
    installation.deliver("interactions-chats.csv", [{"interaction_id": "chat-1"} | chat] + [chat | b for b in broken])
    messages = (
        ("customer", "Where is my order? It is late and I am upset."),
        ("agent", "I am sorry. Let me check."),
        ("agent", "It arrives tomorrow. Is there anything else?"),
        ("customer", "No. My card is 4111 1111 1111 1111, thank you!"),
    )
    installation.deliver(
        "messages.jsonl",
        [
            {"interaction_id": "chat-1", "seq": i, "party": p, "text": t, "sent_at": f"2026-03-02T10:0{i}:00Z"}
            for i, (p, t) in enumerate(messages)
        ],
    )
    (result,) = installation.run()
    assert result.success, result.errors
    status = dict(
        installation.sql("select interaction_id, status || coalesce(' ' || reason, '') from fct_interactions")
    )
    assert status == {
        "call-02-0": "scored",
        "call-02-1": "scored",
        "call-02-2": "scored",
        "chat-1": "scored",
        "no-words": "excluded no_content",
        "odd": "quarantined metadata_invalid",
    }
    assert installation.sql("select received, scored, excluded, quarantined from ops_ledger") == [(6, 4, 1, 1)]
    worst = installation.sql(
        "select max(abs(iqs - total)) from fct_interactions join (select interaction_id, sum(contribution) as total "
        "from fct_parameter_scores where basis = 'as_scored' group by all) using (interaction_id)"
    )
    assert worst[0][0] == 0
    assert installation.sql("select csat, nps, team from fct_interactions where interaction_id = 'call-02-0'") == [
        (4, 9, "north")
    ]
    assert installation.lake.read(INTERACTIONS, MONDAY)["agent_id"].unique().to_list() == ["007"]
    assert installation.sql("select distinct agent_id from fct_interactions where status = 'scored'") == [("007",)]
    for table in all_tables().values():
        frame = installation.lake.read(table, MONDAY if table.daily else None)
        texts = [frame[c].str.replace_all(r"\D", "") for c, t in frame.schema.items() if t == pl.String]
        assert not any(t.str.contains("4111111111111111").any() for t in texts), table.name
    assert (installation.root / "published" / "current" / "report" / "index.html").stat().st_size > 10_000


@pytest.mark.promise
def test_a_second_run_changes_nothing_a_new_day_and_a_late_call_re_open_only_their_own(installation):
    installation.deliver_calls(MONDAY, 2)
    assert requested(installation) == [("2026-03-02", "2026-03-02")]
    installation.run()
    before = published(installation)
    monday = manifests(installation, MONDAY)
    assert (installation.waiting(), requested(installation)) == ([], [])
    (again,) = installation.run([MONDAY])
    assert again.success
    assert published(installation) == before

    path = installation.root / "published" / "current" / "iqs.duckdb"
    with duckdb.connect(str(path), read_only=True) as reader:
        seen = reader.execute("select count(*) from fct_interactions").fetchone()
        installation.deliver_calls(TUESDAY, 2)
        assert installation.waiting() == [TUESDAY]
        assert requested(installation) == [("2026-03-03", "2026-03-03")]
        (new,) = installation.run()
        assert new.success
        # A reader that holds the old publication open is not disturbed.
        assert reader.execute("select count(*) from fct_interactions").fetchone() == seen
    assert manifests(installation, MONDAY) == monday
    of_monday = [r for r in published(installation)["fct_metrics"] if MONDAY in r]
    assert sorted(map(repr, of_monday)) == sorted(map(repr, before["fct_metrics"]))

    tuesday = manifests(installation, TUESDAY)
    installation.deliver_calls(MONDAY, 1, first=7, name="-late")
    assert installation.waiting() == [MONDAY]
    (late,) = installation.run()
    assert late.success
    assert manifests(installation, TUESDAY) == tuesday
    assert installation.sql("select call_date, received from ops_ledger order by 1") == [(MONDAY, 3), (TUESDAY, 2)]


def manifests(installation, day: date) -> dict:
    return {name: installation.lake.manifest(t, day) for name, t in all_tables().items() if t.daily}


def requested(installation) -> list[tuple[str, str]]:
    """First and last day of the runs that the landing sensor asks for."""
    made = resources(installation.settings)
    with instance(installation.settings) as storage:
        given = {name: made[name] for name in ("lake", "landing")}
        tick = landing_sensor.evaluate_tick(dg.build_sensor_context(instance=storage, resources=given))
        tags = [request.tags for request in tick.run_requests or []]
    return [(t["dagster/asset_partition_range_start"], t["dagster/asset_partition_range_end"]) for t in tags]


def nights_work(storage, *, night: date) -> list[str]:
    """The days that the nightly schedule asks for at 02:00 of `night`; they are kept as the daemon keeps its runs."""
    at = datetime(night.year, night.month, night.day, 2, tzinfo=UTC)
    asked = nightly(dg.build_schedule_context(instance=storage, scheduled_execution_time=at))
    days = [request.partition_key for request in asked]
    for day in days:
        tags = {"dagster/schedule_name": "nightly", "dagster/partition": day}
        storage.create_run_for_job(requested_run, tags=tags)
    return days


@dg.job
def requested_run():
    """Stands for a run in the storage; nothing of it is executed."""


def test_the_nightly_schedule_asks_for_yesterday(tmp_path):
    with dg.DagsterInstance.local_temp(str(tmp_path)) as storage:
        assert nights_work(storage, night=date(2026, 3, 4)) == ["2026-03-03"]
        assert nights_work(storage, night=date(2026, 3, 5)) == ["2026-03-04"]


def test_after_three_days_without_a_scheduler_exactly_the_three_dates_are_asked_for(tmp_path):
    with dg.DagsterInstance.local_temp(str(tmp_path)) as storage:
        nights_work(storage, night=date(2026, 3, 4))
        # The nights of the 5th and 6th pass with nobody there; Dagster evaluates the last missed tick only.
        assert nights_work(storage, night=date(2026, 3, 7)) == ["2026-03-04", "2026-03-05", "2026-03-06"]
        assert nights_work(storage, night=date(2026, 3, 8)) == ["2026-03-07"]
        # Nobody for half a year: the last month.
        assert len(nights_work(storage, night=date(2026, 9, 1))) == 32


def test_days_whose_run_failed_are_asked_for_again_after_an_hour_then_two_then_four(tmp_path):
    with dg.DagsterInstance.local_temp(str(tmp_path)) as storage:
        now = datetime.now(UTC)

        def made(key: str, status: dg.DagsterRunStatus) -> None:
            storage.create_run_for_job(requested_run, tags={"dagster/run_key": key}, status=status)

        assert attempt(storage, "days", now=now) == "days"
        made("days", dg.DagsterRunStatus.FAILURE)
        assert attempt(storage, "days", now=now + timedelta(minutes=50)) == "days"
        assert attempt(storage, "days", now=now + timedelta(minutes=70)) == "days again 1"
        made("days again 1", dg.DagsterRunStatus.FAILURE)
        assert attempt(storage, "days", now=now + timedelta(minutes=110)) == "days again 1"
        assert attempt(storage, "days", now=now + timedelta(minutes=130)) == "days again 2"
        made("days again 2", dg.DagsterRunStatus.STARTED)
        assert attempt(storage, "days", now=now + timedelta(days=3)) == "days again 2"
