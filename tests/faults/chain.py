"""The whole chain, small: a landing folder of chats and ready-made transcripts, runs in processes of their own that can
be killed at a named step, and an ordered dump of everything that readers see.

Runs are forks of one process that has the imports behind it (`Runner`): a run costs a third of `iqs run` in a fresh
interpreter, and does the same, `pipelines.cli.main()` and all. Steps are named where the code passes them (`STEPS`).
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import duckdb

FIRST_DAY = date(2026, 3, 2)
REPOSITORY = Path(__file__).resolve().parents[2]

CALL = (
    ("agent", "Thank you for calling support, my name is Ann, how can I help you today?"),
    ("customer", "Hi, I was charged twice on my bill and I am really angry about it."),
    ("agent", "I am so sorry about that, I understand how frustrating this is. Let me check your account."),
    ("agent", "I have refunded the second charge for you. Is there anything else I can do?"),
    ("customer", "No, that's great, thank you so much for your help."),
    ("agent", "You're welcome, have a nice day."),
)
CHAT = (
    ("customer", "Where is my order? It is late and I am upset."),
    ("agent", "I am sorry to hear that. Let me check."),
    ("agent", "It arrives tomorrow. Is there anything else?"),
    ("customer", "No. Thank you!"),
)
# What tells of runs and not of calls: how often something was checked or published is not part of the result.
_OF_RUNS = {"ops_dq_results", "ops_publications", "ops_freshness"}
_COLUMNS_OF_RUNS = ("publish_id", "first_seen")
BALLAST = "ballast"
DONE = (0, 3)  # exit codes; 3: there are rows in quarantine, on purpose
AGAIN = ("run", "--from", "2026-03-02", "--to", "2026-03-03")


def deliver(landing: Path, *, days: int = 3, calls: int = 2, first: date = FIRST_DAY) -> None:
    """A landing folder: on each day `calls` calls and one chat, a bad row; and surveys, tickets, agents, reviews."""
    interactions, transcripts, messages, surveys, tickets, reviews = [], [], [], [], [], []
    for number in range(days):
        day = first + timedelta(days=number)
        for i in range(calls):
            call = {"interaction_id": f"call-{number}-{i}", "channel": "call", "started_at": f"{day}T09:0{i}:00Z"}
            call |= {"agent_id": f"00{i % 2 + 7}", "campaign": "billing", "call_type": "support"}
            call |= {"customer_id": f"customer-{number}-{i}", "ticket_id": f"ticket-{number}-{i}"}
            interactions.append(call)
            name = call["interaction_id"]
            transcripts += [
                {"interaction_id": name, "party": p, "text": t, "start_s": 7 * n, "end_s": 7 * n + 6 + 2 * (n == i)}
                for n, (p, t) in enumerate(CALL)
            ]
            surveys.append({"interaction_id": name, "csat": 3 + i % 3, "nps": 7 + i % 3})
            tickets.append(
                {"ticket_id": call["ticket_id"], "interaction_id": name, "status": "open", "opened_at": f"{day}T10:00Z"}
            )
            reviews += [
                {"session_id": f"s{number}", "interaction_id": name, "reviewer_id": r, "parameter": "empathy"}
                | {"rating": 60 + 10 * i + 5 * n, "rated_at": f"{day}T18:00:00Z"}
                for n, r in enumerate(("rita", "sam"))
            ]
        chat = {"channel": "chat", "agent_id": "009", "campaign": "sales", "started_at": f"{day}T11:00:00Z"}
        interactions += [{"interaction_id": f"chat-{number}"} | chat, {"interaction_id": f"odd-{number}"} | chat]
        interactions[-1]["channel"] = "fax"
        messages += [
            {"interaction_id": f"chat-{number}", "seq": n, "party": p, "text": t, "sent_at": f"{day}T11:0{n}:00Z"}
            for n, (p, t) in enumerate(CHAT)
        ]
    agents = [{"agent_id": f"00{n}", "name": f"Agent {n}", "team": "north"} for n in (7, 8, 9)]
    landing.mkdir(parents=True, exist_ok=True)
    tables = {"interactions": interactions, "transcripts": transcripts, "messages": messages, "surveys": surveys}
    for kind, rows in (tables | {"tickets": tickets, "reviews": reviews, "agents": agents}).items():
        with (landing / f"{kind}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(dict.fromkeys(k for row in rows for k in row)))
            writer.writeheader()
            writer.writerows(rows)


def new_root(data: Path, *, like: Path | None = None, days: int = 2, calls: int = 2) -> Path:
    """A data root with its landing folder; returns `data`.

    From the root `like` it takes over dbt's parsed project and the publications, so that readers have something to read
    from the beginning.
    """
    deliver(data / "landing", days=days, calls=calls)
    if like:
        shutil.copytree(like / "published", data / "published", symlinks=True)
        shutil.copytree(like / "warehouse" / "dbt", data / "warehouse" / "dbt")
        (data / "warehouse" / "dbt" / "project.txt").unlink(missing_ok=True)
    return data


def forget_all_but_the_publications(data: Path) -> None:
    """Lake and warehouse are gone: the next run makes everything again from the landing folder."""
    for folder in ("lake", "warehouse"):
        for path in (data / folder).iterdir():
            if path.name != "dbt":
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def unfinished_runs(data: Path) -> list[str]:
    """Status of the runs in Dagster's storage that are neither a success nor a failure."""
    with sqlite3.connect(data / "dagster" / "history" / "runs.db") as connection:
        found = connection.execute("select status from runs where status not in ('SUCCESS', 'FAILURE')").fetchall()
    return [status for (status,) in found]


