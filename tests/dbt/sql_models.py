"""The project's SQL without dbt's machinery: compiled once, then run in memory on any rows, in no time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter
from pathlib import Path

import duckdb
import polars as pl
from dbt_lake import PROJECT, Call, Dbt, Ticket, rows_of, ticket_rows
from hypothesis import HealthCheck, settings

from pipelines.contracts import all_tables
from pipelines.contracts.metrics import catalogue
from pipelines.quality.ledger import COLUMNS

# How many random worlds a property is held against: in every run of the tests, and with -m slow.
FEW = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
MANY = settings(FEW, max_examples=300, derandomize=False)

_PARQUET = re.compile(
    r"read_parquet\('[^']*/(\w+)/(\w+)/(?:date=\*/)?data\.parquet'"
    r"(?:, hive_partitioning = true, hive_types = struct_pack\(date := DATE\))?\)"
)


def lake_frames(calls: Iterable[Call], tickets: Iterable[Ticket] = ()) -> dict[str, pl.DataFrame]:
    """The lake's tables with these calls, as dbt reads them: daily ones with the column `date`."""
    calls = list(calls)
    rows = {name: [] for name in all_tables()} | {"landing/tickets": ticket_rows(tickets)}
    dated: dict[str, list] = {name: [] for name in all_tables()}
    for day in sorted({c.day for c in calls}):
        for name, found in rows_of(c for c in calls if c.day == day).items():
            rows[name] += found
            dated[name] += [day] * len(found)
    frames = {}
    for name, contract in all_tables().items():
        frame = catalogue() if name == "metrics/catalogue" else contract.frame(rows[name])
        frames[name] = frame.with_columns(pl.Series("date", dated[name], pl.Date)) if contract.daily else frame
    return frames


class SqlModels:
    """Compiled models and seeds of the project; `run` makes some of them from given tables."""

    def __init__(self, dbt: Dbt) -> None:
        compiled = dbt.invoke("compile", "--select", "resource_type:model")
        if not compiled.success:
            raise compiled.exception or RuntimeError("the project does not compile")
        self.models = {r.node.name: r.node for r in compiled.result}
        self.seeds = {n.name: n for n in dbt.manifest.nodes.values() if n.resource_type == "seed" and n.config.enabled}
        self.of_id = {n.unique_id: n.name for n in (*self.models.values(), *self.seeds.values())}

    def reads(self, name: str) -> list[str]:
        """What its SQL reads: not what it only waits for."""
        sql = re.sub(r"--.*", "", self.models[name].compiled_code)
        found = [self.of_id[d] for d in self.models[name].depends_on.nodes if d in self.of_id]
        return [n for n in found if re.search(rf'"{n}"', sql)]

    def run(
        self,
        *names: str,
        lake: Mapping[str, pl.DataFrame] | None = None,
        given: Mapping[str, pl.DataFrame] | None = None,
        seeds: Path = PROJECT / "seeds",
        threads: int = 1,
    ) -> duckdb.DuckDBPyConnection:
        """An open connection to a database in memory that holds the models `names` and all that they are made from.

        `given` are models that are not made but taken (columns that are left out are NULL); `lake` is what the others
        are made from, `seeds` the folder of the rules.
        """
        given = given or {}
        connection = duckdb.connect(config={"threads": threads, "autoinstall_known_extensions": False})
        connection.execute("set timezone = 'UTC'; attach ':memory:' as iqs; create schema lake")
        for table, frame in (lake or {}).items():
            connection.register("frame", frame)
            connection.execute(f'create table lake."{table}" as select * from frame')
        for name in self._order(names, set(given)):
            node = self.models.get(name) or self.seeds[name]
            connection.execute(f"create schema if not exists iqs.{node.schema}")
            target = f"iqs.{node.schema}.{name}"
            if name in self.seeds:
                self._read_seed(connection, node, target, seeds)
            elif name in given:
                self._take(connection, node, target, given[name])
            elif name in ("stg_dq_results", "stg_publications"):
                self._leave_empty(connection, name, target)
            else:
                sql = _PARQUET.sub(r'lake."\1/\2"', node.compiled_code)
                connection.execute(f"create table {target} as {sql}")
        return connection

    def _order(self, names: Iterable[str], taken: set[str]) -> list[str]:
        graph: dict[str, list[str]] = {}
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name in graph:
                continue
            graph[name] = [] if name in taken or name in self.seeds else self.reads(name)
            waiting += graph[name]
        return list(TopologicalSorter(graph).static_order())

    @staticmethod
    def _read_seed(connection, node, target: str, seeds: Path) -> None:
        types = ", ".join(f"{c}: '{t}'" for c, t in (node.config.column_types or {}).items())
        path = seeds / Path(node.original_file_path).name
        options = f", types = {{{types}}}" if types else ""
        connection.execute(f"create table {target} as select * from read_csv('{path}', header = true{options})")

    @staticmethod
    def _take(connection, node, target: str, frame: pl.DataFrame) -> None:
        connection.register("frame", frame)
        columns = ", ".join(f'"{c.name}" {c.data_type}' for c in node.columns.values())
        if not columns:
            connection.execute(f"create table {target} as select * from frame")
        else:
            connection.execute(f"create table {target} ({columns})")
            connection.execute(f"insert into {target} by name select * from frame")

    @staticmethod
    def _leave_empty(connection, name: str, target: str) -> None:
        columns = COLUMNS if name == "stg_dq_results" else {"publish_id": "VARCHAR", "published_at": "TIMESTAMP"}
        connection.execute(f"create table {target} ({', '.join(f'{c} {t}' for c, t in columns.items())})")
