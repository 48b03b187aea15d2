"""The warehouse: dbt in this process, on the days whose lake differs from what is loaded.

The warehouse is disposable. A build that finds none, or one that can't be opened, builds all days anew.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

from pipelines.contracts import Table, all_tables, schemas
from pipelines.contracts.landing import DAYS, INTERACTIONS
from pipelines.contracts.metrics import OUTCOMES
from pipelines.lake import Lake, fingerprint, write_text
from pipelines.quality.rules_in_force import edits_of_history
from pipelines.settings import PROJECT, Settings


class BuildError(RuntimeError):
    """dbt could not run at all; the message says why and what to do."""


@dataclass(frozen=True)
class Node:
    """What became of one dbt node: a seed, model, data test or unit test."""

    unique_id: str
    name: str
    kind: str
    status: str
    seconds: float
    failures: int
    message: str
    models: tuple[str, ...] = ()
    # A data test that found something: the days and how many rows of each, where its rows have a day.
    where: str = ""

    @property
    def passed(self) -> bool:
        return self.status in ("success", "pass", "warn")


@dataclass(frozen=True)
class BuildState:
    """The last build, as `build.json` beside the warehouse keeps it: the publishing gate reads it.

    `sha256` is that of the warehouse's file when the build had ended, `stamp` its size and time.
    """

    status: str
    finished_at: str
    failed: tuple[str, ...] = ()
    days: dict[str, str] = field(default_factory=dict)
    project: str = ""
    sha256: str = ""
    stamp: str = ""

    @classmethod
    def read(cls, warehouse: Path) -> BuildState:
        try:
            return cls(**json.loads((warehouse.parent / "build.json").read_text()))
        except (OSError, ValueError, TypeError):
            return cls("none", "")

    def write(self, warehouse: Path) -> None:
        write_text(warehouse.parent / "build.json", json.dumps(asdict(self), indent=1))


@dataclass(frozen=True)
class Warehouse:
    """The DuckDB file at `path`, built by the dbt project in `project` from the lake.

    `memory` is the most that DuckDB may take, as it reads it (4GB); beyond that it spills to a folder beside the file.
    Empty: 8 GB, or 80 % of the machine's, if that is less. Not all can be spilled (medians, lists): days of more than
    `batch` interactions are built in batches, one after the other.
    """

    path: Path
    lake: Lake
    project: Path
    threads: int = 4
    memory: str = ""
    batch: int = 200_000

    @classmethod
    def of(cls, settings: Settings) -> Warehouse:
        """The warehouse of an installation."""
        project = PROJECT / "dbt_project"
        return cls(settings.warehouse, Lake(settings.lake), project, settings.dbt_threads, settings.warehouse_memory)

    @property
    def target(self) -> Path:
        return self.path.parent / "dbt"

    def day_fingerprints(self) -> dict[str, str]:
        """What each day of the lake holds, by ISO date: all its partitions, and what came in for it."""
        keys = dict(self.lake.read(DAYS).select("call_date", "day_key").iter_rows())
        tables = [t for t in all_tables().values() if t.daily]
        folders = (self.lake.root / INTERACTIONS.name).glob("date=*")
        with self.known_partitions() as print_of:
            return {
                day.isoformat(): fingerprint(keys.get(day), *(print_of(t, day) for t in tables))
                for day in sorted(date.fromisoformat(f.name.removeprefix("date=")) for f in folders if f.is_dir())
                if print_of(INTERACTIONS, day) and print_of(OUTCOMES, day)
            }

    def known_partitions(self) -> AbstractContextManager[Callable[[Table, date], str | None]]:
        """Fingerprint of a daily partition, None where there is none to be trusted."""
        return _known_partitions(self.lake, self.path.parent / "partitions.json")

    def prepare(self) -> Path:
        """The dbt manifest, parsed anew only where the project or the lake's place changed; returns its path.

        It is a copy that is replaced at once: dbt writes its own again in each build, while others read. One process
        at a time.
        """
        manifest, stamp = self.target / "parsed.json", self.target / "project.txt"
        current = fingerprint(self.project_fingerprint(), self.lake.root, self.path)
        if not (manifest.exists() and stamp.exists() and stamp.read_text() == current):
            self._invoke(["parse"])
            write_text(manifest, (self.target / "manifest.json").read_text())
            write_text(stamp, current)
        return manifest

    def project_fingerprint(self) -> str:
        files = sorted(
            p
            for p in self.project.rglob("*")
            if p.suffix in (".sql", ".yml", ".yaml", ".csv") and "target" not in p.parts
        )
        return fingerprint(*(f"{p.relative_to(self.project)} {hash_file(p)}" for p in files))

    def build(self, *, select: Iterable[str] = ()) -> list[Node]:
        """Seeds, models and tests, for the days that differ from what is loaded; `select` narrows it to models.

        Returns what became of each node. Raises BuildError where dbt could not run, and before anything is written
        where rules were edited that have scored something.
        """
        if edits := edits_of_history(self.project / "seeds", self.lake.root):
            raise BuildError("The rules in dbt_project/seeds are refused:\n- " + "\n- ".join(edits))
        before, lake_days = BuildState.read(self.path), self.day_fingerprints()
        project = self.project_fingerprint()
        whole = before.project != project or before.status == "none" or not self.is_sound(before)
        stale = sorted(set(lake_days.items()) - set(before.days.items()))
        gone = set(before.days) - set(lake_days)
        anew = bool(whole or gone)
        days = sorted(lake_days) if anew else [day for day, _ in stale]
        if not (anew or days) and before.status == "success" and not select:
            return []
        if anew:
            self.path.unlink(missing_ok=True)
            self.path.with_suffix(".duckdb.wal").unlink(missing_ok=True)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        # While it runs, and if it dies, the state says failed: nothing is published from half a build.
        BuildState("failed", now, ("the build was interrupted",), {} if whole else before.days).write(self.path)
        nodes = list(self._build_days(days, anew, ["--select", *select] if select else ["--selector", "daily"]))
        failed = tuple(n.name for n in nodes if not n.passed)
        if failed and whole:
            # Some models may never have been made: the next build makes all of them.
            project = ""
        loaded = before.days if failed or select else lake_days
        built = hash_file(self.path) if self.path.exists() else ""
        stamp = file_stamp(self.path) if built else ""
        BuildState("failed" if failed else "success", now, failed, loaded, project, built, stamp).write(self.path)
        return nodes

    def _build_days(self, days: list[str], anew: bool, selected: list[str]) -> Collection[Node]:
        """The days, in batches where they are many: then all tests come last, over all that was built.

        `anew` begins with everything, otherwise it is what is `selected`. Stops at the batch in which a node failed.
        """
        every_day = [] if anew else days
        batches = self._batches(days)
        if len(batches) == 1:
            what = ["--full-refresh", "--exclude-resource-type", "unit_test"] if anew else selected
            return self._invoke(["build", *what], every_day)
        models = ["--exclude-resource-type", "test", "unit_test"]
        steps = [([*selected, *models], batch) for batch in batches]
        if anew:
            steps[0] = (["--full-refresh", *models], batches[0])
        found: dict[str, Node] = {}
        for what, of_days in (*steps, (["--resource-type", "test"], every_day)):
            for node in self._invoke(["build", *what], of_days):
                before = found.get(node.unique_id)
                found[node.unique_id] = replace(node, seconds=node.seconds + before.seconds) if before else node
            if not all(node.passed for node in found.values()):
                break
        return found.values()

    def _batches(self, days: list[str]) -> list[list[str]]:
        """The days in their order, as many at a time as hold `batch` interactions; at least one batch."""
        batches: list[list[str]] = [[]]
        held = 0
        for day in days:
            about = self.lake.manifest(INTERACTIONS, date.fromisoformat(day)) if len(days) > 1 else None
            rows = about.rows if about else 0
            if batches[-1] and held + rows > self.batch:
                batches.append([])
                held = 0
            batches[-1].append(day)
            held += rows
        return batches

    def docs(self, out: Path) -> Path:
        """Write dbt's site (lineage, columns, tests, exposures) as one HTML file that asks no network; returns `out`.

        Reads the warehouse's catalogue: hold its lock. Raises BuildError where it is not built.
        """
        if not self.path.exists():
            raise BuildError(f"there is no warehouse at {self.path} yet: `iqs run` builds it")
        self._invoke(["docs generate", "--static", "--no-compile"])
        out.parent.mkdir(parents=True, exist_ok=True)
        os.replace(self.target / "static_index.html", out)
        return out

    def score(self) -> list[Node]:
        """All history scored into this new file: the rules and what fct_call_scores needs, no trends and no tests."""
        what = ["--select", "+fct_call_scores", "--exclude-resource-type", "test", "unit_test"]
        return self._invoke(["build", "--full-refresh", *what])

    def fill(self) -> list[Node]:
        """All seeds and models into this new file, without the tests, from whatever the lake holds."""
        return self._invoke(["build", "--full-refresh", "--exclude-resource-type", "test", "unit_test"])

    def is_sound(self, built: BuildState, *, wait_s: float = 30.0) -> bool:
        """Whether the file opens, and is to the byte the one that the build `built` left.

        DuckDB notices a damaged block only when it reads it, and drops the torn end of a log without a word: it is the
        hash (1 s for 1 GB) that tells, where size and time don't show that nobody has touched the file since. Raises
        BuildError naming the process that keeps it open longer than `wait_s`.
        """
        log = self.path.with_suffix(".duckdb.wal")
        if not self._opens(wait_s) or log.exists():
            return False
        return built.stamp == file_stamp(self.path) or built.sha256 in ("", hash_file(self.path))

    def _opens(self, wait_s: float) -> bool:
        import duckdb

        deadline = time.monotonic() + wait_s
        while self.path.exists():
            try:
                with duckdb.connect(str(self.path), read_only=True) as connection:
                    connection.execute("select count(*) from information_schema.tables").fetchall()
                return True
            except duckdb.Error as error:
                if not (isinstance(error, duckdb.IOException) and "set lock on file" in str(error)):
                    return False
                if time.monotonic() > deadline:
                    raise BuildError(
                        f"another process has the warehouse open: {error}. Waited {wait_s:g} s. "
                        "Close it; BI tools read data/published instead"
                    ) from error
            time.sleep(0.5)
        return False

    def _invoke(self, arguments: list[str], days: Iterable[str] = ()) -> list[Node]:
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager
        from dbt.adapters.factory import reset_adapters
        from dbt.cli.main import dbtRunner

        fewer_events()
        self.target.mkdir(parents=True, exist_ok=True)
        paths = ["--project-dir", self.project, "--profiles-dir", self.project, "--target-path", self.target]
        quiet = ["--log-path", self.target / "logs", "--no-version-check", "--quiet", "--no-use-colors"]
        if arguments[0] == "build":
            # dbt would write its manifest twice more, as parsing it did: a tenth of a day's CPU.
            quiet += ["--no-write-json", "--threads", self.threads]
        with _environment(
            IQS_WAREHOUSE=str(self.path),
            IQS_LAKE=str(self.lake.root),
            IQS_DAYS=",".join(days),
            IQS_DBT_THREADS=str(self.threads),
            IQS_WAREHOUSE_MEMORY=self.memory or _usual_memory(),
        ):
            try:
                result = dbtRunner().invoke([*arguments[0].split(), *map(str, paths + quiet), *arguments[1:]])
            finally:
                # Otherwise this process keeps the DuckDB lock until it ends.
                DuckDBConnectionManager.close_all_connections()
                reset_adapters()
        if result.exception:
            raise BuildError(f"dbt {arguments[0]} failed: {result.exception}")
        if arguments[0] != "build":
            return []
        result.result.write(str(self.target / "run_results.json"))
        return list(_nodes(result.result, self.path))


def fewer_events() -> None:
    """Have dbt make no debug events: they were a sixth of a day's CPU, and say what run_results.json says.

    With IQS_DEBUG they are made, and dbt's log beside the warehouse holds every statement.
    """
    from dbt_common.events.base_types import EventLevel
    from dbt_common.events.event_manager import EventManager
    from dbt_common.events.event_manager_client import ctx_set_event_manager

    class Events(EventManager):
        def fire_event(self, e, level=None, *rest, **named) -> None:
            if (level or e.level_tag()) not in (EventLevel.DEBUG, EventLevel.TEST):
                super().fire_event(e, level, *rest, **named)

    ctx_set_event_manager(EventManager() if os.environ.get("IQS_DEBUG") else Events())


def _nodes(result, warehouse: Path) -> Iterator[Node]:
    for r in result.results:
        node = r.node
        if str(getattr(node.resource_type, "value", node.resource_type)) == "exposure":
            continue
        depends = getattr(node, "depends_on", None)
        models = tuple(n for n in getattr(depends, "nodes", ()) if n.split(".")[0] in ("model", "seed"))
        kind = str(getattr(node.resource_type, "value", node.resource_type))
        yield Node(
            unique_id=node.unique_id,
            name=node.name,
            kind=kind,
            status=str(getattr(r.status, "value", r.status)),
            seconds=round(r.execution_time or 0.0, 3),
            failures=int(r.failures or 0),
            message=str(r.message or ""),
            models=models,
            where=_where(node, warehouse) if r.failures and kind == "test" else "",
        )


def _where(test, warehouse: Path) -> str:
    """On which days a data test found something, with the number of rows; nothing where its rows have no day."""
    import duckdb

    try:
        with duckdb.connect(str(warehouse), read_only=True) as connection:
            found = connection.sql(test.compiled_code)
            day = next(c for c in ("call_date", "period_start") if c in found.columns)
            rows = found.aggregate(f"{day}, count(*)", day).order(day).fetchall()
    except (duckdb.Error, StopIteration):
        return ""
    told = [f"{day} ({n} {'row' if n == 1 else 'rows'})" for day, n in rows[-10:]]
    return ", ".join(told) + (f" and {len(rows) - 10} days before" if len(rows) > 10 else "")


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    import hashlib

    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_stamp(path: Path) -> str:
    """Size, time to the nanosecond and place of a file: another one, and somebody may have written to it."""
    about = path.stat()
    return f"{about.st_size} {about.st_mtime_ns} {about.st_ino}"


@contextmanager
def _known_partitions(lake: Lake, path: Path) -> Iterator[Callable[[Table, date], str | None]]:
    """Fingerprint of a partition, None where there is none to be trusted; read again only where a file of it changed.

    Three years have 26,000 partitions, at 0.8 ms each to open and 0.02 ms to look at. `path` keeps what is known.
    """
    contracts = fingerprint(*schemas())
    try:
        before = json.loads(path.read_text())
        known = before["partitions"] if before["contracts"] == contracts else {}
    except (OSError, ValueError, TypeError, KeyError):
        known = {}
    found: dict[str, list[str | None]] = {}

    def print_of(table: Table, day: date) -> str | None:
        folder, key = lake.folder(table, day), f"{table.name}/{day}"
        if key not in found:
            try:
                stamp = f"{file_stamp(folder / 'manifest.json')} {file_stamp(folder / 'data.parquet')}"
            except OSError:
                found[key] = ["", None]
            else:
                entry = known.get(key)
                if entry is None or entry[0] != stamp:
                    entry = [stamp, m.fingerprint if (m := lake.manifest(table, day)) else None]
                found[key] = entry
        return found[key][1]

    yield print_of
    if found != known:
        write_text(path, json.dumps({"contracts": contracts, "partitions": found}))


def _usual_memory() -> str:
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 8e9 / 0.8
    return f"{int(min(8e9, 0.8 * machine) / 1e6)}MB"


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
