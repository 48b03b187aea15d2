"""Where each column of the warehouse comes from: the columns that its SQL takes its values from, down to the lake.

Found by sqlglot in the SQL that dbt compiled in its last build, model after model. Columns that a model only joins,
filters or groups by are none of a value's sources. What is found is kept beside the warehouse until the dbt project
changes: finding it costs some ten seconds of CPU, reading it nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from graphlib import TopologicalSorter
from pathlib import Path

from pipelines.contracts import all_tables
from pipelines.lake import write_text
from pipelines.warehouse import BuildError, BuildState, Warehouse

# Columns and, of each, its sources, by table: {"trends/trend_iqs": {"iqs": ["intermediate/int_group_days.n", …]}}.
# A table is named as its asset is: dbt's folder or the lake's stage, and the name.
Lineage = dict[str, dict[str, list[str]]]

KEPT = "column_lineage.json"


@dataclass(frozen=True)
class Source:
    """A column in another one's lineage: `depth` steps away; `shown_above` where its own sources were told already."""

    column: str
    depth: int
    shown_above: bool


class UnknownColumn(ValueError):
    """There is no such table or column; the message names what is near."""


def asset_name(node: dict) -> str:
    """The asset key of a dbt source, seed or model, as one text: stage or folder, and name."""
    if node["resource_type"] == "source":
        return f"{node['source_name']}/{node['name']}"
    return f"{'seeds' if node['resource_type'] == 'seed' else node['fqn'][1]}/{node['name']}"


def column_lineage(warehouse: Warehouse) -> Lineage:
    """The lineage of the dbt project as it was last built: as it is kept, or found and kept.

    Raises BuildError where there is no build of the project as it is now.
    """
    project = warehouse.project_fingerprint()
    if BuildState.read(warehouse.path).project != project:
        raise BuildError("the dbt project as it is now is not built yet: `iqs run` builds it")
    kept = warehouse.target / KEPT
    try:
        found = json.loads(kept.read_text())
    except (OSError, ValueError):
        found = {}
    if found.get("project") != project:
        manifest = json.loads((warehouse.target / "parsed.json").read_text())
        found = {"project": project, "tables": find_lineage(manifest, warehouse.target / "compiled")}
        write_text(kept, json.dumps(found))
    return found["tables"]


def kept_lineage(target: Path) -> Lineage:
    """What was found for the project that was built last, in dbt's folder `target` beside the warehouse; else empty."""
    try:
        found = json.loads((target / KEPT).read_text())
        return found["tables"] if found["project"] == BuildState.read(target).project else {}
    except (OSError, ValueError, KeyError):
        return {}


def find_column(lineage: Lineage, name: str) -> tuple[str, str]:
    """Table and column that `name` means (trend_iqs.iqs, trends/trend_iqs.iqs; a table alone: column empty).

    Raises UnknownColumn.
    """
    table, _, column = name.partition(".")
    found = next((t for t in lineage if table in (t, t.split("/")[1])), None)
    if found is None:
        raise UnknownColumn(f"there is no table {table!r}{_near(table, [t.split('/')[1] for t in lineage])}")
    if column and column not in lineage[found]:
        raise UnknownColumn(f"{found} has no column {column!r}{_near(column, lineage[found])}")
    return found, column


def _near(name: str, there: Iterable[str]) -> str:
    near = get_close_matches(name, there, n=3)
    return f"; there is {', '.join(near)}" if near else ""


def sources_of(lineage: Lineage, column: str, depth: int = 0, seen: set[str] | None = None) -> Iterator[Source]:
    """`column` (trends/trend_iqs.iqs) and all that it is made of, down to the lake and the seeds, depth first.

    What has been followed once is not followed again.
    """
    seen = set() if seen is None else seen
    table, _, name = column.rpartition(".")
    own = lineage.get(table, {}).get(name, [])
    known = column in seen and bool(own)
    yield Source(column, depth, known)
    if not known:
        seen.add(column)
        for source in own:
            yield from sources_of(lineage, source, depth + 1, seen)


