"""A value or the reason why there is none. Missing is never 0 and never "neutral"."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from pipelines.contracts.table import Column, Table
from pipelines.contracts.vocabulary import METRIC_PARTIES, NULL_REASONS


@dataclass(frozen=True)
class NotMeasured:
    """Why a metric has no value; `reason` is a key of NULL_REASONS (KeyError otherwise)."""

    reason: str

    def __post_init__(self) -> None:
        NULL_REASONS[self.reason]


Measured = float | NotMeasured
# (metric id, party) -> value in the metric's unit, or why there is none
Measures = dict[tuple[str, str], Measured]


def measure_columns() -> tuple[Column, ...]:
    """The columns of a table of measures."""
    return (
        Column("interaction_id", pl.String, "the interaction"),
        Column("metric", pl.String, "metric id"),
        Column("party", pl.String, "whose, or the whole call's", one_of=METRIC_PARTIES),
        Column("value", pl.Float64, "the measured value in the metric's unit", null_because="reason"),
        Column("reason", pl.String, "why there is no value", one_of=tuple(NULL_REASONS), optional=True),
    )


def measures_frame(table: Table, measures: dict[str, Measures]) -> pl.DataFrame:
    """Measures by interaction as rows of `table` (columns of measure_columns)."""
    rows = [
        (i, metric, party, None, value.reason) if isinstance(value, NotMeasured) else (i, metric, party, value, None)
        for i, of_one in measures.items()
        for (metric, party), value in of_one.items()
    ]
    return pl.DataFrame(rows, schema=table.schema, orient="row")


def measures_of(frame: pl.DataFrame) -> dict[str, Measures]:
    """The inverse of measures_frame."""
    found: dict[str, Measures] = {}
    for i, metric, party, value, reason in frame.select(
        "interaction_id", "metric", "party", "value", "reason"
    ).iter_rows():
        found.setdefault(i, {})[metric, party] = value if reason is None else NotMeasured(reason)
    return found
