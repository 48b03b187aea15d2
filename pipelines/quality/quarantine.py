"""What is in quarantine: everything that came in and could not be read, from the lake."""

import polars as pl

from pipelines.contracts.landing import REJECTS
from pipelines.contracts.metrics import OUTCOMES
from pipelines.lake import Lake

_SCHEMA = {"item": pl.String, "call_date": pl.String, "kind": pl.String, "reason": pl.String, "detail": pl.String}


def quarantined(lake: Lake) -> pl.DataFrame:
    """One row per item: an interaction's id, or `file` or `file:row` for what has no interaction.

    Columns item, call_date (ISO text, NULL where unknown), kind, reason, detail.
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
    )
    days = [
        lake.read(OUTCOMES, day)
        .filter(pl.col("outcome") == "quarantined")
        .select(
            pl.col("interaction_id").alias("item"),
            pl.lit(day.isoformat()).alias("call_date"),
            pl.lit("interaction").alias("kind"),
            "reason",
            "detail",
        )
        for day in lake.days(OUTCOMES)
    ]
    return pl.concat([pl.DataFrame(schema=_SCHEMA), rejects, *days]).sort("call_date", "item", nulls_last=False)
