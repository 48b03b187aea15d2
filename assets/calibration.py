"""Calibration: how people and the machine agree; after the warehouse, which has the scores, and never before it."""

from zoneinfo import ZoneInfo

import dagster as dg
import polars as pl

from pipelines.calibration import CALIBRATION_VERSION, RATED, CalibrationOptions, calibrated
from pipelines.contracts.calibration import TABLES
from pipelines.lake import Lake, fingerprint, frame_fingerprint
from pipelines.publishing.lock import writer_lock
from pipelines.resources.lake import LakeResource
from pipelines.resources.landing import LandingResource
from pipelines.resources.stage import WAREHOUSE_QUEUE, Stage, asset_key, stage_assets
from pipelines.resources.warehouse import WarehouseResource
from pipelines.warehouse import Warehouse

KEYS = tuple(asset_key(t) for t in TABLES)
# A model of the warehouse, not a table of the lake.
RATED_MODEL = dg.AssetKey(["calibration", "int_calibration_ratings"])


@stage_assets(*TABLES, after=(RATED_MODEL,), daily=None, kinds={"polars"}, name="calibration", op_tags=WAREHOUSE_QUEUE)
def calibration(
    context: dg.AssetExecutionContext, lake: LakeResource, landing: LandingResource, warehouse: WarehouseResource
):
    stage = Stage(context, lake, *TABLES)
    ratings = read_ratings(warehouse.open())
    inputs = fingerprint(frame_fingerprint(ratings), CALIBRATION_VERSION, CalibrationOptions(), landing.timezone)
    if not stage.unchanged(None, inputs):
        stage.write(None, calibrated(ratings, zone=ZoneInfo(landing.timezone)), inputs=inputs)
    stage.add(ratings=ratings.height)
    yield from stage.results()


def read_ratings(warehouse: Warehouse) -> pl.DataFrame:
    """What people and the machine rated, from the warehouse as it was built last (schema RATED)."""
    import duckdb

    query = f"select {', '.join(RATED)} from intermediate.int_calibration_ratings order by all"
    with (
        writer_lock(warehouse.path.with_suffix(".lock"), "calibration", wait_s=600),
        duckdb.connect(str(warehouse.path), read_only=True) as connection,
    ):
        ratings = connection.execute(query).pl()
    return ratings.with_columns(pl.col("rated_at").dt.replace_time_zone("UTC")).cast(dict(RATED))


def make_readable(lake: Lake) -> None:
    """Empty tables where there are none of today's schema: dbt's views on them are made before the tables are.

    Nothing is published from an empty one: it has not passed its checks.
    """
    for table in TABLES:
        path = lake.path(table)
        if not path.exists() or pl.read_parquet_schema(path) != table.schema:
            lake.write(table, table.empty(), inputs="")
