"""How far raters agree: shares of equal ratings, and coefficients that take chance away.

Cohen's, weighted and Fleiss' kappa are statsmodels'. Krippendorff's alpha, Gwet's AC1 and the ICC are written out: the
libraries that have them are under the GPL or don't run with current versions; tests hold them against published
tables, and alpha against the package krippendorff.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np

from pipelines.calibration.panel import CalibrationOptions, Panel, leave_out_interval
from pipelines.contracts.calibration import STATISTICS


@dataclass(frozen=True)
class Estimate:
    """A statistic, its 95 % interval and what it rests on; `reason` and `interval_reason` where there is none."""

    value: float | None
    low: float | None
    high: float | None
    n_units: int
    n_ratings: int
    n_raters: int
    n_sessions: int
    reason: str | None
    interval_reason: str | None


@dataclass(frozen=True)
class _Plan:
    """The ratings that a statistic takes, and what it makes of a part of them; `whole`: of all, by a library."""

    panel: Panel
    value: Callable[[Panel], float]
    whole: Callable[[Panel], float] | None = None


def agreement(panel: Panel, options: CalibrationOptions | None = None) -> dict[str, Estimate]:
    """Every statistic of STATISTICS for the raters of `panel`: a value with its interval, or the reason for none."""
    options = options or CalibrationOptions()
    compared = panel.comparable()
    return {name: _estimate(name, compared, options) for name in STATISTICS}


def _estimate(name: str, panel: Panel, options: CalibrationOptions) -> Estimate:
    if panel.n_raters < 2:
        return _nothing(panel, "too_few_raters")
    if panel.n_units < options.fewest_units:
        return _nothing(panel, "too_few_units")
    plan = _PLANS[name](panel, options)
    if plan is None:
        return _nothing(panel, "no_common_block")
    used = plan.panel
    with np.errstate(invalid="ignore", divide="ignore"):
        value = (plan.whole or plan.value)(used)
        if not np.isfinite(value):
            return _nothing(used, "no_variation")
        low, high = (float(end) for end in leave_out_interval(used, plan.value, options, whole=value))
    reason = None
    if np.isfinite(low) and low < high:
        if STATISTICS[name].is_share:
            low, high = _of_share(value, high - value)
        high = min(high, 1.0)
    else:
        low = high = None
        reason = "too_few_sessions" if used.n_sessions < options.fewest_sessions else "no_spread"
    return Estimate(value, low, high, *_counts(used), None, reason)


def _of_share(share: float, half: float) -> tuple[float, float]:
    """The interval on the logit scale: a share near 0 or 1 has room on one side only. Source: Agresti 2013, §3.1."""
    if not 0 < share < 1:
        return max(share - half, 0.0), min(share + half, 1.0)
    middle, half = np.log(share / (1 - share)), half / (share * (1 - share))
    return float(1 / (1 + np.exp(half - middle))), float(1 / (1 + np.exp(-half - middle)))


def _nothing(panel: Panel, reason: str) -> Estimate:
    return Estimate(None, None, None, *_counts(panel), reason, reason)


def _counts(panel: Panel) -> tuple[int, int, int, int]:
    return panel.n_units, panel.n_ratings, panel.n_raters, panel.n_sessions


# --- shares
def within_share(panel: Panel, tolerance_points: float) -> float:
    """Share of all pairs of ratings of a unit that are at most `tolerance_points` apart; NaN where there is no pair."""
    close = pairs = 0
    for a, b in combinations(range(panel.points.shape[1]), 2):
        distance = np.abs(panel.points[:, a] - panel.points[:, b])
        pairs += int((~np.isnan(distance)).sum())
        close += int((distance <= tolerance_points + 1e-9).sum())
    return close / pairs if pairs else np.nan


def _exact(panel: Panel, options: CalibrationOptions) -> _Plan:
    whole = Panel(np.floor(panel.points + 0.5), panel.sessions)
    return _Plan(whole, lambda p: within_share(p, 0.0))


def _within(panel: Panel, options: CalibrationOptions) -> _Plan:
    return _Plan(panel, lambda p: within_share(p, options.tolerance_points))


# --- kappas: on bands
def cohen_kappa(bands: np.ndarray, n_bands: int, *, weighted: bool = False) -> float:
    """Cohen's kappa of two raters; `bands` (units × 2), -1 where missing. NaN where it is not defined.

    `weighted`: by the square of the difference. Source: Cohen 1960, 1968; statsmodels.
    """
    from statsmodels.stats.inter_rater import cohens_kappa

    table = _pair_tables(bands, n_bands, [(0, 1)])[0]
    if not table.sum():
        return np.nan
    return float(cohens_kappa(table, wt="quadratic" if weighted else None, return_results=False))


def _pair_tables(bands: np.ndarray, n_bands: int, pairs: list[tuple[int, int]]) -> np.ndarray:
    """How often the two raters of each pair gave which two bands (pairs × bands × bands)."""
    a, b = bands[:, [p for p, _ in pairs]], bands[:, [p for _, p in pairs]]
    unit, pair = np.nonzero((a >= 0) & (b >= 0))
    cell = (pair * n_bands + a[unit, pair]) * n_bands + b[unit, pair]
    return np.bincount(cell, minlength=len(pairs) * n_bands**2).reshape(len(pairs), n_bands, n_bands)


def cohen_kappas(tables: np.ndarray, *, weighted: bool = False) -> np.ndarray:
    """The same of many tables at once (pairs × bands × bands): statsmodels takes 0.2 ms for each."""
    steps = np.arange(tables.shape[1])
    apart = (steps[:, None] - steps[None, :]) ** 2 if weighted else steps[:, None] != steps[None, :]
    by_chance = tables.sum(axis=2)[:, :, None] * tables.sum(axis=1)[:, None, :] / tables.sum(axis=(1, 2))[:, None, None]
    return 1 - (apart * tables).sum(axis=(1, 2)) / (apart * by_chance).sum(axis=(1, 2))


def _cohen(panel: Panel, options: CalibrationOptions, *, weighted: bool) -> _Plan | None:
    rated = panel.rated.astype(int)
    common = rated.T @ rated
    pairs = [
        p for p in combinations(range(panel.points.shape[1]), 2) if common[p] >= options.fewest_units
    ]  # of fewer units, a pair's kappa is noise
    if not pairs:
        return None
    weights = np.array([common[p] for p in pairs])

    def mean_of(kappas: np.ndarray) -> float:
        known = np.isfinite(kappas)
        return float(np.average(kappas[known], weights=weights[known])) if known.any() else np.nan

    def of_part(part: Panel) -> float:
        return mean_of(cohen_kappas(_pair_tables(part.bands(options), options.n_bands, pairs), weighted=weighted))

    def of_all(whole: Panel) -> float:
        bands = whole.bands(options)
        return mean_of(np.array([cohen_kappa(bands[:, list(p)], options.n_bands, weighted=weighted) for p in pairs]))

    in_pairs = np.isin(np.arange(panel.points.shape[1]), sorted({rater for pair in pairs for rater in pair}))
    used = Panel(np.where(in_pairs[None, :], panel.points, np.nan), panel.sessions).comparable()
    return _Plan(used, of_part, of_all)


def _fleiss(panel: Panel, options: CalibrationOptions) -> _Plan | None:
    """On the units with the number of ratings that gives most ratings: Fleiss' kappa takes equally many a unit."""
    from statsmodels.stats.inter_rater import fleiss_kappa

    per_unit = panel.rated.sum(axis=1)
    sizes, units = np.unique(per_unit, return_counts=True)
    fits = units >= options.fewest_units
    if not fits.any():
        return None
    size = sizes[fits][np.argmax(sizes[fits] * units[fits])]
    return _Plan(panel.of(per_unit == size), lambda p: float(fleiss_kappa(_band_counts(p, options))))


