"""How each rater rates: the level (severe, lenient) is told apart from the order (consistent or not)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.calibration.panel import CalibrationOptions, Panel, leave_out_interval


@dataclass(frozen=True)
class RaterEstimate:
    """One rater beside the others. Points are of 100; None where there is no value, `reason` then says why."""

    n: int
    n_sessions: int
    reference_kind: str
    bias: float | None
    bias_low: float | None
    bias_high: float | None
    correlation: float | None
    correlation_low: float | None
    correlation_high: float | None
    is_severe: bool | None
    is_lenient: bool | None
    is_inconsistent: bool | None
    reason: str | None
    interval_reason: str | None


def rater_estimates(
    panel: Panel, experts: np.ndarray, options: CalibrationOptions | None = None
) -> list[RaterEstimate]:
    """An estimate for each rater (column) of `panel`; `experts` (raters,) says who is the reference for the others.

    Bias: raters are compared on the units that they rated in common (additive model rating = unit + rater, least
    squares), so that who rated the harder calls is not taken for severe. It is counted from the other experts; without
    one from the middle rater, not from the mean, which one severe rater would shift. Correlation: with the mean of the
    others on the same units, their own bias taken off. Flags are None where the data can't tell.
    """
    options = options or CalibrationOptions()
    return _estimates(panel, np.asarray(experts, dtype=bool), _people, options)


def machine_estimate(
    panel: Panel, experts: np.ndarray, machine: np.ndarray, options: CalibrationOptions | None = None
) -> RaterEstimate:
    """The machine beside the people of `panel`; `machine` (units,) holds its points, NaN where it has none.

    The people's bias is that of `rater_estimates`: the machine does not shift it.
    """
    options = options or CalibrationOptions()
    both = Panel(np.column_stack([panel.points, machine]), panel.sessions)
    return _estimates(both, np.append(np.asarray(experts, dtype=bool), False), _with_machine, options)[-1]


def _estimates(panel: Panel, experts: np.ndarray, measure, options: CalibrationOptions) -> list[RaterEstimate]:
    panel = panel.comparable()
    rated, n_raters = panel.rated, panel.points.shape[1]
    if not panel.n_units:
        return [_none(0, 0, "not_compared")] * n_raters
    n = rated.sum(axis=0)
    n_sessions = np.array([len(np.unique(panel.sessions[rated[:, j]])) for j in range(n_raters)])
    with np.errstate(invalid="ignore", divide="ignore"):
        whole = measure(panel, experts)
        low, high = leave_out_interval(
            panel, lambda p: measure(p, experts), options, whole=whole, n_sessions=np.tile(n_sessions, 2)
        )
    (bias, z), (bias_low, z_low), (bias_high, z_high) = (np.split(a, 2) for a in (whole, low, high))
    island = _islands(panel)
    others = ~np.eye(n_raters, dtype=bool)
    peers = (island[:, None] == island[None, :]) & (n > 0)[None, :]
    has_expert = (peers & others & experts[None, :]).any(axis=1)
    # Two people without an expert: who of them is off can't be told.
    can_tell = has_expert | (peers.sum(axis=1) >= options.fewest_people)
    known = np.isfinite(z) & (n >= options.fewest_for_consistency)
    found = []
    for j in range(n_raters):
        if n[j] < options.fewest_ratings or not np.isfinite(bias[j]):
            found.append(_none(int(n[j]), int(n_sessions[j]), "too_few_ratings" if n[j] else "not_compared"))
            continue
        # The same difference in every session is no spread to take an interval from, but certain enough.
        sure, moves = np.isfinite(bias_low[j]), bias_high[j] > bias_low[j]
        tells = bool(can_tell[j] and sure)
        middle = float(np.median(z[known & others[j]])) if (known & others[j]).sum() >= 2 else None
        ordered = bool(can_tell[j] and known[j] and np.isfinite(z_high[j]) and middle is not None)
        found.append(
            RaterEstimate(
                n=int(n[j]),
                n_sessions=int(n_sessions[j]),
                reference_kind="expert" if has_expert[j] else "panel",
                bias=float(bias[j]),
                bias_low=float(bias_low[j]) if moves else None,
                bias_high=float(bias_high[j]) if moves else None,
                correlation=_or_none(np.tanh(z[j])),
                correlation_low=float(np.tanh(z_low[j])) if z_high[j] > z_low[j] else None,
                correlation_high=float(np.tanh(z_high[j])) if z_high[j] > z_low[j] else None,
                is_severe=bool(bias[j] <= -options.bias_points and bias_high[j] < 0) if tells else None,
                is_lenient=bool(bias[j] >= options.bias_points and bias_low[j] > 0) if tells else None,
                is_inconsistent=bool(np.tanh(z[j]) < options.inconsistent_below and z_high[j] < middle)
                if ordered
                else None,
                reason=None,
                interval_reason=None
                if moves
                else "too_few_sessions"
                if n_sessions[j] < options.fewest_sessions
                else "no_spread",
            )
        )
    return found


def _none(n: int, n_sessions: int, reason: str) -> RaterEstimate:
    empty = dict.fromkeys(("bias", "bias_low", "bias_high", "correlation", "correlation_low", "correlation_high"))
    flags = dict.fromkeys(("is_severe", "is_lenient", "is_inconsistent"))
    return RaterEstimate(n, n_sessions, "none", **empty, **flags, reason=reason, interval_reason=reason)


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


# --- the additive model
def rater_effects(panel: Panel) -> np.ndarray:
    """Least-squares effect of each rater in rating = unit + rater; they sum to 0 among raters who can be compared."""
    rated = panel.rated.astype(float)
    m = np.maximum(rated.sum(axis=1), 1)
    points = np.nan_to_num(panel.points)
    above_unit = np.where(panel.rated, points - (points.sum(axis=1) / m)[:, None], 0.0).sum(axis=0)
    normal = np.diag(rated.sum(axis=0)) - (rated / m[:, None]).T @ rated
    return np.linalg.pinv(normal, hermitian=True) @ above_unit


def _islands(panel: Panel) -> np.ndarray:
    """Raters who can be compared, directly or over others, have the same number."""
    rated = panel.rated.astype(int)
    linked = (rated.T @ rated) > 0
    island = np.arange(len(linked))
    for _ in range(len(linked)):
        reached = np.where(linked, island[None, :], len(linked)).min(axis=1)
        reached = np.minimum(reached, island)
        if (reached == island).all():
            break
        island = reached
    return island


def _anchors(effects: np.ndarray, n: np.ndarray, island: np.ndarray, experts: np.ndarray, without: int | None):
    """For each island the effect of its reference: its experts' (less rater `without`), else its middle rater's."""
    anchors = {}
    for number in np.unique(island[n > 0]):
        members = (island == number) & (n > 0)
        chosen = members & experts
        if without is not None:
            chosen[without] = False
        if chosen.any():
            anchors[number] = np.average(effects[chosen], weights=n[chosen])
        else:
            anchors[number] = np.median(effects[members])
    return anchors


def _people(panel: Panel, experts: np.ndarray) -> np.ndarray:
    """Bias of each rater, then Fisher's z of the correlation of each rater with the others."""
    effects, n, island = rater_effects(panel), panel.rated.sum(axis=0), _islands(panel)
    bias = np.full(len(effects), np.nan)
    for j in np.flatnonzero(n):
        own = int(j) if experts[j] else None
        bias[j] = effects[j] - _anchors(effects, n, island, experts, own)[island[j]]
    level = _at_reference_level(panel, effects, n, island, experts)
    z = [_fisher_z(panel.points[:, j], _mean_of_others(level, j)) for j in range(len(effects))]
    return np.concatenate([bias, z])


