"""Publication: the gate reads every outcome itself, then database and report are swapped in whole."""

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)

from pipelines.automation.freshness import BY_MORNING
from pipelines.contracts.landing import DAYS
from pipelines.privacy import customer_keys
from pipelines.publishing.days import mark_published
from pipelines.publishing.gate import gate, refuse
from pipelines.publishing.publisher import PrivateTable, PublishOptions, publish, warehouse_tables
from pipelines.quality.checks import required_checks
from pipelines.quality.ledger import Recorded, latest, record
from pipelines.quality.rules_in_force import freeze
from pipelines.reports.calls import FOLDER, CallOptions, Sound, render_calls
from pipelines.reports.report import render
from pipelines.resources.audio import SandboxResource
from pipelines.resources.landing import LandingResource
from pipelines.resources.stage import OWNERS, RETRY, WAREHOUSE_QUEUE, preview
from pipelines.resources.warehouse import PublicationsResource, WarehouseResource
from pipelines.warehouse import BuildState

DATABASE, REPORT = dg.AssetKey(["publication", "database"]), dg.AssetKey(["publication", "report"])
PUBLIC_SCHEMAS = ("marts", "ops", "trends")
RESTRICTED_SCHEMAS = ("restricted",)
# Facts that dbt makes by day, as int_fact_days tells. Those of few rows an interaction stay tables for long.
FACTS = (
    "fct_call_scores",
    "fct_events",
    "fct_interactions",
    "fct_metrics",
    "fct_parameter_scores",
    "fct_peer_definitions",
    "fct_utterances",
)


def publication_assets(reads: Iterable[dg.AssetKey]) -> dg.AssetsDefinition:
    """The database and the report, published from the tables in `reads`."""

    @dg.multi_asset(
        name="publication",
        specs=[
            dg.AssetSpec(
                DATABASE,
                deps=list(reads),
                description="What BI tools open: `data/published/current/iqs.duckdb`, complete and checked.",
                group_name="publication",
                kinds={"duckdb"},
                owners=OWNERS,
                freshness_policy=BY_MORNING,
            ),
            dg.AssetSpec(
                REPORT,
                deps=[DATABASE],
                description="The managers' trend report: one HTML file that needs nothing else.",
                group_name="publication",
                kinds={"html"},
                owners=OWNERS,
                freshness_policy=BY_MORNING,
            ),
        ],
        check_specs=[
            dg.AssetCheckSpec(
                "gate",
                asset=DATABASE,
                description="Every blocking check of every published partition passed, read from the ledger.",
                blocking=True,
            )
        ],
        retry_policy=RETRY,
        pool="warehouse",
        op_tags=WAREHOUSE_QUEUE,
    )
    def publication(
        context: dg.AssetExecutionContext,
        warehouse: WarehouseResource,
        publications: PublicationsResource,
        landing: LandingResource,
        sandbox: SandboxResource,
    ):
        source = warehouse.open()
        decision = gate(source, required_checks())
        record(source.lake.root, context.run_id, decision.outcomes())
        yield dg.AssetCheckResult(
            asset_key=DATABASE,
            check_name="gate",
            passed=decision.passed,
            metadata={"refusals": dg.MetadataValue.md("\n".join(f"- {r}" for r in decision.refusals) or "none")},
        )
        days = _days(context.run.tags)
        if not decision.passed:
            refuse(publications.path, decision.refusals, days=map(str, days))
            raise dg.Failure("not published: " + " ".join(decision.refusals), allow_retries=False)

        def add_pages(folder: Path) -> None:
            pages_before = publications.path / "current" / "report"
            render(folder / "iqs.duckdb", folder / "report" / "index.html", before=pages_before)
            sound = Sound(source.lake, Path(landing.folder), sandbox.open, sandbox.limits)
            clips_before = publications.path / "current" / FOLDER / "clips"
            render_calls(folder, sound, CallOptions.read(source.project / "seeds"), clips_before=clips_before)

        made = publish(
            source.path,
            publications.path,
            public=warehouse_tables(source.path, PUBLIC_SCHEMAS),
            restricted=warehouse_tables(source.path, RESTRICTED_SCHEMAS),
            dbt=BuildState.read(source.path),
            checks=[c for c in latest(source.lake.root).values() if _is_told(c, days)],
            days=map(str, days),
            add_files=add_pages,
            options=PublishOptions(
                keep=publications.keep,
                by_month=FACTS,
                table_rows=publications.table_rows,
                customer_ids=customer_keys.ids_to_look_for(source.lake),
                private={
                    "customer_keys": PrivateTable(
                        customer_keys.path(source.lake), customer_keys.MEANING, customer_keys.COLUMNS
                    )
                },
            ),
        )
        keys = source.lake.read(DAYS).select("call_date", "day_key").iter_rows()
        if scored_until := _newest_scored_day(made.path / "iqs.duckdb"):
            freeze(source.project / "seeds", source.lake.root, scored_until)
        mark_published(source.lake, {day: key for day, key in keys if day in days})
        database = made.path / "iqs.duckdb"
        yield dg.MaterializeResult(
            asset_key=DATABASE,
            metadata={
                "publish_id": made.publish_id,
                "tables": len(made.rows),
                "dagster/row_count": sum(made.rows.values()),
                "size_bytes": database.stat().st_size,
                "path": dg.MetadataValue.path(str(publications.path / "current" / "iqs.duckdb")),
                **headline(database),
            },
        )
        page = made.path / "report" / "index.html"
        yield dg.MaterializeResult(
            asset_key=REPORT,
            metadata={
                "size_bytes": page.stat().st_size,
                "report": dg.MetadataValue.url((publications.path / "current" / "report" / "index.html").as_uri()),
            },
        )

    return publication


def headline(database: Path) -> dict[str, object]:
    """What the newest week of a publication says, as numbers that Dagster draws run by run, and the days before it."""
    import duckdb

    columns = "period_start, received, n as scored, coverage, iqs, iqs_low, iqs_high, dip"
    of_all = "from trend_iqs where dimension = 'all' and basis = 'as_scored' and period ="
    with duckdb.connect(str(database), read_only=True) as connection:
        weeks = connection.execute(f"select {columns} {of_all} 'week' order by 1 desc limit 1").pl()
        days = connection.execute(f"select {columns} {of_all} 'day' order by 1 desc limit 14").pl()
    newest = weeks.select("received", "scored", "coverage", "iqs").to_dicts()
    shown = {f"week_{name}": float(n) for name, n in newest[0].items() if n is not None} if newest else {}
    return shown | {"last_days": dg.MetadataValue.md(preview(days))}


def _is_told(check: Recorded, days: set[date]) -> bool:
    """Whether an outcome stands in checks.json: those of the run's days, of no day, and failed ones of any day.

    All of them are in ops_dq_results.
    """
    return not check.passed or check.call_date is None or not days or date.fromisoformat(check.call_date) in days


def _newest_scored_day(database: Path) -> date | None:
    import duckdb

    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute("select max(call_date) from fct_call_scores").fetchone()[0]


def _days(tags: dict[str, str]) -> set[date]:
    """The days that the run is about, from its tags; none where only the publication was asked for."""
    first = tags.get(ASSET_PARTITION_RANGE_START_TAG) or tags.get(PARTITION_NAME_TAG)
    last = tags.get(ASSET_PARTITION_RANGE_END_TAG) or first
    if not first:
        return set()
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    return {start + timedelta(days=i) for i in range((end - start).days + 1)}
