"""Notices of runs: real runs of small assets, sent to a real HTTP server."""

import json
import threading
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer

import dagster as dg
import pytest

from pipelines.alerts.notices import log_path
from pipelines.automation.jobs import range_tags
from pipelines.automation.notifications import failed_runs, new_warnings
from pipelines.quality.ledger import read_lines
from pipelines.resources.lake import LakeResource
from pipelines.resources.notifier import Notifier
from pipelines.settings import Settings


@pytest.fixture
def receiver():
    """A server on this machine that keeps what it is sent: its address, and the list."""
    got = []

    class Receive(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Receive)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", got
    server.shutdown()


def run_of(instance, *, error: str = "", warnings: tuple[str, ...] = (), blocked: bool = False):
    """A run of one asset with checks, as the daily job makes them."""
    checks = [dg.AssetCheckSpec("facts", asset="turns", blocking=True)]
    checks += [dg.AssetCheckSpec(name, asset="turns") for name in warnings]

    @dg.asset(check_specs=checks)
    def turns():
        yield dg.AssetCheckResult(check_name="facts", passed=not blocked, metadata={"failing_rows": 3})
        for name in warnings:
            severity = dg.AssetCheckSeverity.WARN
            yield dg.AssetCheckResult(check_name=name, passed=False, severity=severity, metadata={"failing_rows": 2})
        if error:
            raise dg.Failure(error)
        yield dg.MaterializeResult()

    job = dg.Definitions([turns], jobs=[dg.define_asset_job("daily", tags=_TAGS)]).resolve_job_def("daily")
    return job.execute_in_process(instance=instance, raise_on_error=False)


_TAGS = range_tags(date(2026, 3, 2), date(2026, 3, 4))


def tell(sensor, instance, result, tmp_path, **channels):
    event = result.get_run_success_event() if result.success else result.get_run_failure_event()
    context = dg.build_run_status_sensor_context(
        sensor_name=sensor.name,
        dagster_instance=instance,
        dagster_run=result.dagster_run,
        dagster_event=event,
    )
    if sensor is failed_runs:
        context = context.for_run_failure()
    resources = {
        "lake": LakeResource(root=str(tmp_path / "lake")),
        "notifier": Notifier(Settings(data=tmp_path, **channels)),
    }
    return sensor(context, **resources)


def test_a_failed_run_is_told_with_its_days_its_step_and_its_error(tmp_path, receiver):
    url, got = receiver
    instance = dg.DagsterInstance.ephemeral()
    tell(failed_runs, instance, run_of(instance, error="the share is away"), tmp_path, webhook=url)
    (sent,) = got
    assert sent["subject"] == "IQS: the run of 2026-03-02 to 2026-03-04 failed"
    assert "turns: " in sent["text"]
    assert "the share is away" in sent["text"]
    (row,) = read_lines(log_path(tmp_path / "lake"))
    assert row["channels"] == {"webhook": "204 No Content"}


def test_a_blocking_check_is_told_by_its_name_and_rows(tmp_path, receiver):
    url, got = receiver
    instance = dg.DagsterInstance.ephemeral()
    tell(failed_runs, instance, run_of(instance, blocked=True, error="refused"), tmp_path, slack_webhook=url)
    assert "turns: facts failed on 3 rows" in got[0]["text"]


def test_warnings_are_told_once_and_again_when_they_change_or_come_back(tmp_path, receiver):
    url, got = receiver
    instance = dg.DagsterInstance.ephemeral()
    for warnings in (("a",), ("a",), ("a", "b"), (), (), ("a", "b")):
        tell(new_warnings, instance, run_of(instance, warnings=warnings), tmp_path, webhook=url)
    assert [s["subject"] for s in got] == [
        "IQS: 1 warnings, run of 2026-03-02 to 2026-03-04",
        "IQS: 2 warnings, run of 2026-03-02 to 2026-03-04",
        "IQS: no warnings",
        "IQS: 2 warnings, run of 2026-03-02 to 2026-03-04",
    ]
    assert "turns: a: 2 rows" in got[0]["text"]


def test_without_a_channel_the_notice_is_written_down_all_the_same(tmp_path):
    instance = dg.DagsterInstance.ephemeral()
    tell(failed_runs, instance, run_of(instance, error="the disk is full"), tmp_path)
    (row,) = read_lines(log_path(tmp_path / "lake"))
    assert (row["kind"], row["channels"]) == ("failure", {})
    assert "the disk is full" in row["text"]


def test_a_receiver_that_is_away_does_not_make_the_sensor_fail(tmp_path, monkeypatch):
    instance = dg.DagsterInstance.ephemeral()
    monkeypatch.setattr("pipelines.outbound.time.sleep", lambda _: None)
    tell(failed_runs, instance, run_of(instance, error="x"), tmp_path, webhook="http://127.0.0.1:9/")
    (row,) = read_lines(log_path(tmp_path / "lake"))
    assert "refused" in row["channels"]["webhook"].lower()