def _band_counts(panel: Panel, options: CalibrationOptions) -> np.ndarray:
    bands = panel.bands(options)
    return np.stack([(bands == band).sum(axis=1) for band in range(options.n_bands)], axis=1)


def gwet_ac1(counts: np.ndarray) -> float:
    """Gwet's AC1 from `counts` (units × categories) of ratings; units may have different numbers of ratings.

    NaN where no unit has two ratings. Source: Gwet 2008; with missing ratings Gwet 2014, §2.
    """
    n = counts.sum(axis=1)
    pairs = counts[n >= 2]
    m = n[n >= 2]
    if not len(m):
        return np.nan
    observed = ((pairs * (pairs - 1)).sum(axis=1) / (m * (m - 1))).mean()
    share = (counts[n >= 1] / n[n >= 1, None]).mean(axis=0)
    by_chance = (share * (1 - share)).sum() / (counts.shape[1] - 1)
    return float((observed - by_chance) / (1 - by_chance))


def _ac1(panel: Panel, options: CalibrationOptions) -> _Plan:
    return _Plan(panel, lambda p: gwet_ac1(_band_counts(p, options)))


# --- Krippendorff's alpha
def krippendorff_alpha(points: np.ndarray) -> float:
    """Alpha for interval data, `points` (units × raters) with NaN where missing; NaN where all ratings are alike.

    Source: Krippendorff 2004, ch. 11. Sums of squares instead of the matrix of coincidences: any number of values.
    """
    rated = ~np.isnan(points)
    m = rated.sum(axis=1)
    points, rated, m = points[m >= 2], rated[m >= 2], m[m >= 2]
    n = m.sum()
    if not n:
        return np.nan
    centred = np.where(rated, points - points[rated].mean(), 0.0)
    total, squares = centred.sum(axis=1), (centred**2).sum(axis=1)
    within = np.where(rated, centred - (total / m)[:, None], 0.0)
    observed = 2 * (m * (within**2).sum(axis=1) / (m - 1)).sum() / n
    expected = 2 * (n * squares.sum() - total.sum() ** 2) / (n * (n - 1))
    return float(1 - observed / expected) if expected > 1e-12 else np.nan


