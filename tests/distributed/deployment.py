"""An installation with Celery workers on this machine: real Redis, Postgres, workers and runs, each a process."""

from __future__ import annotations

import contextlib
import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from pipelines.automation.executors import DEPLOY
from tests.distributed.servers import postgres_server, redis_server

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLE = REPOSITORY / "data" / "sample" / "landing"
FIRST_DAY = date(2026, 3, 2)
ALL_QUEUES = ("cpu", "gpu", "warehouse")


def deliver_sound(landing: Path, *, recordings: int, length_s: float, days: int = 2) -> None:
    """Rows and recordings of calls: pieces of the sample's two-channel calls, `recordings` on each day."""
    import soundfile

    sources = sorted(p for p in (SAMPLE / "recordings").rglob("C-*") if p.suffix in (".ogg", ".mp3", ".wav"))
    pieces = []
    for path in sources:
        with contextlib.suppress(soundfile.LibsndfileError):  # the sample has a few damaged ones on purpose
            sound, rate_hz = soundfile.read(path, dtype="int16", always_2d=True)
            step = round(length_s * rate_hz)
            if sound.shape[1] == 2:
                pieces += [(sound[i : i + step], rate_hz) for i in range(0, len(sound) - step, step)]
    if len(pieces) < recordings * days:
        raise ValueError(f"the sample has {len(pieces)} pieces of {length_s} s, {recordings * days} are asked for")
    (landing / "recordings").mkdir(parents=True, exist_ok=True)
    rows = []
    for number, (sound, rate_hz) in enumerate(pieces[: recordings * days]):
        name = f"sound-{number:03}"
        soundfile.write(landing / "recordings" / f"{name}.wav", sound, rate_hz)
        row = {"interaction_id": name, "channel": "call", "agent_id": "007", "campaign": "billing", "language": "en-US"}
        day = FIRST_DAY + timedelta(days=number % days)
        rows.append(row | {"started_at": f"{day}T12:00:00Z", "recording": f"recordings/{name}.wav", "agent_channel": 0})
    with (landing / "interactions-sound.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@dataclass
class Worker:
    """A Celery worker with its child processes."""

    name: str
    log: Path
    process: subprocess.Popen

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def kill(self) -> None:
        """SIGKILL to all its processes at once, as a machine that loses its power."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """End it as a service manager does: it finishes what it has in hand, or is killed after 20 s."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(20)
        self.kill()


@dataclass
class Deployment:
    """A data root whose runs are done by workers."""

    data: Path
    environment: dict[str, str]
    folder: Path
    workers: list[Worker] = field(default_factory=list)

    def worker(self, name: str, *queues: str, **environment: str) -> Worker:
        """Start a worker of one process on the queues, as docs/scaling.md says."""
        log = self.folder / f"{name}.log"
        # All in one option: of several only the last is heard.
        named = ",".join(queues or ALL_QUEUES)
        command = ["dagster-celery", "worker", "start", "-A", "dagster_celery.app", "-n", name, "-q", named]
        command += ["-y", self.environment["IQS_EXECUTOR_CONFIG"], "--", "--concurrency=1"]
        with log.open("wb") as out:
            process = subprocess.Popen(
                command,
                stdout=out,
                stderr=out,
                cwd=REPOSITORY,
                env=self.environment | environment,
                start_new_session=True,
            )
        worker = Worker(name, log, process)
        self.workers.append(worker)
        wait_for(lambda: "ready." in worker.said, 90, worker.process)
        return worker

    def hand_on_after(self, visibility_timeout_s: float) -> None:
        """Of the shipped configuration only this is changed: when Redis hands on what a dead machine had in hand."""
        config = yaml.safe_load((DEPLOY / "celery.yaml").read_text())
        transport = config["execution"]["config"]["config_source"]["broker_transport_options"]
        transport["visibility_timeout"] = visibility_timeout_s
        Path(self.environment["IQS_EXECUTOR_CONFIG"]).write_text(yaml.safe_dump(config))

    def start(self, *arguments: str) -> subprocess.Popen:
        """`iqs run` under way."""
        self.log = self.folder / "run.log"
        command = [sys.executable, "-c", "from pipelines.cli import main; main()", *(arguments or ("run",))]
        with self.log.open("wb") as out:
            return subprocess.Popen(command, stdout=out, stderr=out, cwd=REPOSITORY, env=self.environment)

    def run(self, *arguments: str, timeout_s: float = 900) -> tuple[int, str]:
        """`iqs run` to its end: exit code and what it said."""
        process = self.start(*arguments)
        code = process.wait(timeout_s)
        return code, self.log.read_text(errors="replace")


def step_times(environment: dict[str, str]) -> Iterator[tuple[str, float, float]]:
    """Step, begin and end (s) of every step of the last run, as Dagster's storage has them."""
    import dagster as dg

    os.environ |= {"DAGSTER_POSTGRES_URL": environment["DAGSTER_POSTGRES_URL"]}
    with dg.DagsterInstance.from_config(environment["DAGSTER_HOME"]) as storage:
        run = storage.get_runs(limit=1)[0]
        for stats in storage.get_run_step_stats(run.run_id):
            yield stats.step_key, stats.start_time, stats.end_time


def wait_for(what, timeout_s: float, process: subprocess.Popen | None = None) -> None:
    """Until `what()` is true; AssertionError after `timeout_s`, or where the process ended before."""
    deadline = time.monotonic() + timeout_s
    while not what():
        assert process is None or process.poll() is None, "the process ended before"
        assert time.monotonic() < deadline, f"waited {timeout_s:g} s in vain"
        time.sleep(0.05)


@contextmanager
def deployment(folder: Path, **more: str) -> Iterator[Deployment]:
    """Redis, Postgres and an empty data root in `folder`; workers that are left are killed at the end."""
    for module in ("celery", "dagster_celery", "dagster_postgres", "redis"):
        if find_spec(module) is None:
            pytest.skip(f"the package {module} is missing (pip install 'iqs[distributed]')")
    data = folder / "data"
    (data / "landing").mkdir(parents=True)
    with ExitStack() as stack:
        broker = stack.enter_context(redis_server(folder))
        storage = stack.enter_context(postgres_server(folder))
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("IQS_")}
        programs = [str(Path(sys.executable).parent), inherited.get("PATH", "")]
        environment = inherited | {
            "PATH": os.pathsep.join(programs),
            "IQS_DATA": str(data),
            "IQS_PSEUDONYM_KEY": "of the tests",
            "IQS_WORKERS": "1",
            "OMP_NUM_THREADS": "1",
            "HF_HUB_OFFLINE": "1",
            "IQS_EXECUTOR": "celery",
            "IQS_EXECUTOR_CONFIG": str(folder / "celery.yaml"),
            "IQS_DAGSTER_YAML": str(DEPLOY / "dagster-postgres.yaml"),
            "DAGSTER_HOME": str(data / "dagster"),
            "CELERY_BROKER_URL": broker,
            "DAGSTER_POSTGRES_URL": storage,
            "PYTHONPATH": str(REPOSITORY),
        }
        (data / "dagster").mkdir()
        (data / "dagster" / "dagster.yaml").write_text((DEPLOY / "dagster-postgres.yaml").read_text())
        made = Deployment(data, environment | more, folder)
        made.hand_on_after(1800)
        try:
            yield made
        finally:
            for worker in made.workers:
                worker.stop()
