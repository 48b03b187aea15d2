"""Ratings of the same things by several raters, as a matrix; and intervals from leaving sessions out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class CalibrationOptions:
    """What counts as agreement, as severe and as too few. Points are of 100."""

    tolerance_points: float = 10.0
    band_points: float = 20.0
    low_below_points: float = 60.0
    # Departments whose means have a standard deviation of 10 points read the rubric differently.
    high_variance_points2: float = 100.0
    wide_spread_points: float = 20.0
    machine_off_points: float = 20.0
    bias_points: float = 5.0
    inconsistent_below: float = 0.7
    fewest_units: int = 5
    fewest_ratings: int = 5
    fewest_for_consistency: int = 8
    # A nominal 95 % interval covers 92-98 % from 8 sessions on, with 5 it may be 90 % (tests/accuracy/calibration.py).
    fewest_sessions: int = 8
    most_groups: int = 25
    fewest_people: int = 3
    tenured_from_days: int = 365
    fewest_of_agent: int = 3
    fewest_weeks: int = 4
    trend_weeks: int = 13

    @property
    def n_bands(self) -> int:
        return int(np.ceil(100 / self.band_points))


@dataclass(frozen=True)
class Panel:
    """`points` (units × raters) from 0 to 100, NaN where a rater did not rate the unit.

    A unit is what can be rated: a parameter of an interaction in a session. `sessions` holds each unit's session as a
    number; numbers follow the sessions' time.
    """

    points: np.ndarray
    sessions: np.ndarray

    @property
    def rated(self) -> np.ndarray:
        return ~np.isnan(self.points)

    @property
    def n_sessions(self) -> int:
        return len(np.unique(self.sessions))

    @property
    def n_units(self) -> int:
        return self.points.shape[0]

    @property
    def n_ratings(self) -> int:
        return int(self.rated.sum())

    @property
    def n_raters(self) -> int:
        return int(self.rated.any(axis=0).sum())

    def of(self, units: np.ndarray | slice, raters: np.ndarray | slice = slice(None)) -> Panel:
        """The panel of these units and raters only."""
        return Panel(self.points[units][:, raters], self.sessions[units])

    def comparable(self) -> Panel:
        """The units that two or more raters rated."""
        return self.of(self.rated.sum(axis=1) >= 2)

    def bands(self, options: CalibrationOptions) -> np.ndarray:
        """The band of each rating (units × raters), from 0; -1 where there is none. The top band holds 100 too."""
        # A hair of tolerance: 9 of 15 is 60 points, also when it is computed as 59.999999.
        bands = np.floor((np.nan_to_num(self.points) + 1e-9) / options.band_points).astype(int)
        return np.where(self.rated, np.minimum(bands, options.n_bands - 1), -1)


def leave_out_interval(
    panel: Panel,
    value: Callable[[Panel], float | np.ndarray],
    options: CalibrationOptions,
    *,
    whole: float | np.ndarray,
    n_sessions: np.ndarray | int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """95 % interval of `whole` = value(panel) over sessions: how much it moves when sessions are left out (jackknife).

    Sessions, not ratings, are what was drawn: ratings of a session belong together. Up to `most_groups` sessions are
    left out one by one, more of them in as many groups. Student's t with one degree less than the groups that
    matter: those of `n_sessions` (by element of the value; all by default). Returns low and high: NaN where there are
    fewer than `fewest_sessions` or the value is not defined without one of them; both the value where it never moves.
    Source: Tukey 1958; Kott 2001 for groups. Percentile bootstraps of 5-12 sessions cover 60-90 % instead of 95 %.
    """
    from scipy.stats import t

    numbers = np.unique(panel.sessions)
    whole = np.asarray(whole, dtype=float)
    nothing = np.full(whole.shape, np.nan)
    if len(numbers) < options.fewest_sessions:
        return nothing, nothing
    group = np.searchsorted(numbers, panel.sessions) % options.most_groups
    n_groups = min(len(numbers), options.most_groups)
    without = np.stack([np.asarray(value(panel.of(group != g)), dtype=float) for g in range(n_groups)])
    matter = np.minimum(n_groups if n_sessions is None else np.asarray(n_sessions), n_groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = (matter - 1) / matter * ((without - without.mean(axis=0)) ** 2).sum(axis=0)
        half = t.ppf(0.975, np.maximum(matter - 1, 1)) * np.sqrt(variance)
    half = np.where(half > 1e-9, half, np.where(np.isfinite(half), 0.0, np.nan))
    enough = (matter >= options.fewest_sessions) & np.isfinite(half)
    return np.where(enough, whole - half, np.nan), np.where(enough, whole + half, np.nan)