def krippendorff_alpha_ordinal(bands: np.ndarray, n_bands: int) -> float:
    """Alpha for ordered categories, `bands` (units × raters) from 0, -1 where missing; NaN where all are alike.

    Source: Krippendorff 2004, ch. 11.
    """
    counts = np.stack([(bands == band).sum(axis=1) for band in range(n_bands)], axis=1).astype(float)
    m = counts.sum(axis=1)
    counts, m = counts[m >= 2], m[m >= 2]
    together = (counts.T / (m - 1)) @ counts - np.diag((counts / (m - 1)[:, None]).sum(axis=0))
    of_band = counts.sum(axis=0)
    below = np.cumsum(of_band) - of_band / 2
    distance = (below[:, None] - below[None, :]) ** 2
    n = of_band.sum()
    expected = (np.outer(of_band, of_band) * distance).sum()
    return float(1 - (n - 1) * (together * distance).sum() / expected) if expected > 0 else np.nan


def _alpha(panel: Panel, options: CalibrationOptions) -> _Plan:
    return _Plan(panel, lambda p: krippendorff_alpha(p.points))


def _alpha_ordinal(panel: Panel, options: CalibrationOptions) -> _Plan:
    return _Plan(panel, lambda p: krippendorff_alpha_ordinal(p.bands(options), options.n_bands))


# --- intraclass correlation
def icc_2_1(points: np.ndarray) -> float:
    """ICC(2,1) of `points` (units × raters) without gaps; NaN where nothing varies.

    Source: Shrout & Fleiss 1979, case 2: two-way random effects, absolute agreement, single rating.
    """
    n, k = points.shape
    if n < 2 or k < 2:
        return np.nan
    mean = points.mean()
    of_unit, of_rater = points.mean(axis=1), points.mean(axis=0)
    between_units = k * ((of_unit - mean) ** 2).sum() / (n - 1)
    between_raters = n * ((of_rater - mean) ** 2).sum() / (k - 1)
    left = ((points - of_unit[:, None] - of_rater[None, :] + mean) ** 2).sum() / ((n - 1) * (k - 1))
    whole = between_units + (k - 1) * left + k * (between_raters - left) / n
    return float((between_units - left) / whole) if whole > 1e-12 else np.nan


def _icc(panel: Panel, options: CalibrationOptions) -> _Plan | None:
    """On the most ratings that make a block without gaps: raters join in the order of how much they rated."""
    rated = panel.rated
    order = np.argsort(-rated.sum(axis=0), kind="stable")
    best, most = None, 0
    for k in range(2, len(order) + 1):
        units = rated[:, order[:k]].all(axis=1)
        if units.sum() >= options.fewest_units and units.sum() * k >= most:
            best, most = (units, order[:k]), int(units.sum()) * k
    return None if best is None else _Plan(panel.of(*best), lambda p: icc_2_1(p.points))


_PLANS: dict[str, Callable[[Panel, CalibrationOptions], _Plan | None]] = {
    "exact_agreement": _exact,
    "within_tolerance": _within,
    "cohen_kappa": partial(_cohen, weighted=False),
    "weighted_kappa": partial(_cohen, weighted=True),
    "fleiss_kappa": _fleiss,
    "gwet_ac1": _ac1,
    "krippendorff_alpha": _alpha,
    "krippendorff_alpha_ordinal": _alpha_ordinal,
    "icc_2_1": _icc,
}
