"""Warehouse: the dbt project's models as assets and its tests as checks, built in this process."""

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from graphlib import TopologicalSorter
from itertools import takewhile
from pathlib import Path

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, build_dbt_asset_specs

from assets.calibration import make_readable
from pipelines.column_lineage import asset_name, kept_lineage
from pipelines.publishing.generations import copy_history, identifier, literal
from pipelines.publishing.lock import writer_lock
from pipelines.quality.ledger import ensure, record
from pipelines.quality.outcomes import CheckOutcome
from pipelines.resources.stage import OWNERS, RETRY, WAREHOUSE_QUEUE, preview
from pipelines.resources.warehouse import PublicationsResource, WarehouseResource
from pipelines.warehouse import Node

# Views on tables of the lake that are made after the build: they would make the graph run in a circle.
_AFTER_THE_BUILD = "source:calibration+"


class _Translator(DagsterDbtTranslator):
    """dbt's sources are the lake's assets by name; models are grouped by folder."""

    def get_asset_key(self, dbt_resource_props) -> dg.AssetKey:
        return dg.AssetKey(asset_name(dbt_resource_props).split("/"))

    def get_group_name(self, dbt_resource_props) -> str:
        return self.get_asset_key(dbt_resource_props).path[0]

    def get_owners(self, dbt_resource_props) -> list[str]:
        return OWNERS


@lru_cache(maxsize=4)
def _read(manifest: Path) -> dict:
    return json.loads(manifest.read_text())


def published_keys(manifest_path: Path) -> list[dg.AssetKey]:
    """The models that are published, as asset keys."""
    nodes = _read(manifest_path)["nodes"].values()
    keys = (_Translator().get_asset_key(n) for n in nodes if n["resource_type"] == "model")
    return [key for key in keys if key.path[0] in ("marts", "ops", "trends")]


def views_after_the_build(manifest_path: Path) -> list[dg.AssetSpec]:
    """The models that show what was made after the build: nothing has to run for them, since they are views."""
    return list(
        build_dbt_asset_specs(
            manifest=_read(manifest_path), dagster_dbt_translator=_Translator(), select=_AFTER_THE_BUILD
        )
    )