def _with_machine(panel: Panel, experts: np.ndarray) -> np.ndarray:
    people = panel.of(slice(None), slice(0, -1))
    machine = panel.points[:, -1]
    paired = people.comparable()
    measured = _people(paired, experts[:-1]) if paired.n_units else np.full(2 * (len(experts) - 1), np.nan)
    bias, z = np.split(measured, 2)
    effects, n, island = rater_effects(paired), paired.rated.sum(axis=0), _islands(paired)
    level = _mean_of_others(_at_reference_level(people, effects, n, island, experts[:-1]), None)
    apart = machine - level
    apart = apart[np.isfinite(apart)]
    return np.concatenate([bias, [apart.mean() if len(apart) else np.nan], z, [_fisher_z(machine, level)]])


def _at_reference_level(panel: Panel, effects, n, island, experts) -> np.ndarray:
    """The ratings with each rater's bias taken off (units × raters): what the reference would have given."""
    anchors = _anchors(effects, n, island, experts, None)
    bias = np.array([effects[j] - anchors[island[j]] if n[j] else 0.0 for j in range(len(effects))])
    return panel.points - bias[None, :]


def _mean_of_others(level: np.ndarray, rater: int | None) -> np.ndarray:
    others = level if rater is None else np.delete(level, rater, axis=1)
    count = (~np.isnan(others)).sum(axis=1)
    return np.where(count > 0, np.nansum(others, axis=1) / np.maximum(count, 1), np.nan)


