"""Drift: whether a day's measurements are unlike those of the days before, by medians that outliers don't move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

# Standard deviation of normally distributed values ÷ their median absolute deviation.
MAD_TO_DEVIATION = 1.4826
_SERIES = {"series": pl.String, "n": pl.Int64, "nulls": pl.Int64, "median": pl.Float64, "iqr": pl.Float64}


def digest(values: pl.DataFrame) -> pl.DataFrame:
    """What is kept of a day: one row per series with n, nulls, median and iqr (P75 - P25) of its values.

    `values` has the columns series and value; a NULL value counts in n and in nulls.
    """
    value = pl.col("value")
    return (
        values.group_by("series")
        .agg(
            pl.len().cast(pl.Int64).alias("n"),
            value.is_null().sum().cast(pl.Int64).alias("nulls"),
            value.median().alias("median"),
            (value.quantile(0.75, "linear") - value.quantile(0.25, "linear")).alias("iqr"),
        )
        .sort("series")
    )


def median_drift(day: pl.DataFrame, earlier: Sequence[pl.DataFrame], limits: Mapping[str, float]) -> pl.DataFrame:
    """The series that can be judged, each with now, usual, allowed and whether it `drifts`.

    With x the day's median, x_i those of the earlier days and m their median, a series drifts where
    |x - m| > max(drift_deviations · 1.4826 · median|x_i - m|, drift_iqr · median of the days' interquartile ranges).
    The second keeps days that are all alike from calling a small change one. Days with fewer than
    drift_measurements values don't count; below drift_days_at_least such days nothing is said. A series whose usual
    interquartile range is 0 (counts that are nearly always 0) is not judged.
    """
    counted = pl.col("n") - pl.col("nulls") >= limits["drift_measurements"]
    return _drift(
        day.filter(counted).with_columns(x=pl.col("median")),
        [d.filter(counted).with_columns(x=pl.col("median")) for d in earlier],
        pl.col("iqr") * limits["drift_iqr"],
        limits,
    )


def null_drift(day: pl.DataFrame, earlier: Sequence[pl.DataFrame], limits: Mapping[str, float]) -> pl.DataFrame:
    """The same for each series' share of NULL.

    As there, with the share of NULL as x and max(drift_null_ratio, drift_deviations · √(m (1 - m) / n)) for the
    least change: the second is what chance does to a day of n values.
    """
    counted = pl.col("n") >= limits["drift_measurements"]
    share = (pl.col("nulls") / pl.col("n")).alias("x")
    chance = limits["drift_deviations"] * (pl.col("usual") * (1 - pl.col("usual")) / pl.col("n")).sqrt()
    return _drift(
        day.filter(counted).with_columns(share),
        [d.filter(counted).with_columns(share) for d in earlier],
        pl.max_horizontal(pl.lit(limits["drift_null_ratio"]), chance),
        limits,
    )


def _drift(day: pl.DataFrame, earlier: Sequence[pl.DataFrame], least: pl.Expr, limits) -> pl.DataFrame:
    past = pl.concat([pl.DataFrame(schema=_SERIES | {"x": pl.Float64}), *earlier]).drop("n", "nulls", "median")
    usual = (
        past.with_columns(pl.col("x").median().over("series").alias("usual"))
        .group_by("series")
        .agg(
            pl.first("usual"),
            (MAD_TO_DEVIATION * (pl.col("x") - pl.col("usual")).abs().median()).alias("deviation"),
            pl.median("iqr"),
            pl.len().alias("days"),
        )
    )
    judged = (
        day.select("series", "n", "x")
        .join(usual, on="series")
        .filter(pl.col("days") >= limits["drift_days_at_least"])
        .with_columns(least.alias("least"))
        .filter(pl.col("least") > 0)
    )
    allowed = pl.max_horizontal(limits["drift_deviations"] * pl.col("deviation"), pl.col("least"))
    return (
        judged.with_columns(allowed.alias("allowed"))
        .with_columns(((pl.col("x") - pl.col("usual")).abs() > pl.col("allowed")).alias("drifts"))
        .select("series", pl.col("x").alias("now"), "usual", "allowed", "drifts")
        .sort("series")
    )


def figures(found: pl.DataFrame, most: int = 8) -> str:
    """The series that drift, in words: medians and shares of a whole day, never a value of one interaction."""
    drifting = found.filter("drifts")
    told = [
        f"{series}: {now:.3g} against {usual:.3g} ± {allowed:.3g}"
        for series, now, usual, allowed in drifting.select("series", "now", "usual", "allowed").head(most).iter_rows()
    ]
    more = f"; and {drifting.height - most} more" if drifting.height > most else ""
    return "; ".join(told) + more