def torn_files(data: Path) -> list[Path]:
    """Parquet files of the lake that can't be read though their name is not a temporary one."""
    import pyarrow.parquet as pq

    torn = []
    for path in (data / "lake").rglob("*.parquet"):
        if ".staging" not in path.parts and not path.name.startswith("."):
            try:
                pq.read_table(path)
            except Exception:
                torn.append(path)
    return torn


class Reading:
    """A reader beside the runs: opens the current publication again and again, and counts what goes wrong."""

    def __init__(self, data: Path):
        self.published = data / "published"
        self.reads, self.generations, self.errors = 0, set(), []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Reading:
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        self._thread.join()

    def _read(self) -> None:
        while not self._stop.wait(0.5):  # each read costs 50 ms of CPU
            if not (self.published / "current").exists():
                continue
            try:
                with duckdb.connect(str(self.published / "current" / "iqs.duckdb"), read_only=True) as connection:
                    found = connection.execute(
                        "select distinct publish_id from fct_interactions union "
                        "select distinct publish_id from trend_iqs union select distinct publish_id from ops_ledger"
                    ).fetchall()
                if len(found) != 1:
                    self.errors.append(f"{len(found)} generations in one publication")
                self.generations |= set(found)
            except Exception as error:
                self.errors.append(f"{type(error).__name__}: {error}"[:300])
            self.reads += 1


def dump(data: Path) -> dict[str, list[str]]:
    """Every public table of the current publication, its rows in order, less what tells of runs and publications."""
    found = {}
    with duckdb.connect(str(data / "published" / "current" / "iqs.duckdb"), read_only=True) as connection:
        for (name,) in connection.execute("select table_name from duckdb_tables() order by 1").fetchall():
            if name in _OF_RUNS:
                continue
            rows = connection.execute(f"select columns(c -> c not in {_COLUMNS_OF_RUNS}) from {name} order by all")
            found[name] = [repr(row) for row in rows.fetchall()]
    return found


def fill(ballast: Path) -> None:
    """Fill the disk that the file `ballast` is on to the last byte."""
    with ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        for size in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"\0" * size)


