"""Runs on Celery workers: the tables of one process; a worker that dies loses nothing and doubles nothing."""

import re
import shutil
from dataclasses import replace
from uuid import uuid4

import pytest

from tests.distributed.deployment import FIRST_DAY, deliver_sound, deployment, wait_for
from tests.faults.chain import DONE, Runner, deliver, differing, dump, forget_all_but_the_publications

pytestmark = pytest.mark.promise

RECORDINGS = 4
DAY = ("run", "--date", FIRST_DAY.isoformat())
PARTS = f".parts/transcripts/recognitions/{FIRST_DAY}/*.parquet"


@pytest.fixture(scope="module")
def landing(tmp_path_factory):
    folder = tmp_path_factory.mktemp("delivered")
    deliver(folder, days=1, calls=1)
    deliver_sound(folder, recordings=RECORDINGS, length_s=8.0, days=1)
    return folder


@pytest.fixture(scope="module")
def expected(landing, tmp_path_factory):
    """What one process makes of it."""
    data = tmp_path_factory.mktemp("one-process")
    shutil.copytree(landing, data / "landing")
    with Runner() as runner:
        ran = runner.run(data)
    assert ran.code in DONE, ran.said
    return dump(data)


@pytest.fixture(scope="module")
def cluster(landing, tmp_path_factory):
    """Redis, Postgres and a data root; two batches of recordings; each test starts its own workers."""
    with deployment(tmp_path_factory.mktemp("cluster"), IQS_BATCH_AUDIO_S="16") as made:
        shutil.copytree(landing, made.data / "landing", dirs_exist_ok=True)
        yield made


@pytest.fixture(autouse=True)
def no_worker_outlives_its_test(cluster):
    yield
    for worker in cluster.workers:
        worker.stop()


def test_two_workers_make_the_tables_of_one_process(cluster, expected):
    one, two = cluster.worker("one", "cpu", "warehouse", "gpu"), cluster.worker("two", "cpu", "gpu")
    code, said = cluster.run()
    assert code in DONE, said
    assert differing(dump(cluster.data), expected) == []
    assert "succeeded" in one.said
    assert "succeeded" in two.said
    assert not list((cluster.data / "lake").glob(".parts/*/*/*/*"))


def test_a_worker_killed_in_the_middle_of_a_batch_loses_and_doubles_nothing(cluster, expected):
    forget_all_but_the_publications(cluster.data)
    cluster.environment["IQS_BATCH_AUDIO_S"] = "3600"  # a day is one batch
    cluster.hand_on_after(30)
    cluster.worker("rest", "cpu", "warehouse")
    victim = cluster.worker("victim", "gpu")
    run = cluster.start(*DAY)
    finished = lambda: set((cluster.data / "lake").glob(PARTS))  # noqa: E731
    wait_for(finished, 600, run)
    victim.kill()
    kept = finished()
    assert 0 < len(kept) < RECORDINGS, "it was not killed in the middle"
    heir = cluster.worker("heir", "gpu")
    code = run.wait(900)
    assert code in DONE, cluster.log.read_text()
    assert differing(dump(cluster.data), expected) == []
    # What the dead worker had finished is not recognised again.
    totals = re.findall(rf"{FIRST_DAY}: \d+ of (\d+) recordings recognised", heir.said)
    assert set(totals) == {str(RECORDINGS - len(kept))}


def test_a_worker_that_shares_only_a_bucket_and_the_recordings_does_its_part(cluster, landing, expected, s3, tmp_path):
    home, away = tmp_path / "home", tmp_path / "away"
    home.mkdir()
    in_s3 = s3 | {
        "IQS_DATA": f"s3://iqs/{uuid4().hex}",
        "IQS_LANDING": str(landing),
        "IQS_BATCH_AUDIO_S": "16",
    }
    environment = cluster.environment | in_s3 | {"IQS_LOCAL": str(home)}
    machines = replace(cluster, data=home, environment=environment)
    machines.worker("at-home", "cpu", "warehouse")
    worker = machines.worker("away", "gpu", IQS_LOCAL=str(away))
    code, said = machines.run()
    assert code in DONE, said
    assert differing(dump(home), expected) == []
    assert f"{FIRST_DAY}: 2 of 2 recordings recognised" in worker.said
    assert not (away / "published").exists()
    assert not (away / "warehouse" / "warehouse.duckdb").exists()
