"""What is never visible: anything unchecked."""

import dagster as dg

from pipelines.automation.launch import instance
from pipelines.contracts.metrics import INTERACTION_METRICS
from pipelines.definitions import build
from pipelines.quality.ledger import latest
from tests.assets.conftest import MONDAY, published


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
