"""Runs of the daily job over text: what is made again, what is left alone, what is never visible."""

from datetime import UTC, date, datetime

import dagster as dg
import polars as pl
import pytest

from pipelines.automation.launch import instance
from pipelines.contracts import all_tables
from pipelines.contracts.landing import INTERACTIONS
from pipelines.contracts.metrics import INTERACTION_METRICS, OUTCOMES
from pipelines.definitions import build
from pipelines.quality.ledger import latest

MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)


def published(installation) -> dict[str, list[tuple]]:
    """Everything that readers see, less what belongs to the publication itself."""
    tables = ("fct_interactions", "fct_metrics", "fct_parameter_scores", "fct_events", "trend_iqs", "ops_ledger")
    return {t: installation.sql(f"select * exclude (publish_id) from {t} order by all") for t in tables}


def test_a_day_of_ready_made_transcripts_and_chats_is_scored_checked_and_published(installation):
    installation.deliver_calls(MONDAY, 3)
    installation.deliver("agents.csv", [{"agent_id": "007", "name": "Ann", "team": "north"}])
    installation.deliver("surveys.csv", [{"interaction_id": "call-02-0", "csat": 4, "nps": 9}])
    chat = {"channel": "chat", "started_at": "2026-03-02T10:00:00Z", "agent_id": "007", "campaign": "sales"}
    broken = [{"interaction_id": "odd", "channel": "fax"}, {"interaction_id": "no-words", "channel": "chat"}]
    installation.deliver("interactions-chats.csv", [{"interaction_id": "chat-1"} | chat] + [chat | b for b in broken])
    messages = [("customer", "Where is my order? It is late and I am upset."), ("agent", "I am sorry. Let me check."),
                ("agent", "It arrives tomorrow. Is there anything else?"), ("customer", "No, thank you!")]  # fmt: skip
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
    assert (installation.root / "published" / "current" / "report" / "index.html").stat().st_size > 10_000


def test_a_second_run_changes_nothing_and_a_new_day_leaves_the_old_one_alone(installation):
    installation.deliver_calls(MONDAY, 2)
    installation.run()
    before = published(installation)
    written = {n: installation.lake.manifest(t, MONDAY).written_at for n, t in all_tables().items() if t.daily}
    assert installation.waiting() == []
    (again,) = installation.run([MONDAY])
    assert again.success
    assert published(installation) == before
    installation.deliver_calls(TUESDAY, 2)
    assert installation.waiting() == [TUESDAY]
    (new,) = installation.run()
    assert new.success
    assert {n: installation.lake.manifest(t, MONDAY).written_at for n, t in all_tables().items() if t.daily} == written
    monday = [r for r in published(installation)["fct_metrics"] if MONDAY in r]
    assert sorted(map(repr, monday)) == sorted(map(repr, before["fct_metrics"]))
    assert installation.sql("select count(*), count(distinct call_date) from fct_interactions") == [(4, 2)]


def test_a_late_call_re_opens_only_its_own_day(installation):
    installation.deliver_calls(MONDAY, 2)
    installation.deliver_calls(TUESDAY, 2)
    installation.run()
    tuesday = installation.lake.manifest(OUTCOMES, TUESDAY)
    installation.deliver_calls(MONDAY, 1, first=7, name="-late")
    assert installation.waiting() == [MONDAY]
    installation.run()
    assert installation.lake.manifest(OUTCOMES, TUESDAY) == tuesday
    assert installation.sql("select call_date, received from ops_ledger order by 1") == [(MONDAY, 3), (TUESDAY, 2)]