def warehouse_assets(manifest_path: Path, daily: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    """The dbt project in `manifest_path` as one multi-asset: a run builds what the lake changed, and tests it."""
    manifest = _read(manifest_path)
    translator = _Translator()
    specs = build_dbt_asset_specs(manifest=manifest, dagster_dbt_translator=translator, exclude=_AFTER_THE_BUILD)
    lineage = kept_lineage(manifest_path.parent)
    specs = [_with_lineage(spec, lineage.get("/".join(spec.key.path), {})) for spec in specs]
    here = {spec.key for spec in specs}
    built = {id_: node for id_, node in manifest["nodes"].items() if node["resource_type"] in ("model", "seed")}
    keys = {id_: key for id_ in _in_order(built) if (key := translator.get_asset_key(built[id_])) in here}
    tests = dict(_check_specs(manifest, keys))

    @dg.multi_asset(
        name="warehouse",
        specs=specs,
        check_specs=list(tests.values()),
        partitions_def=daily,
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=RETRY,
        pool="warehouse",
        op_tags=WAREHOUSE_QUEUE,
    )
    def warehouse(context: dg.AssetExecutionContext, warehouse: WarehouseResource, publications: PublicationsResource):
        source = warehouse.open()
        ensure(source.lake.root)
        copy_history(publications.path, source.lake.root)
        make_readable(source.lake)
        with writer_lock(source.path.with_suffix(".lock"), f"run {context.run_id}", wait_s=600):
            nodes = source.build()
            rows = row_counts(source.path)
            built = {n.unique_id for n in nodes if n.passed}
            shown = previews(source.path, [tuple(key.path) for id_, key in keys.items() if id_ in built])
        record(source.lake.root, context.run_id, _outcomes(tests, nodes))
        by_id = {n.unique_id: n for n in nodes}
        context.log.info(f"dbt ran {len(nodes)} nodes" if nodes else "the warehouse holds what the lake holds")
        for failed in (n for n in nodes if not n.passed):
            context.log.error(f"{failed.kind} {failed.name}: {failed.status}. {failed.message}")
        broken = [n for n in nodes if n.kind in ("model", "seed") and n.status == "error"]
        yield from _events(keys, tests, by_id, nodes, rows, shown)
        if broken:
            raise dg.Failure(
                f"dbt could not build {', '.join(n.name for n in broken)}: {broken[0].message}", allow_retries=False
            )

    return warehouse


def _with_lineage(spec: dg.AssetSpec, columns: dict[str, list[str]]) -> dg.AssetSpec:
    """The spec with its columns' sources, as Dagster's column lineage and as text: its open UI shows text only."""
    if not columns:
        return spec
    dependencies = {
        column: [dg.TableColumnDep(table.split("/"), name) for table, _, name in (s.rpartition(".") for s in sources)]
        for column, sources in columns.items()
    }
    told = "\n".join(
        f"| {column} | {', '.join(sources) or 'a constant, or rows counted'} |" for column, sources in columns.items()
    )
    return spec.merge_attributes(
        metadata={
            "dagster/column_lineage": dg.TableColumnLineage(dependencies),
            "columns come from": dg.MetadataValue.md(f"| column | sources |\n|---|---|\n{told}"),
        }
    )


def _in_order(nodes: dict[str, dict]) -> list[str]:
    """Nodes so that each comes after those that it reads."""
    reads = {id_: [d for d in node["depends_on"].get("nodes", ()) if d in nodes] for id_, node in nodes.items()}
    return list(TopologicalSorter(reads).static_order())


def _check_specs(manifest: dict, keys: dict[str, dg.AssetKey]) -> Iterator[tuple[str, dg.AssetCheckSpec]]:
    """Each data test as a check of the model that it is attached to, or the first that it reads."""
    for id_, node in manifest["nodes"].items():
        if node["resource_type"] != "test":
            continue
        attached = [node.get("attached_node"), *node["depends_on"]["nodes"]]
        model = next((n for n in attached if n in keys), None)
        if model:
            severity = str(node["config"].get("severity", "error")).lower()
            yield (
                id_,
                dg.AssetCheckSpec(
                    node["name"][:200],
                    asset=keys[model],
                    description=_asks(node),
                    blocking=severity == "error",
                ),
            )


def _asks(test: dict) -> str | None:
    """What a data test asks: its description, the comment that begins its SQL, or the generic test's arguments."""
    if test.get("description"):
        return test["description"]
    generic = test.get("test_metadata")
    if not generic:
        lines = (line.strip() for line in test.get("raw_code", "").splitlines())
        comment = takewhile(lambda line: line.startswith("--"), lines)
        return " ".join(line.lstrip("- ") for line in comment) or None
    given = {k: v for k, v in generic["kwargs"].items() if k not in ("model", "column_name")}
    given |= given.pop("arguments", None) or {}
    asked = "; ".join(f"{k} {', '.join(map(str, v)) if isinstance(v, list) else v}" for k, v in given.items())
    column = generic["kwargs"].get("column_name") or test.get("column_name")
    return f"{generic['name'].replace('_', ' ')}{f' of {column}' if column else ''}{f': {asked}' if asked else ''}"


def _outcomes(tests: dict[str, dg.AssetCheckSpec], nodes: list[Node]) -> Iterator[CheckOutcome]:
    """dbt's tests for the ledger; counts only."""
    for node in nodes:
        spec = tests.get(node.unique_id)
        if spec is not None:
            yield CheckOutcome(
                stage=spec.asset_key.path[0],
                table_name="/".join(spec.asset_key.path),
                call_date=None,
                check_name=spec.name,
                blocking=spec.blocking,
                passed=node.passed and node.status != "warn",
                failing_rows=node.failures,
                total_rows=None,
                detail=f"broken on {node.where}" if node.where else "",
                fingerprint="",
            )


def row_counts(warehouse: Path) -> dict[tuple[str, ...], int]:
    """Rows by (schema, table) of every table; views are not counted. Empty where the build left no database."""
    import duckdb

    try:
        with duckdb.connect(str(warehouse), read_only=True) as connection:
            names = connection.execute("select schema_name, table_name from duckdb_tables()").fetchall()
            counts = " union all ".join(
                f"select {literal(schema)}, {literal(table)}, count(*) from {identifier(schema)}.{identifier(table)}"
                for schema, table in names
            )
            return {(schema, table): n for schema, table, n in connection.execute(counts).fetchall()} if names else {}
    except duckdb.Error:
        return {}


def previews(warehouse: Path, tables: Iterable[tuple[str, ...]], *, rows: int = 8) -> dict[tuple[str, ...], str]:
    """The first rows of each (schema, table) as Markdown, without texts and names; views are left out."""
    import duckdb

    wanted = list(tables)
    if not wanted:
        return {}
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        there = set(connection.execute("select schema_name, table_name from duckdb_tables()").fetchall())
        return {
            table: preview(connection.execute(f"from {'.'.join(map(identifier, table))} limit {rows}").pl())
            for table in wanted
            if table in there
        }


def _events(
    keys: dict[str, dg.AssetKey],
    tests: dict[str, dg.AssetCheckSpec],
    by_id: dict[str, Node],
    nodes: list[Node],
    rows: dict[tuple[str, ...], int],
    shown: dict[tuple[str, ...], str],
) -> Iterator:
    for id_, key in keys.items():
        node = by_id.get(id_)
        if node is None or node.passed:
            yield dg.MaterializeResult(
                asset_key=key,
                metadata={
                    "status": node.status if node else "unchanged",
                    "seconds": node.seconds if node else 0.0,
                }
                | ({"dagster/row_count": rows[tuple(key.path)]} if tuple(key.path) in rows else {})
                | ({"preview": dg.MetadataValue.md(shown[tuple(key.path)])} if tuple(key.path) in shown else {}),
            )
    for id_, spec in tests.items():
        node = by_id.get(id_)
        if node is None and nodes:
            continue
        yield dg.AssetCheckResult(
            asset_key=spec.asset_key,
            check_name=spec.name,
            passed=node.passed and node.status != "warn" if node else True,
            severity=dg.AssetCheckSeverity.ERROR if spec.blocking else dg.AssetCheckSeverity.WARN,
            metadata={
                "failing_rows": node.failures if node else 0,
                "status": node.status if node else "passed at the last build; nothing has changed since",
            },
        )
