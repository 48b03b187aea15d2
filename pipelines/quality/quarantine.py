"""What is in quarantine: everything that came in and could not be read, from the lake."""

import polars as pl

from pipelines.contracts.landing import INTERACTIONS, REJECTS
from pipelines.contracts.metrics import OUTCOMES
from pipelines.lake import Lake

_SCHEMA = {
    "item": pl.String,
    "call_date": pl.String,
    "kind": pl.String,
    "reason": pl.String,
    "detail": pl.String,
    "file": pl.String,
    "row_number": pl.Int64,
}


def quarantined(lake: Lake) -> pl.DataFrame:
    """One row per item: an interaction's id, or `file` or `file:row` for what has no interaction.

    Columns item, call_date (ISO text, NULL where unknown), kind, reason, detail, and the evidence: file (relative to
    the landing folder: the recording, or the file of the row) and row_number (NULL where the whole file is meant).
    """
    number = pl.col("row_number")
    rejects = lake.read(REJECTS).select(
        pl.when(number > 0)
        .then(pl.format("{}:{}", "source_file", number))
        .otherwise(pl.col("source_file"))
        .alias("item"),
        pl.lit(None, pl.String).alias("call_date"),
        "kind",
        "reason",
        "detail",
        pl.col("source_file").alias("file"),
        pl.when(number > 0).then(number).alias("row_number"),
    )
    days = [found for day in lake.days(OUTCOMES) if (found := _of_day(lake, day)).height]
    return pl.concat([pl.DataFrame(schema=_SCHEMA), rejects, *days]).sort("call_date", "item", nulls_last=False)


def _of_day(lake: Lake, day) -> pl.DataFrame:
    """The day's interactions in quarantine; the file is the recording's, or the row's where the row is at fault."""
    lost = lake.read(OUTCOMES, day).filter(pl.col("outcome") == "quarantined")
    if lost.is_empty():
        return pl.DataFrame(schema=_SCHEMA)
    at_fault = pl.when(pl.col("landing_reason").is_null()).then(pl.col("recording"))
    files = lake.read(INTERACTIONS, day).select("interaction_id", pl.coalesce(at_fault, "source_file").alias("file"))
    return lost.join(files, on="interaction_id", how="left").select(
        pl.col("interaction_id").alias("item"),
        pl.lit(day.isoformat()).alias("call_date"),
        pl.lit("interaction").alias("kind"),
        "reason",
        "detail",
        "file",
        pl.lit(None, pl.Int64).alias("row_number"),
    )