def find_lineage(manifest: dict, compiled: Path) -> Lineage:
    """The lineage of every model of a dbt `manifest` whose SQL is in the folder `compiled`.

    A column that is made of nothing (a constant, a count of rows) has no sources. A model in SQL that sqlglot does not
    understand is left out; behind a pivot it finds no sources.
    """
    from sqlglot import MappingSchema

    schema = MappingSchema(dialect="duckdb")
    found: Lineage = {}
    for name, columns in _known_tables(manifest):
        _declare(schema, name, columns)
    models = {id_: node for id_, node in manifest["nodes"].items() if node["resource_type"] == "model"}
    reads = {id_: [d for d in node["depends_on"]["nodes"] if d in models] for id_, node in models.items()}
    for id_ in TopologicalSorter(reads).static_order():
        node = models[id_]
        path = compiled / node["package_name"] / node["original_file_path"]
        if path.exists() and (columns := _columns_of(_sql(path, node, manifest), asset_name(node), schema)):
            found[asset_name(node)] = columns
            _declare(schema, asset_name(node), columns)
    return found


def _known_tables(manifest: dict) -> Iterator[tuple[str, list[str]]]:
    """Sources and seeds with their columns: from the contracts, from how the file is read, from the seed's header."""
    contracts = all_tables()
    for source in manifest["sources"].values():
        contract = contracts.get(asset_name(source))
        if contract:
            yield contract.name, [c.name for c in contract.columns] + ["date"] * contract.daily
        else:
            yield asset_name(source), re.findall(r"[{,]\s*'?(\w+)'?\s*:", source["relation_name"])
    for seed in (n for n in manifest["nodes"].values() if n["resource_type"] == "seed"):
        with (Path(seed["root_path"]) / seed["original_file_path"]).open() as file:
            yield asset_name(seed), next(file).strip().split(",")


def _declare(schema, name: str, columns: Iterable[str]) -> None:
    folder, table = name.split("/")
    schema.add_table(f'"{folder}"."{table}"', dict.fromkeys(columns, "unknown"), dialect="duckdb")


def _sql(path: Path, node: dict, manifest: dict) -> str:
    """A model's compiled SQL with its parents, and itself, named as their assets are."""
    sql = path.read_text()
    every = manifest["nodes"] | manifest["sources"]
    for other in (node, *(every[id_] for id_ in node["depends_on"]["nodes"] if id_ in every)):
        if other.get("relation_name"):
            folder, table = asset_name(other).split("/")
            sql = sql.replace(other["relation_name"], f'"{folder}"."{table}"')
    return sql


def _columns_of(sql: str, name: str, schema) -> dict[str, list[str]]:
    """The columns that `sql` selects, each with its sources; empty where sqlglot does not understand it."""
    from sqlglot import exp, parse_one
    from sqlglot.errors import SqlglotError
    from sqlglot.lineage import lineage
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope

    try:
        parsed = parse_one(sql, dialect="duckdb")
        _declare(schema, name, parsed.named_selects)  # an incremental model reads itself
        _unite_by_position(parsed, schema)
        query = qualify(parsed, schema=schema, dialect="duckdb", validate_qualify_columns=False)
        scope = build_scope(query)
        columns = {}
        for column in query.named_selects:
            leaves = lineage(column, query, schema=schema, dialect="duckdb", scope=scope, copy=False).walk()
            columns[column] = sorted(
                {
                    f"{table.db}/{table.name}.{exp.to_column(leaf.name).name}"
                    for leaf in leaves
                    if not leaf.downstream and (table := leaf.expression.find(exp.Table)) is not None and table.db
                }
            )
    except SqlglotError:
        return {}
    return columns


def _unite_by_position(query, schema) -> None:
    """Give both sides of each UNION BY NAME in `query`'s CTEs the same columns in the same order.

    sqlglot would match them by position: an alert's `value` would come from the other side's `agent_id`.
    """
    from sqlglot import exp
    from sqlglot.optimizer.qualify import qualify

    for at, cte in enumerate(query.ctes):
        for union in reversed([u for u in cte.find_all(exp.SetOperation) if u.args.get("by_name")]):
            names = []
            for side in (union.this, union.expression):
                alone = side.copy()
                alone.set("with_", exp.With(expressions=[c.copy() for c in query.ctes[:at]]) if at else None)
                names.append(qualify(alone, schema=schema, dialect="duckdb").named_selects)
            together = dict.fromkeys(names[0] + names[1])
            for side, own in zip((union.this, union.expression), names, strict=True):
                every = [exp.column(c) if c in own else exp.alias_(exp.null(), c) for c in together]
                side.replace(exp.select(*every).from_(side.subquery("side")))
            union.set("by_name", False)
