"""The event log: what Dagster's own writes, in the same files, whole or not at all."""

from collections import Counter

import dagster as dg
import pytest
from dagster._core.events import DagsterEvent, DagsterEventType
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import SqliteEventLogStorage

from pipelines.automation.event_log import BATCH, EventLog, configured

DAYS = dg.DailyPartitionsDefinition("2026-03-02", end_date="2026-03-12")
MEASURED = dg.AssetKey("measured")


@dg.asset(partitions_def=DAYS, backfill_policy=dg.BackfillPolicy.single_run())
def measured(context: dg.AssetExecutionContext):
    return dg.MaterializeResult(metadata={"dagster/row_count": len(context.partition_keys)})


@dg.asset(deps=[measured], check_specs=[dg.AssetCheckSpec("holds", asset="scored")])
def scored():
    return dg.MaterializeResult(check_results=[dg.AssetCheckResult(passed=True, check_name="holds")])


def instance_with(storage: SqliteEventLogStorage):
    instance = dg.DagsterInstance.ephemeral()
    instance._event_storage = storage
    storage.register_instance(instance)
    return instance


def run_ten_days(storage: SqliteEventLogStorage) -> dg.DagsterInstance:
    instance = instance_with(storage)
    range_ = {"dagster/asset_partition_range_start": "2026-03-02", "dagster/asset_partition_range_end": "2026-03-11"}
    assert dg.materialize([measured, scored], instance=instance, tags=range_).success
    return instance


def seen(instance: dg.DagsterInstance) -> dict:
    """What the UI shows of the assets and of the run."""
    run = instance.get_runs()[0]
    record = instance.get_asset_records([MEASURED])[0].asset_entry
    checks = instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(dg.AssetKey("scored"), "holds"), 5
    )
    return {
        "events": Counter(e.dagster_event_type for e in instance.all_logs(run.run_id)),
        "days": sorted(instance.get_materialized_partitions(MEASURED)),
        "last": record.last_materialization.asset_materialization.metadata["dagster/row_count"].value,
        "check": [c.status for c in checks],
        "rows": len(instance.fetch_materializations(MEASURED, limit=100).records),
    }


@pytest.mark.parametrize("batch", [BATCH, {"DAGSTER_EVENT_BATCH_SIZE": "0"}], ids=["in batches", "one by one"])
def test_it_holds_what_dagsters_own_holds(tmp_path, monkeypatch, batch):
    for name, value in batch.items():
        monkeypatch.setenv(name, value)
    ours = seen(run_ten_days(EventLog(str(tmp_path / "ours"))))
    dagsters = seen(run_ten_days(SqliteEventLogStorage(str(tmp_path / "dagsters"))))
    assert ours == dagsters
    assert len(ours["days"]) == ours["rows"] == 10


def test_dagsters_own_reads_its_files(tmp_path, monkeypatch):
    monkeypatch.setenv(*next(iter(BATCH.items())))
    instance = run_ten_days(EventLog(str(tmp_path)))
    mine = seen(instance)
    storage = SqliteEventLogStorage(str(tmp_path))
    instance._event_storage = storage
    storage.register_instance(instance)
    assert seen(instance) == mine


def materialised(day: str) -> EventLogEntry:
    from dagster._core.events import StepMaterializationData

    data = StepMaterializationData(dg.AssetMaterialization("measured", partition=day))
    event = DagsterEvent(DagsterEventType.ASSET_MATERIALIZATION.value, "job", event_specific_data=data)
    return EventLogEntry(None, 10, "", "a-run", 1.7e9, dagster_event=event, job_name="job")


def test_a_batch_that_fails_leaves_nothing_and_the_next_one_is_stored(tmp_path, monkeypatch):
    log = EventLog(str(tmp_path))
    instance_with(log)
    whole = log.store_event
    fails = iter([False, True])
    monkeypatch.setattr(log, "store_event", lambda e: whole(e) if not next(fails, False) else 1 / 0)
    with pytest.raises(ZeroDivisionError):
        log.store_event_batch([materialised("2026-03-02"), materialised("2026-03-03")])
    assert log.get_logs_for_run("a-run") == []
    assert log.get_materialized_partitions(MEASURED) == set()
    log.store_event_batch([materialised("2026-03-04"), materialised("2026-03-05")])
    assert log.get_materialized_partitions(MEASURED) == {"2026-03-04", "2026-03-05"}
    assert len(log.get_logs_for_run("a-run")) == 2


def test_an_instance_has_it_where_dagster_has_its_own_and_another_storage_stays(tmp_path):
    (tmp_path / "dagster.yaml").write_text(configured("telemetry: {enabled: false}\n", tmp_path))
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert isinstance(instance.event_log_storage, EventLog)
        assert instance.event_log_storage.path_for_shard("index") == str(tmp_path / "history" / "runs" / "index.db")
        assert instance.run_storage.get_runs() == []
    own = "storage:\n  postgres: {postgres_url: {env: PG}}\n"
    assert configured(own, tmp_path) == own
