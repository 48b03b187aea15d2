"""From ratings to the calibration tables: one pure function."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from pipelines.calibration.agreement import agreement
from pipelines.calibration.panel import CalibrationOptions, Panel
from pipelines.calibration.raters import RaterEstimate, in_words, machine_estimate, rater_estimates
from pipelines.calibration.sessions import UNIT, agent_rows, compared_ratings, session_rows, week_rows
from pipelines.contracts import Table
from pipelines.contracts.calibration import (
    AGENTS,
    AGREEMENT,
    ALL_PARAMETERS,
    MACHINE,
    RATERS,
    RATINGS,
    SESSIONS,
    WEEKS,
)

CALIBRATION_VERSION = "calibration-1"

# What `calibrated` takes: one row per session, interaction, parameter and rater, the machine as one of them.
RATED = pl.Schema(
    {
        "session_id": pl.String(),
        "interaction_id": pl.String(),
        "parameter": pl.String(),
        "reviewer_id": pl.String(),
        "is_machine": pl.Boolean(),
        "department": pl.String(),
        "is_expert": pl.Boolean(),
        "rating": pl.Float64(),
        "max_rating": pl.Float64(),
        "points": pl.Float64(),
        "reason": pl.String(),
        "rated_at": pl.Datetime("us", "UTC"),
        "call_date": pl.Date(),
        "agent_id": pl.String(),
        "hired_on": pl.Date(),
    }
)


def calibrated(
    ratings: pl.DataFrame, *, zone: ZoneInfo, options: CalibrationOptions | None = None
) -> dict[Table, pl.DataFrame]:
    """The tables of calibration/* from `ratings` (schema RATED, points 0-100; NULL where the machine has no score).

    `zone` is the centre's: it decides which day and week a session belongs to. The order of the rows does not matter.
    Raises ValueError where a column is missing.
    """
    options = options or CalibrationOptions()
    if missing := [c for c in RATED if c not in ratings.columns]:
        raise ValueError(f"ratings lack the columns {', '.join(missing)}")
    ratings = ratings.select(pl.col(n).cast(t) for n, t in RATED.items()).sort(*UNIT, "reviewer_id")
    rated = ratings.with_columns(pl.col("points").round(6)).join(
        _session_days(ratings, zone), on="session_id", how="left", maintain_order="left"
    )
    compared = compared_ratings(rated)
    sessions = session_rows(compared, options)
    hired_on = dict(ratings.select("agent_id", "hired_on").unique().sort("agent_id", "hired_on").iter_rows())
    found = {
        RATINGS: compared.select(c for c in RATINGS.schema if c != "extractor_version"),
        SESSIONS: sessions,
        WEEKS: WEEKS.frame(week_rows(sessions, options)).drop("extractor_version"),
        AGREEMENT: AGREEMENT.frame(list(_agreement_rows(compared, sessions, options))).drop("extractor_version"),
        RATERS: RATERS.frame(list(_rater_rows(compared, sessions, options))).drop("extractor_version"),
        AGENTS: AGENTS.frame(agent_rows(sessions, hired_on, options)).drop("extractor_version"),
    }
    return {
        table: table.conform(frame.with_columns(pl.lit(CALIBRATION_VERSION).alias("extractor_version")))
        for table, frame in found.items()
    }


def _session_days(ratings: pl.DataFrame, zone: ZoneInfo) -> pl.DataFrame:
    local = pl.col("rated_at").dt.convert_time_zone(str(zone)).dt.date()
    return ratings.group_by("session_id").agg(pl.coalesce(local.min(), pl.col("call_date").min()).alias("session_on"))


def _panel(rows: pl.DataFrame, by: str) -> tuple[Panel, list[str], pl.DataFrame]:
    """`rows` (UNIT, session_on, `by`, points) as a matrix; the raters of its columns, the units of its lines."""
    rows = rows.filter(pl.col("points").is_not_null())
    units = rows.select(*UNIT, "session_on").unique().sort(UNIT).with_row_index("_unit")
    raters = sorted(rows[by].unique().to_list())
    numbered = rows.join(units, on=UNIT, how="left", maintain_order="left")
    points = np.full((units.height, len(raters)), np.nan)
    column = numbered[by].replace_strict(raters, list(range(len(raters))), return_dtype=pl.Int64)
    points[numbered["_unit"].cast(pl.Int64).to_numpy(), column.cast(pl.Int64).to_numpy()] = numbered[
        "points"
    ].to_numpy()
    sessions = units.select("session_id", "session_on").unique().sort("session_on", "session_id")
    order = dict(zip(sessions["session_id"], range(sessions.height), strict=True))
    numbers = np.array([order[s] for s in units["session_id"]], dtype=int)
    return Panel(points, numbers), raters, units


def _by_parameter(rows: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    if rows.height:
        yield ALL_PARAMETERS, rows
    for (parameter,), of_one in rows.sort("parameter").group_by("parameter", maintain_order=True):
        yield parameter, of_one


# --- agreement
def _agreement_rows(compared: pl.DataFrame, sessions: pl.DataFrame, options: CalibrationOptions) -> Iterator[dict]:
    month = pl.col("session_on").dt.truncate("1mo").alias("_month")
    reference = sessions.select(
        *UNIT, "session_on", pl.lit("reference").alias("reviewer_id"), pl.col("reference_points").alias("points")
    )
    for parameter, of_one in _by_parameter(compared.with_columns(month)):
        first = of_one["_month"].min()
        periods = [("all", first, of_one)]
        periods += [("month", m, rows) for (m,), rows in of_one.sort("_month").group_by("_month", maintain_order=True)]
        for period, start, rows in periods:
            yield from (
                {"parameter": parameter, "period": period, "period_start": start} | row
                for row in _of_period(rows, reference, options)
            )


def _of_period(rows: pl.DataFrame, reference: pl.DataFrame, options: CalibrationOptions) -> Iterator[dict]:
    columns = [*UNIT, "session_on", "reviewer_id", "points"]
    machine = rows.filter("is_machine")
    panels = {
        "reviewers": rows.filter(~pl.col("is_machine")).select(columns),
        "reviewers_and_machine": rows.select(columns),
        "machine_and_reference": pl.concat(
            [machine.select(columns), reference.join(rows, on=UNIT, how="semi").select(columns)]
        ),
    }
    unscored = machine["points"].null_count() == machine.height
    for name, ratings in panels.items():
        for statistic, found in agreement(_panel(ratings, "reviewer_id")[0], options).items():
            row = {"panel": name, "statistic": statistic} | {
                key: _rounded(getattr(found, key))
                for key in ("value", "low", "high", "n_units", "n_ratings", "n_raters", "n_sessions")
            }
            row |= {"reason": found.reason, "interval_reason": found.interval_reason}
            if name != "reviewers" and unscored:
                row |= dict.fromkeys(("value", "low", "high"))
                row |= {"reason": "not_scored", "interval_reason": "not_scored"}
            yield row


def _rounded(value: float | int | None) -> float | int | None:
    return round(value, 6) if isinstance(value, float) else value


# --- raters
def _rater_rows(compared: pl.DataFrame, sessions: pl.DataFrame, options: CalibrationOptions) -> Iterator[dict]:
    references = sessions.select(*UNIT, "reference_points")
    for parameter, rows in _by_parameter(compared):
        people = rows.filter(~pl.col("is_machine"))
        panel, raters, units = _panel(people, "reviewer_id")
        expert_ids = set(people.filter("is_expert")["reviewer_id"])
        experts = np.array([r in expert_ids for r in raters])
        yield from _rows_of("reviewer", parameter, raters, rater_estimates(panel, experts, options), people)

        machine = rows.filter("is_machine")
        points = units.join(machine.select(*UNIT, "points"), on=UNIT, how="left", maintain_order="left")["points"]
        if points.null_count() < points.len():
            estimate = machine_estimate(panel, experts, points.cast(pl.Float64).to_numpy().astype(float), options)
            yield from _rows_of("machine", parameter, [MACHINE], [estimate], machine)

        departments = (
            people.filter(pl.col("department").is_not_null())
            .group_by(*UNIT, "session_on", "department", maintain_order=True)
            .agg(pl.col("points").mean().round(6))
            .join(references, on=UNIT, how="left", maintain_order="left")
            .with_columns((pl.col("points") - pl.col("reference_points")).abs().alias("absolute_deviation"))
            .with_columns(pl.col("department").alias("reviewer_id"))
        )
        panel, names, _ = _panel(departments, "department")
        estimates = rater_estimates(panel, np.zeros(len(names), dtype=bool), options)
        yield from _rows_of("department", parameter, names, estimates, departments)


def _rows_of(
    kind: str, parameter: str, names: list[str], estimates: list[RaterEstimate], ratings: pl.DataFrame
) -> Iterator[dict]:
    distances = {
        name: float(np.mean(of_one["absolute_deviation"].drop_nulls().to_numpy()))
        for (name,), of_one in ratings.sort(*UNIT).group_by("reviewer_id", maintain_order=True)
        if of_one["absolute_deviation"].drop_nulls().len()
    }
    for name, estimate in zip(names, estimates, strict=True):
        distance = distances.get(name)
        yield {
            "rater_kind": kind,
            "reviewer_id": name,
            "parameter": parameter,
            "mean_absolute_deviation": _rounded(distance),
            "alignment": None if distance is None else round(100 - distance, 6),
            "diagnosis_text": in_words(estimate, kind),
        } | {key: _rounded(value) for key, value in vars(estimate).items()}