def test_a_failed_blocking_check_publishes_nothing_and_the_last_publication_stays(installation, monkeypatch):
    installation.deliver_calls(MONDAY, 2)
    installation.run()
    before = published(installation)
    good = installation.lake.manifest(INTERACTION_METRICS, MONDAY)

    from pipelines.metrics import day as metrics_day

    def lossy(*arguments, **named):
        frames = original(*arguments, **named)
        return frames | {INTERACTION_METRICS: frames[INTERACTION_METRICS].head(-1)}

    original = metrics_day.measured_day
    monkeypatch.setattr("assets.metrics.measured_day", lossy)
    installation.deliver_calls(MONDAY, 1, first=5, name="-late")
    (result,) = installation.run()
    assert not result.success
    assert any("interaction_metrics" in name for name in result.failed_checks)
    assert published(installation) == before
    assert installation.lake.manifest(INTERACTION_METRICS, MONDAY) == good
    failed = [o for o in latest(installation.lake.root).values() if not o.passed and o.blocking]
    assert {o.check_name for o in failed} == {"every_metric_has_one_row_per_party"}

    only_publish = build(installation.settings).resolve_job_def("daily")
    with instance(installation.settings) as storage:
        alone = only_publish.execute_in_process(
            instance=storage,
            asset_selection=[dg.AssetKey(["publication", "database"]), dg.AssetKey(["publication", "report"])],
            partition_key=MONDAY.isoformat(),
            raise_on_error=False,
        )
    assert not alone.success
    assert published(installation) == before
    assert (installation.root / "published" / "STALE.json").exists()

    monkeypatch.setattr("assets.metrics.measured_day", original)
    (mended,) = installation.run()
    assert mended.success
    assert installation.sql("select received from ops_ledger") == [(3,)]
    assert not (installation.root / "published" / "STALE.json").exists()


def test_days_in_any_order_and_a_rebuilt_warehouse_give_equal_tables(installation):
    installation.deliver_calls(MONDAY, 2)
    installation.deliver_calls(TUESDAY, 2, agent="A12")
    installation.run([TUESDAY])
    installation.run([MONDAY])
    one_by_one = published(installation)
    installation.settings.warehouse.write_bytes(b"not a database")
    (rebuilt,) = installation.run([MONDAY])
    assert rebuilt.success
    assert published(installation) == one_by_one


def test_a_reader_that_holds_the_old_publication_open_is_not_disturbed(installation):
    import duckdb

    installation.deliver_calls(MONDAY, 1)
    installation.run()
    path = installation.root / "published" / "current" / "iqs.duckdb"
    with duckdb.connect(str(path), read_only=True) as reader:
        before = reader.execute("select count(*) from fct_interactions").fetchone()
        installation.deliver_calls(TUESDAY, 1)
        (result,) = installation.run()
        assert result.success
        assert reader.execute("select count(*) from fct_interactions").fetchone() == before
    assert installation.sql("select count(*) from fct_interactions") == [(2,)]


def test_the_sensor_asks_for_the_days_that_came_in_and_for_no_others(installation):
    installation.deliver_calls(MONDAY, 1)
    definitions = build(installation.settings)
    sensor = definitions.resolve_sensor_def("landing_sensor")

    def requests() -> list[dg.RunRequest]:
        with (
            instance(installation.settings) as storage,
            dg.build_sensor_context(instance=storage, definitions=definitions) as context,
        ):
            return list(sensor.evaluate_tick(context).run_requests or [])

    (request,) = requests()
    assert request.tags["dagster/asset_partition_range_start"] == "2026-03-02"
    installation.run()
    assert requests() == []
    installation.deliver_calls(TUESDAY, 1)
    (request,) = requests()
    assert request.tags["dagster/asset_partition_range_start"] == "2026-03-03"


def test_the_nightly_schedule_asks_for_yesterday(installation):
    schedule = build(installation.settings).resolve_schedule_def("nightly")
    context = dg.build_schedule_context(scheduled_execution_time=datetime(2026, 3, 4, 2, tzinfo=UTC))
    (request,) = schedule.evaluate_tick(context).run_requests
    assert request.partition_key == "2026-03-03"


def test_ids_keep_their_leading_zeros_from_the_landing_file_to_the_publication(installation):
    installation.deliver_calls(MONDAY, 1, agent="007")
    installation.run()
    assert installation.lake.read(INTERACTIONS, MONDAY)["agent_id"].to_list() == ["007"]
    assert installation.sql("select distinct agent_id from fct_interactions") == [("007",)]


@pytest.mark.parametrize("column", ["text", "evidence", "word"])
def test_no_card_number_reaches_the_lake(installation, column):
    installation.deliver_calls(MONDAY, 1)
    rows = [{"interaction_id": "call-02-0", "party": "customer", "text": "My card is 4111 1111 1111 1111.", "start_s": 1, "end_s": 5}]  # fmt: skip
    installation.deliver("transcripts-z.csv", rows)
    installation.run()
    for table in all_tables().values():
        if column in table.schema:
            frame = installation.lake.read(table, MONDAY if table.daily else None)
            held = frame.filter(pl.col(column).str.replace_all(r"\D", "").str.contains("4111111111111111"))
            assert held.is_empty(), table.name