def differing(one: dict[str, list[str]], other: dict[str, list[str]]) -> list[str]:
    """Names of the tables that differ; empty where the two dumps are equal."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def rows_in(dumped: dict[str, list[str]]) -> int:
    """Rows in all tables of a dump."""
    return sum(map(len, dumped.values()))


def report(record_property, injected, before, after, errors):
    """What `python -m tests.faults` prints of this test."""
    record_property("injected", injected)
    record_property("rows_before", rows_in(before))
    record_property("rows_after", rows_in(after))
    record_property("readers_errors", len(errors))


@dataclass(frozen=True)
class Ran:
    """How a run ended: `code` is its exit code, negative for a signal; `said` what it printed; `steps` it passed."""

    code: int
    said: str
    steps: tuple[str, ...]

    @property
    def killed(self) -> bool:
        return self.code == -signal.SIGKILL


@dataclass
class Runner:
    """Starts runs: `iqs run` in forks of a process that has imported everything. Close it, or use it with `with`."""

    environment: dict[str, str] = field(default_factory=dict)
    _process: subprocess.Popen | None = None
    _logs: tempfile.TemporaryDirectory | None = None

    def __enter__(self) -> Runner:
        self._logs = tempfile.TemporaryDirectory(prefix="runs-")  # not on the data root, whose disk may be full
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("IQS_")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.chain"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
            env=inherited | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"} | self.environment,
        )
        return self

    def __exit__(self, *_) -> None:
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._logs.cleanup()

    def start(self, data: Path, arguments: tuple[str, ...] = ("run",), **how: object) -> Started:
        """A run of `iqs <arguments>` on the data root `data`; `how`: die_at, fill_at (steps), threads, environment."""
        log = Path(self._logs.name) / f"run-{random.randbytes(4).hex()}.log"
        data.mkdir(parents=True, exist_ok=True)
        order = {"data": str(data), "arguments": arguments, "log": str(log), **how}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("the runner has died; its own errors are above")
        return Started(json.loads(answer)["pid"], log)

    def run(self, data: Path, arguments: tuple[str, ...] = ("run",), *, timeout_s: float = 1800, **how: object) -> Ran:
        """The same, until it ends; killed after `timeout_s`."""
        return self.start(data, arguments, **how).wait(timeout_s)


@dataclass
class Started:
    """A run under way."""

    pid: int
    log: Path

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def ended(self) -> bool:
        return self.log.with_suffix(".code").exists()

    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def wait(self, timeout_s: float = 1800) -> Ran:
        """Wait for its end; AssertionError, and it is killed, where that takes longer than `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        while not self.ended():
            if time.monotonic() > deadline:
                self.kill()
                raise AssertionError(f"the run did not end within {timeout_s:g} s:\n{self.said()[-3000:]}")
            time.sleep(0.02)
        code = int(self.log.with_suffix(".code").read_text())
        steps = self.log.with_suffix(".steps")
        passed = tuple(steps.read_text().split("\n")[:-1]) if steps.exists() else ()
        return Ran(code, self.said(), passed)


# --- the process that runs are forked from
def _serve() -> None:
    """Answer orders on standard input, one JSON object a line, each with a fork that runs it."""
    _import_what_a_run_imports()
    children: dict[int, Path] = {}
    threading.Thread(target=_reap, args=(children,), daemon=True).start()
    for line in sys.stdin:
        order = json.loads(line)
        with _forking:
            pid = os.fork()
            if pid == 0:
                _run(order)
            children[pid] = Path(order["log"]).with_suffix(".code")
        print(json.dumps({"pid": pid}), flush=True)


_forking = threading.Lock()


def _reap(children: dict[int, Path]) -> None:
    """Write down how each fork ended, under a temporary name first: who waits sees a whole file."""
    while True:
        time.sleep(0.02)
        with _forking:
            for pid, path in list(children.items()):
                ended, status = os.waitpid(pid, os.WNOHANG)
                if ended:
                    del children[pid]
                    temporary = path.with_suffix(".tmp")
                    temporary.write_text(str(os.waitstatus_to_exitcode(status)))
                    os.replace(temporary, path)


def _import_what_a_run_imports() -> None:
    import dbt.adapters.duckdb.impl
    import dbt.cli.main  # noqa: F401
    import great_expectations  # noqa: F401

    import pipelines.definitions  # noqa: F401


def _run(order: dict) -> None:
    """In the fork: be `iqs <arguments>`, and leave by its exit code."""
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    data = Path(order["data"])
    # Without a key each data root would make its own: customers would not be comparable.
    fixed = {"IQS_DATA": str(data), "IQS_WORKERS": "1", "IQS_PSEUDONYM_KEY": "of the tests"}
    os.environ |= fixed | order.get("environment", {})
    if order.get("threads"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: order["threads"]])
    _name_the_steps(Path(order["log"]).with_suffix(".steps"), order)
    from pipelines.cli import main

    sys.argv = ["iqs", *order["arguments"]]
    code = 1
    try:
        main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _name_the_steps(passed: Path, order: dict) -> None:
    """Call `at(name)` where the code passes a step: the name is written down, and what was ordered for it happens.

    That is: the process is killed (`die_at`), or the disk is filled to the last byte (`fill_at`). The names are put
    around the functions that do the step, in this process only; the functions are the real ones.
    """
    import polars as pl

    import assets.publication
    import assets.warehouse
    import pipelines.lake
    import pipelines.quality.ledger as ledger
    import pipelines.resources.stage as stage_module
    from pipelines.lake import Lake
    from pipelines.warehouse import BuildState, Warehouse

    die_at, fill_at = order.get("die_at", ""), order.get("fill_at", "")
    steps = os.open(passed, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    written: set[str] = set()

    def at(name: str) -> None:
        if name not in written:
            written.add(name)
            os.write(steps, f"{name}\n".encode())
            if name == fill_at:
                fill(Path(order["data"]) / BALLAST)
        if name == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    stage, promote, write_text = Lake.stage, Lake.promote, pipelines.lake.write_text
    write_parquet, append_lines, record = pl.DataFrame.write_parquet, ledger.append_lines, stage_module.record
    invoke, write_state = Warehouse._invoke, BuildState.write
    publish, mark_published = assets.publication.publish, assets.publication.mark_published

    def torn_parquet(frame, file, **more):
        result = write_parquet(frame, file, **more)
        if die_at == "torn parquet" and frame.height and ".staging" in str(file):
            os.truncate(file, os.path.getsize(file) // 2)
            at("torn parquet")
        return result

    def staged(self, table, *rest, **more):
        result = stage(self, table, *rest, **more)
        at(f"staged {table.stage}")
        return result

    def promoted(self, table, partition):
        def manifest(path, text):
            at(f"renamed {table.stage}")
            write_text(path, text)

        pipelines.lake.write_text = manifest
        try:
            result = promote(self, table, partition)
        finally:
            pipelines.lake.write_text = write_text
        at(f"promoted {table.stage}")
        return result

    def appended(path, rows):
        if die_at == "torn ledger" and len(rows) > 1:
            with path.open("ab") as file:
                file.write(json.dumps(rows[0]).encode()[:-9])
            at("torn ledger")
        return append_lines(path, rows)

    def recorded(root, run_id, outcomes):
        outcomes = list(outcomes)
        result = record(root, run_id, outcomes)
        if outcomes:
            at(f"recorded {outcomes[0].stage}")
        return result

    def invoked(self, arguments, *rest):
        if arguments[0] != "build":
            return invoke(self, arguments, *rest)
        at("dbt begun")
        count = [0]
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager as Manager

        execute = Manager.add_query

        def counted(*arguments, **more):
            count[0] += 1
            if count[0] % 40 == 0:
                at(f"dbt statement {count[0]}")
            return execute(*arguments, **more)

        Manager.add_query = counted
        try:
            result = invoke(self, arguments, *rest)
        finally:
            Manager.add_query = execute
        at("dbt ended")
        return result

    def state_written(self, path):
        write_state(self, path)
        at(f"build state {self.status}")

    def published(*arguments, **more):
        return publish(*arguments, on_step=lambda name: at(f"publish {name}"), **more)

    def marked(*arguments):
        mark_published(*arguments)
        at("days marked")

    pl.DataFrame.write_parquet, ledger.append_lines, stage_module.record = torn_parquet, appended, recorded
    Lake.stage, Lake.promote = staged, promoted
    Warehouse._invoke, BuildState.write = invoked, state_written
    assets.publication.publish, assets.publication.mark_published = published, marked


if __name__ == "__main__":
    _serve()
