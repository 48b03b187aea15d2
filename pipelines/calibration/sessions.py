"""What each rating, session, week and agent shows: plain differences and means, with a diagnosis in words."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from pipelines.calibration.panel import CalibrationOptions
from pipelines.contracts.calibration import ALL_PARAMETERS

UNIT = ["session_id", "interaction_id", "parameter"]


def compared_ratings(ratings: pl.DataFrame) -> pl.DataFrame:
    """Each rating beside its reference: adds reference_kind, reference_points, bias, absolute_deviation, alignment.

    The reference of a rating is the mean of the other experts, without one the mean of the other people. `ratings`
    has UNIT, reviewer_id, is_machine, is_expert and points (NULL: the machine has no score).
    """
    own = pl.when(pl.col("is_machine")).then(0.0).otherwise(pl.col("points")).fill_null(0.0)
    counts = (~pl.col("is_machine") & pl.col("points").is_not_null()).cast(pl.Int64)
    expert = (pl.col("is_expert") & ~pl.col("is_machine")).cast(pl.Int64) * counts
    sums = ratings.with_columns(own.alias("_own"), counts.alias("_one"), expert.alias("_expert")).with_columns(
        (pl.col("_one").sum().over(UNIT) - pl.col("_one")).alias("_n"),
        (pl.col("_own").sum().over(UNIT) - pl.col("_own")).alias("_sum"),
        (pl.col("_expert").sum().over(UNIT) - pl.col("_expert")).alias("_n_expert"),
        ((pl.col("_own") * pl.col("_expert")).sum().over(UNIT) - pl.col("_own") * pl.col("_expert")).alias(
            "_sum_expert"
        ),
    )
    reference = (
        pl.when(pl.col("_n_expert") > 0)
        .then(pl.col("_sum_expert") / pl.col("_n_expert"))
        .when(pl.col("_n") > 0)
        .then(pl.col("_sum") / pl.col("_n"))
    )
    kind = (
        pl.when(pl.col("_n_expert") > 0)
        .then(pl.lit("expert"))
        .when(pl.col("_n") > 0)
        .then(pl.lit("panel"))
        .otherwise(pl.lit("none"))
    )
    bias = pl.col("points") - pl.col("reference_points")
    return (
        sums.with_columns(kind.alias("reference_kind"), reference.clip(0, 100).round(6).alias("reference_points"))
        .with_columns(bias.round(6).alias("bias"))
        .with_columns(pl.col("bias").abs().alias("absolute_deviation"), (100 - pl.col("bias").abs()).alias("alignment"))
        .drop("_own", "_one", "_expert", "_n", "_sum", "_n_expert", "_sum_expert")
    )


def session_rows(compared: pl.DataFrame, options: CalibrationOptions) -> pl.DataFrame:
    """One row per unit that people rated: where they stand, how far departments lie apart, the machine, a diagnosis.

    `compared` as `compared_ratings` gives it, with session_on, agent_id and department.
    """
    people = compared.filter(~pl.col("is_machine"))
    of_unit = people.group_by(UNIT, maintain_order=True).agg(
        pl.col("session_on").first(),
        pl.col("agent_id").first(),
        pl.len().cast(pl.Int64).alias("n_raters"),
        pl.col("points").min().alias("lowest"),
        pl.col("points").max().alias("highest"),
        pl.col("points").mean().round(6).alias("panel_mean"),
        pl.col("points").filter("is_expert").mean().round(6).alias("expert_mean"),
        pl.col("absolute_deviation").mean().round(6).alias("mean_absolute_deviation"),
        pl.col("alignment").mean().round(6).alias("alignment"),
    )
    departments = (
        people.filter(pl.col("department").is_not_null())
        .group_by(*UNIT, "department", maintain_order=True)
        .agg(pl.col("points").mean().round(6).alias("mean"))
        .sort(*UNIT, "department")
        .group_by(UNIT, maintain_order=True)
        .agg(
            pl.len().cast(pl.Int64).alias("n_departments"),
            pl.col("mean").min().alias("lowest_department_mean"),
            pl.col("mean").max().alias("highest_department_mean"),
            pl.col("mean").var(ddof=1).round(6).alias("department_variance"),
            pl.format("{} {}", "department", pl.col("mean").round(0).cast(pl.Int64)).str.join(", ").alias("_each"),
        )
    )
    machine = compared.filter("is_machine").select(
        *UNIT,
        pl.col("points").alias("machine_points"),
        pl.col("bias").alias("machine_bias"),
        pl.col("alignment").alias("machine_alignment"),
        pl.col("reason").alias("machine_reason"),
    )
    rows = (
        of_unit.join(departments, on=UNIT, how="left", maintain_order="left")
        .join(machine, on=UNIT, how="left", maintain_order="left")
        .with_columns(
            pl.col("n_departments").fill_null(0),
            pl.when(pl.col("machine_points").is_null())
            .then(pl.col("machine_reason").fill_null("not_scored"))
            .alias("machine_reason"),
            pl.col("session_on").dt.truncate("1w").alias("week_start"),
            (pl.col("highest") - pl.col("lowest")).round(6).alias("spread"),
            pl.coalesce("expert_mean", "panel_mean").alias("reference_points"),
            pl.when(pl.col("expert_mean").is_null())
            .then(pl.lit("panel"))
            .otherwise(pl.lit("expert"))
            .alias("reference_kind"),
        )
    )
    diagnoses = [_diagnosis(row, options) for row in rows.iter_rows(named=True)]
    return rows.with_columns(
        pl.Series("diagnosis", [d for d, _ in diagnoses], pl.String),
        pl.Series("diagnosis_text", [t for _, t in diagnoses], pl.String),
    ).drop("expert_mean", "_each")


def _diagnosis(row: dict, options: CalibrationOptions) -> tuple[str, str]:
    if row["n_raters"] < 2:
        found = "too_few_raters", "One person rated it: nothing to compare."
    elif row["n_departments"] >= 2 and row["department_variance"] >= options.high_variance_points2:
        found = (
            "read_differently",
            f"The departments differ ({row['_each']}): the teams read the rubric differently.",
        )
    elif row["spread"] > options.wide_spread_points:
        found = (
            "raters_differ",
            f"The raters lie {row['spread']:.0f} points apart, more than their departments: talk about this call.",
        )
    elif row["n_departments"] >= 2 and row["highest_department_mean"] < options.low_below_points:
        found = (
            "knowledge_gap",
            f"All departments rate it low ({row['_each']}) and agree: the gap is the agent's knowledge.",
        )
    else:
        found = "agreed", f"The raters agree within {row['spread']:.0f} points."
    bias = row["machine_bias"]
    if bias is not None and abs(bias) >= options.machine_off_points:
        side = "above" if bias > 0 else "below"
        return found[0], f"{found[1]} The machine is {abs(bias):.0f} points {side} the {row['reference_kind']}."
    return found


def week_rows(sessions: pl.DataFrame, options: CalibrationOptions) -> list[dict]:
    """The variance between departments by parameter (and all together) and week, with its trend up to that week."""
    found = []
    for parameter, of_one in _by_parameter(sessions):
        weeks: list[tuple[date, float]] = []
        for (week,), rows in of_one.sort("week_start", *UNIT).group_by("week_start", maintain_order=True):
            variances = rows["department_variance"].drop_nulls()
            mean = round(float(np.mean(variances.to_numpy())), 6) if variances.len() else None
            if mean is not None:
                weeks.append((week, mean))
            first = week - timedelta(weeks=options.trend_weeks - 1)
            found.append(
                {
                    "parameter": parameter,
                    "week_start": week,
                    "n_sessions": rows["session_id"].n_unique(),
                    "n_compared": variances.len(),
                    "department_variance": mean,
                    "department_deviation": None if mean is None else round(mean**0.5, 6),
                }
                | _trend([(w, v) for w, v in weeks if w >= first], options)
            )
    return found


def _trend(weeks: list[tuple[date, float]], options: CalibrationOptions) -> dict:
    """Theil-Sen slope a week with its 95 % interval (Sen 1968, scipy): one odd week doesn't turn it."""
    from scipy.stats import theilslopes

    names = ("variance_change_per_week", "change_low", "change_high")
    if len(weeks) < options.fewest_weeks:
        return {"n_weeks": len(weeks), "trend": None, "reason": "too_few_weeks"} | dict.fromkeys(names)
    x = np.array([(week - weeks[0][0]).days / 7 for week, _ in weeks])
    slope, _, low, high = theilslopes(np.array([variance for _, variance in weeks]), x, 0.95)
    trend = "converging" if high < 0 else "diverging" if low > 0 else "steady"
    values = {name: round(float(v), 6) for name, v in zip(names, (slope, low, high), strict=True)}
    return {"n_weeks": len(weeks), "trend": trend, "reason": None} | values


