"""Whether severe, lenient and inconsistent raters are found, and whether the intervals cover, on planted panels.

    python -m tests.accuracy calibration

Sessions are drawn from a model with a known truth: a call's worth, a rater's bias, a rater's noise, cut to 0-100 and
rounded as people round. Panels rotate: not everybody rates every call. Nothing here is real; the thresholds are those
of CalibrationOptions, and the seeds were not chosen.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from pipelines.calibration.agreement import agreement
from pipelines.calibration.panel import CalibrationOptions, Panel
from pipelines.calibration.raters import machine_estimate, rater_estimates
from tests.accuracy.figure import Figure

OPTIONS = CalibrationOptions()
FLAGS = ("severe", "lenient", "inconsistent")


@dataclass(frozen=True)
class Planted:
    """How raters of a panel differ: `bias` and `noise` in points, by rater; `share` of the calls that each rates."""

    bias: tuple[float, ...]
    noise: tuple[float, ...]
    sessions: int
    parameters: int = 4
    worth: float = 65.0
    worth_sd: float = 15.0
    share: float = 0.7
    expert: int | None = None

    def panel(self, rng: np.random.Generator) -> Panel:
        """Several parameters of each session's call: they share the call's worth."""
        units = self.sessions * self.parameters
        of_call = np.repeat(rng.standard_normal(self.sessions), self.parameters)
        worth = self.worth + self.worth_sd * (0.7 * of_call + 0.7 * rng.standard_normal(units))
        drawn = (
            worth[:, None] + np.array(self.bias) + np.array(self.noise) * rng.standard_normal((units, len(self.bias)))
        )
        points = np.clip(np.round(drawn), 0, 100)
        present = np.repeat(rng.random((self.sessions, len(self.bias))) < self.share, self.parameters, axis=0)
        if self.expert is not None:
            present[:, self.expert] = True
        return Panel(np.where(present, points, np.nan), np.repeat(np.arange(self.sessions), self.parameters))


TYPICAL = (0.0, 2.0, -2.0, 1.0, -1.0, 0.0)
NOISE = (6.0, 7.0, 5.0, 6.0, 7.0, 6.0)
PLANTED = {
    "one severe by 10": Planted((-10.0, *TYPICAL[1:]), NOISE, 20),
    "one lenient by 10": Planted((10.0, *TYPICAL[1:]), NOISE, 20),
    "one severe by 8, one lenient by 8": Planted((-8.0, 8.0, *TYPICAL[2:]), NOISE, 20),
    "one inconsistent (noise 20)": Planted(TYPICAL, (20.0, *NOISE[1:]), 20),
    "one severe by 10 and inconsistent": Planted((-10.0, *TYPICAL[1:]), (20.0, *NOISE[1:]), 20),
    "one severe by 15, panel of three": Planted((-15.0, 0.0, 1.0), (6.0, 6.0, 6.0), 20, share=1.0),
    "everybody typical": Planted(TYPICAL, NOISE, 20),
    "everybody typical, 8 sessions": Planted(TYPICAL, NOISE, 8),
    "everybody noisy (noise 15)": Planted(TYPICAL, (15.0,) * 6, 20),
    "everybody severe but the expert": Planted((0.0, -10.0, -10.0, -10.0), (6.0,) * 4, 20, expert=0),
}


def truth_of(planted: Planted) -> list[set[str]]:
    """What each rater is: 5 or more points off the expert (or the middle one), or twice as noisy as the middle one."""
    anchor = planted.bias[planted.expert] if planted.expert is not None else float(np.median(planted.bias))
    usual = float(np.median(planted.noise))
    found = []
    for bias, noise in zip(planted.bias, planted.noise, strict=True):
        off = bias - anchor
        is_what = {"severe"} if off <= -OPTIONS.bias_points else {"lenient"} if off >= OPTIONS.bias_points else set()
        found.append(is_what | ({"inconsistent"} if noise >= 2 * usual else set()))
    return found


def counted(planted: Planted, repeats: int, seed: int) -> Counter:
    """(flag, hit | missed | false | right) over all raters and repeats; also (bias, covered | missed)."""
    rng = np.random.default_rng(seed)
    experts = np.arange(len(planted.bias)) == planted.expert
    anchor = planted.bias[planted.expert] if planted.expert is not None else float(np.median(planted.bias))
    truth = truth_of(planted)
    found: Counter = Counter()
    for _ in range(repeats):
        estimates = rater_estimates(planted.panel(rng), experts, OPTIONS)
        for j, (estimate, is_what) in enumerate(zip(estimates, truth, strict=True)):
            if j == planted.expert:
                continue
            for flag in FLAGS:
                said, so = bool(getattr(estimate, f"is_{flag}")), flag in is_what
                found[flag, ("hit" if said else "missed") if so else ("false" if said else "right")] += 1
            if estimate.bias_low is not None:
                inside = estimate.bias_low <= planted.bias[j] - anchor <= estimate.bias_high
                found["bias", "covered" if inside else "missed"] += 1
    return found


def coverage(sessions: int, repeats: int, seed: int) -> dict[str, tuple[int, int]]:
    """Statistic → (intervals that hold the true value, intervals): the truth is that of 20,000 sessions."""
    planted = Planted(TYPICAL[:4], NOISE[:4], sessions, parameters=1, share=1.0)
    options = replace(OPTIONS, fewest_sessions=min(sessions, OPTIONS.fewest_sessions))
    rng = np.random.default_rng(seed)
    whole = agreement(Planted(TYPICAL[:4], NOISE[:4], 20_000, parameters=1, share=1.0).panel(rng), OPTIONS)
    found: dict[str, tuple[int, int]] = {}
    for _ in range(repeats):
        for name, estimate in agreement(planted.panel(rng), options).items():
            inside, count = found.get(name, (0, 0))
            if estimate.low is not None:
                found[name] = (inside + (estimate.low <= whole[name].value <= estimate.high), count + 1)
    return found


def machine_found(repeats: int, seed: int) -> tuple[float, float]:
    """Mean bias found of a machine that is 12 points above the middle rater, and of the rater who is 9.5 below."""
    planted = PLANTED["one severe by 10"]
    rng = np.random.default_rng(seed)
    machine_bias, rater_bias = [], []
    for _ in range(repeats):
        panel = planted.panel(rng).comparable()
        machine = (
            np.nanmean(panel.points - np.array(planted.bias), axis=1) + 11.5 + 8 * rng.standard_normal(panel.n_units)
        )
        machine_bias.append(machine_estimate(panel, np.zeros(6, dtype=bool), machine, OPTIONS).bias)
        rater_bias.append(rater_estimates(panel, np.zeros(6, dtype=bool), OPTIONS)[0].bias)
    return float(np.mean(machine_bias)), float(np.mean(rater_bias))


def figures(quick: bool = False) -> list[Figure]:
    """Sensitivity and false alarms by planted panel; coverage of the 95 % intervals."""
    repeats = 20 if quick else 150
    found = []
    note = "simulated; flags need 5 points and a 95 % interval, thresholds fixed beforehand"
    for seed, (name, planted) in enumerate(PLANTED.items()):
        counts = counted(planted, repeats, seed)
        for flag in FLAGS:
            hit, missed = counts[flag, "hit"], counts[flag, "missed"]
            false, right = counts[flag, "false"], counts[flag, "right"]
            if hit + missed:
                found.append(Figure(f"{flag} found", name, hit + missed, hit / (hit + missed), "", note=note))
            if false + right:
                found.append(Figure(f"{flag} false alarms", name, false + right, false / (false + right), ""))
        covered, missed = counts["bias", "covered"], counts["bias", "missed"]
        if covered + missed:
            share = covered / (covered + missed)
            found.append(Figure("bias interval covers", name, covered + missed, share, "", "nominal", 0.95))
    machine, rater = machine_found(repeats, 99)
    found.append(Figure("bias of a machine planted +12", "one severe by 10", repeats, machine, "points", "truth", 12.0))
    found.append(Figure("bias of a rater planted -9.5", "one severe by 10", repeats, rater, "points", "truth", -9.5))
    for sessions in (5, 8, 12, 25):
        few = f"not published: below {OPTIONS.fewest_sessions} sessions there is no interval" if sessions < 8 else ""
        for name, (inside, count) in coverage(sessions, 40 if quick else 300, sessions).items():
            share = inside / count
            data = f"{sessions} sessions, one parameter"
            found.append(Figure(f"{name} interval covers", data, count, share, "", "nominal", 0.95, few))
    return found


if __name__ == "__main__":
    from tests.accuracy.figure import table

    print(table(figures()))