def _fisher_z(own: np.ndarray, others: np.ndarray) -> float:
    both = np.isfinite(own) & np.isfinite(others)
    if both.sum() < 4 or np.ptp(own[both]) < 1e-9 or np.ptp(others[both]) < 1e-9:
        return np.nan
    return float(np.arctanh(np.clip(np.corrcoef(own[both], others[both])[0, 1], -0.999999, 0.999999)))


def in_words(rater: RaterEstimate, kind: str) -> str:
    """What the estimate means, for a manager. `kind` is reviewer, department or machine."""
    if rater.reason == "not_compared":
        return "Nobody else rated the same: nothing to compare."
    if rater.reason is not None:
        return f"Too few ratings to tell: {rater.n}."
    against = "the expert" if rater.reference_kind == "expert" else f"the middle {_OF[kind]}"
    if round(rater.bias) == 0:
        level = f"level with {against}"
    else:
        level = f"{abs(rater.bias):.0f} points {'above' if rater.bias > 0 else 'below'} {against}"
    interval = "" if rater.bias_low is None else f" (95 %: {rater.bias_low:+.1f} to {rater.bias_high:+.1f})"
    follows = "" if rater.correlation is None else f", correlation {rater.correlation:.2f}"
    if rater.is_severe is None:
        why = (
            "Two people without an expert: which of them is off can't be told"
            if rater.interval_reason is None
            else "Not yet certain"
        )
        return f"{why}. {level}{interval}{follows}."
    parts = []
    if rater.is_severe or rater.is_lenient:
        parts.append(f"{'Severe' if rater.is_severe else 'Lenient'}: {level}{interval}")
    if rater.is_inconsistent:
        parts.append(f"Inconsistent: ranks the calls differently from the others{follows}")
    if not parts:
        return f"In line: {level}{interval}{follows}."
    if not rater.is_inconsistent:
        remedy = (
            _REMEDY_LEVEL[kind] if rater.is_inconsistent is False else "Whether it is consistent is not certain yet"
        )
    else:
        remedy = _REMEDY_ORDER[kind]
    return f"{'. '.join(parts)}. {remedy}."


_OF = {"reviewer": "rater", "department": "department", "machine": "rater"}
_REMEDY_LEVEL = {
    "reviewer": "Ranks the calls as the others do: agree on what a rating stands for",
    "department": "Ranks the calls as the others do: agree on what a rating stands for",
    "machine": "Ranks the calls as people do: shift the parameter's curve",
}
_REMEDY_ORDER = {
    "reviewer": "Go through the rubric together, call by call",
    "department": "Go through the rubric together, call by call",
    "machine": "Listen to the calls that differ most before relying on this parameter",
}