def agent_rows(sessions: pl.DataFrame, hired_on: dict[str, date | None], options: CalibrationOptions) -> list[dict]:
    """Each agent who was heard, by parameter (and all together): tenure, mean, the others' mean; is it an outlier?"""
    found = []
    known = sessions.filter(pl.col("agent_id").is_not_null())
    for parameter, of_one in _by_parameter(known):
        total, count = float(of_one["reference_points"].sum()), of_one.height
        for (agent_id,), rows in of_one.sort("agent_id", *UNIT).group_by("agent_id", maintain_order=True):
            own = float(rows["reference_points"].sum())
            mean = own / rows.height
            others = round((total - own) / (count - rows.height), 6) if count > rows.height else None
            hired = hired_on.get(agent_id)
            tenure = (rows["session_on"].max() - hired).days if hired else None
            # Several parameters of one call are not several calls.
            n_interactions = rows["interaction_id"].n_unique()
            enough = n_interactions >= options.fewest_of_agent
            is_low = mean < options.low_below_points and (others is None or mean < others) if enough else None
            is_tenured = tenure >= options.tenured_from_days if tenure is not None else None
            machine = rows["machine_points"].drop_nulls()
            found.append(
                {
                    "agent_id": agent_id,
                    "parameter": parameter,
                    "hired_on": hired,
                    "tenure_days": tenure,
                    "is_tenured": is_tenured,
                    "tenure_reason": None if hired else "hire_date_not_supplied",
                    "n": rows.height,
                    "n_interactions": n_interactions,
                    "reference_mean": round(mean, 6),
                    "others_mean": others,
                    "machine_mean": round(float(np.mean(machine.to_numpy())), 6) if machine.len() else None,
                    "is_low": is_low,
                    "is_outlier": None if is_low is None or is_tenured is None else is_low and is_tenured,
                    "reason": None if enough else "too_few_of_agent",
                    "diagnosis_text": _agent_in_words(is_low, is_tenured, tenure, mean, others, n_interactions),
                }
            )
    return found


def _agent_in_words(
    is_low: bool | None, is_tenured: bool | None, tenure: int | None, mean: float, others: float | None, n: int
) -> str:
    figures = f"{mean:.0f} points" + ("" if others is None else f", the other agents {others:.0f}")
    if is_low is None:
        return f"Too few calls to tell: {n}. {figures}."
    if not is_low:
        return f"Not low: {figures}."
    if is_tenured is None:
        return f"Low: {figures}. The hire date is not known."
    years = f"{tenure / 365.25:.1f} years"
    if is_tenured:
        return f"Outlier: {years} with the centre, yet low: {figures}."
    return f"Low, but new ({years}): {figures}."


def _by_parameter(rows: pl.DataFrame):
    """The rows of all parameters together, then of each."""
    if rows.height:
        yield ALL_PARAMETERS, rows
    for (parameter,), of_one in rows.sort(UNIT).group_by("parameter", maintain_order=True):
        yield parameter, of_one
