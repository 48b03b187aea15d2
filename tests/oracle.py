"""The IQS a second, slow, obvious way: fractions, loops, the rule files read as they stand. No SQL, nothing shared."""

from __future__ import annotations

import csv
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from statistics import median


def half_up(value: Fraction, digits: int) -> Fraction:
    """`value` (not negative) rounded to `digits` decimals, halves up."""
    return Fraction(math.floor(value * 10**digits + Fraction(1, 2)), 10**digits)


@dataclass(frozen=True)
class Score:
    """Score of one interaction. `parameters` holds (score, contribution) of the applicable ones, unrounded."""

    scorecard: str
    version: int
    iqs: Fraction
    unfailed: Fraction
    fail_reason: str | None
    parameters: Mapping[str, tuple[Fraction, Fraction]]


class Rules:
    """The rules in a seeds folder."""

    def __init__(self, folder: Path) -> None:
        def rows(name: str) -> list[dict[str, str]]:
            with open(folder / f"{name}.csv", newline="", encoding="utf-8") as file:
                return list(csv.DictReader(file))

        self.parameters = {r["parameter"]: r for r in rows("parameters")}
        # parameter -> metric -> first day of the version -> knots
        self.curves: dict[str, dict[str, dict[date, list[tuple[Fraction, Fraction]]]]] = {}
        for r in rows("score_curves"):
            versions = self.curves.setdefault(r["parameter"], {}).setdefault(r["metric"], {})
            knots = versions.setdefault(date.fromisoformat(r["valid_from"]), [])
            knots.append((Fraction(r["x"]), Fraction(r["score"])))
        self.scorecards = rows("scorecards")
        self.weights = rows("scorecard_weights")
        self.settings = {r["setting"]: Fraction(r["value"]) for r in rows("settings")}

    def scorecard(self, channel: str, call_type: str | None, day: date | None) -> tuple[str, int] | None:
        """Scorecard and version in force on `day` (None: the newest), or None."""
        fitting = [
            r
            for r in self.scorecards
            if r["channel"] == channel
            and r["call_type"] in ("*", call_type)
            and (day is None or date.fromisoformat(r["valid_from"]) <= day)
        ]
        own = [r for r in fitting if r["call_type"] != "*"]
        if not fitting:
            return None
        newest = max(own or fitting, key=lambda r: (r["valid_from"], int(r["version"])))
        return newest["scorecard"], int(newest["version"])

    def parameter_score(
        self, parameter: str, values: Mapping[tuple[str, str], float], day: date | None
    ) -> Fraction | None:
        """0 to 100 with 4 decimals by the curves of `day` (None: the newest), or None without the main metric."""
        rule = self.parameters[parameter]
        if values.get((rule["metric"], rule["party"])) is None:
            return None
        scores = {}
        for metric, versions in self.curves[parameter].items():
            begun = [first for first in versions if day is None or first <= day]
            knots = versions[max(begun) if begun else min(versions)]
            value = values.get((metric, rule["party"]))
            if value is not None:
                scores[metric] = half_up(on_curve(sorted(knots), millionths(value)), 4)
        main = scores[rule["metric"]]
        others = [s for metric, s in scores.items() if metric != rule["metric"]]
        if rule["combine"] == "scaled":
            return half_up(main * sum(others) / len(others) / 100, 4) if others else main
        return half_up(sum(scores.values()) / len(scores), 4)

    def score(
        self,
        values: Mapping[tuple[str, str], float],
        *,
        channel: str,
        call_type: str | None,
        day: date | None,
    ) -> Score | None:
        """Score of an interaction with these metric values, or None where nothing can score it."""
        card = self.scorecard(channel, call_type, day)
        if card is None:
            return None
        rows = [r for r in self.weights if (r["scorecard"], int(r["version"])) == card]
        scores = {r["parameter"]: self.parameter_score(r["parameter"], values, day) for r in rows}
        applicable = {r["parameter"]: Fraction(r["weight"]) for r in rows if scores[r["parameter"]] is not None}
        whole = sum(applicable.values())
        if whole == 0:
            return None
        parts = {p: (scores[p], w / whole * scores[p]) for p, w in applicable.items()}
        failing = sorted(
            r["parameter"]
            for r in rows
            if r["is_critical"].lower() == "true"
            and scores[r["parameter"]] is not None
            and scores[r["parameter"]] < Fraction(r["threshold"])
        )
        unfailed = half_up(sum(c for _, c in parts.values()), 4)
        return Score(
            *card,
            iqs=Fraction(0) if failing else unfailed,
            unfailed=unfailed,
            fail_reason=",".join(failing) or None,
            parameters=parts,
        )


def millionths(value: float) -> Fraction:
    """A measured value with 6 decimals, halves away from zero: what scores are computed from."""
    scaled = Fraction(abs(value) * 1_000_000)
    return half_up(scaled, 0) / 1_000_000 * (1 if value >= 0 else -1)


def on_curve(knots: list[tuple[Fraction, Fraction]], x: Fraction) -> Fraction:
    """Straight lines between the knots, level beyond the ends."""
    if x <= knots[0][0]:
        return knots[0][1]
    for (x0, y0), (x1, y1) in itertools.pairwise(knots):
        if x <= x1:
            return y0 + (x - x0) / (x1 - x0) * (y1 - y0)
    return knots[-1][1]


def mean_iqs(scores: Iterable[Fraction]) -> Fraction | None:
    """IQS of a group: the mean of its interactions' scores, 4 decimals; None of an empty group."""
    scores = list(scores)
    return half_up(sum(scores, Fraction(0)) / len(scores), 4) if scores else None


@dataclass(frozen=True)
class Resolution:
    """What is known of one interaction's resolution; `values` are the metrics that it adds."""

    resolved: float | None
    source: str | None
    repeats: int | None
    is_mature: bool
    aht_ratio: float | None

    @property
    def values(self) -> dict[tuple[str, str], float]:
        added = {("resolved", "call"): self.resolved, ("aht_ratio", "call"): self.aht_ratio}
        return {key: value for key, value in added.items() if value is not None}


WEEK = timedelta(days=7)
SETTLED = ("resolved", "closed", "solved", "done", "completed")


def resolutions(calls: Sequence, tickets: Sequence = (), *, enough: int) -> dict[str, Resolution]:
    """Resolution of every interaction that was read, by what all of `calls` and `tickets` tell.

    `enough` interactions of a channel and issue type in 28 days make a median handling time.
    """
    known_until = max((c.day for c in calls), default=None)
    read = [c for c in calls if c.outcome != "quarantined"]
    found = {}
    for call in read:
        mature = call.day + WEEK <= known_until
        evidence = call.values.get(("resolved_evidence", "call"))
        later = repeats_of(call, calls)
        ticket = ticket_of(call, tickets)
        if ticket is not None:
            truth, source = float(is_settled(call, ticket, later or [])), "ticket"
        elif later:
            truth, source = 0.0, "repeat_contact"
        elif later is not None and mature:
            truth, source = 1.0, "no_repeat_contact"
        else:
            truth, source = evidence, None if evidence is None else "evidence"
        ratio = handling_ratio(call, read, enough)
        found[call.id] = Resolution(truth, source, None if later is None else len(later), mature, ratio)
    return found


def repeats_of(call, calls: Iterable) -> list | None:
    """Contacts of the same customer on the same matter in the 7 days after; None where that can't be known."""
    if call.customer is None or call.issue_type is None:
        return None
    handed_on = call.transferred_at + timedelta(minutes=15) if call.transferred_at else None
    return [
        c
        for c in calls
        if (c.customer, c.issue_type) == (call.customer, call.issue_type)
        and call.started_at < c.started_at <= call.started_at + WEEK
        and (handed_on is None or c.started_at >= handed_on)
    ]


def ticket_of(call, tickets: Iterable):
    """The call's ticket: the one that names it, that it names, or that was its customer's on that matter then."""

    def rank(t) -> int | None:
        if t.interaction == call.id:
            return 1
        if t.id == call.ticket:
            return 2
        if None in (call.customer, call.issue_type, t.opened_at):
            return None
        if (t.customer, t.issue_type) != (call.customer, call.issue_type):
            return None
        last = t.reopened_at or t.resolved_at
        if t.opened_at > call.started_at + timedelta(days=1) or (last is not None and last < call.started_at):
            return None
        return 3

    ranked = [(rank(t), t) for t in tickets]
    ranked = [(r, -t.opened_at.timestamp() if t.opened_at else math.inf, t.id, t) for r, t in ranked if r is not None]
    return min(ranked, key=lambda r: r[:3])[3] if ranked else None


def is_settled(call, ticket, later: list) -> bool:
    """Whether the ticket was resolved within 7 days of the call, before the customer came again, and stayed so."""
    closes = call.started_at + WEEK
    status = (ticket.status or "").strip().lower()
    if ticket.reopened_at is None and status == "reopened":
        return False
    if ticket.reopened_at is not None and call.started_at < ticket.reopened_at <= closes:
        return False
    if ticket.resolved_at is None:
        return status in SETTLED
    if any(c.started_at < ticket.resolved_at for c in later):
        return False
    return ticket.resolved_at <= closes


def handling_s(call) -> tuple[float | None, float | None]:
    """Handling time with and without after-call work."""
    without = None
    talk_s = call.values.get(("conversation_s", "call"))
    if call.channel == "call" and talk_s is not None:
        without = talk_s + max(0.0, (call.hold_s or 0.0) - call.values.get(("hold_s", "call"), 0.0))
    if call.channel == "chat" and call.ended_at is not None and call.ended_at >= call.started_at:
        without = round((call.ended_at - call.started_at).total_seconds() * 1000) / 1000
    return call.values.get(("aht_s", "call")), without


def handling_ratio(call, read: Iterable, enough: int) -> float | None:
    """Handling time over the median of the same channel and issue type in the 28 days up to the call's."""
    if call.issue_type is None:
        return None
    alike = [
        c
        for c in read
        if (c.channel, c.issue_type) == (call.channel, call.issue_type) and 0 <= (call.day - c.day).days <= 27
    ]
    for kind in (0, 1):
        own = handling_s(call)[kind]
        all_ms = [round(s * 1000) for c in alike if (s := handling_s(c)[kind]) is not None]
        if own is not None and len(all_ms) >= enough and median(all_ms) > 0:
            return own * 1000 / median(all_ms)
    return None


# --- groups and periods
def spread(scores: Sequence[Fraction]) -> float | None:
    """Standard deviation of a sample; None below two values."""
    if len(scores) < 2:
        return None
    mean = sum(scores) / len(scores)
    return math.sqrt(sum((s - mean) ** 2 for s in scores) / (len(scores) - 1))


def interval(scores: Sequence[Fraction], quantiles: Mapping[int, Fraction]) -> tuple[float, float] | None:
    """95 % interval of the mean by Student's t, cut to 0 and 100; `quantiles` by degrees of freedom, the next lower."""
    if len(scores) < 2:
        return None
    quantile = quantiles[max(d for d in quantiles if d <= len(scores) - 1)]
    margin = float(quantile) * spread(scores) / math.sqrt(len(scores))
    mean = float(sum(scores) / len(scores))
    return max(mean - margin, 0.0), min(mean + margin, 100.0)


def shrunk(groups: Mapping[str, Sequence[Fraction]]) -> dict[str, tuple[float, float]]:
    """(estimate drawn to the mean of all, share of the group's own mean) of each group; empty without peers.

    One-way analysis of variance by its definition: squares within the groups and between them.
    """
    groups = {g: list(s) for g, s in groups.items() if s}
    k, n = len(groups), sum(map(len, groups.values()))
    if k < 2 or n == k:
        return {}
    grand = sum(sum(s) for s in groups.values()) / n
    means = {g: sum(s) / len(s) for g, s in groups.items()}
    within = sum((x - means[g]) ** 2 for g, s in groups.items() for x in s) / (n - k)
    squares_between = sum(len(s) * (means[g] - grand) ** 2 for g, s in groups.items()) / (k - 1)
    typical = (n - Fraction(sum(len(s) ** 2 for s in groups.values()), n)) / (k - 1)
    between = max((squares_between - within) / typical, Fraction(0))
    found = {}
    for g, s in groups.items():
        share = between / (between + within / len(s)) if between else Fraction(0)
        found[g] = (float(grand + share * (means[g] - grand)), float(share))
    return found


def case_mix(own: Mapping[str, Sequence[Fraction]], centre: Mapping[str, Sequence[Fraction]]) -> Fraction:
    """The centre's mean plus what the group scored above what the centre does on the group's own issue types."""
    everybody = [s for scores in centre.values() for s in scores]
    mine = [s for scores in own.values() for s in scores]
    expected = sum(len(s) * sum(centre[i]) / len(centre[i]) for i, s in own.items())
    return sum(everybody) / len(everybody) + (sum(mine) - expected) / len(mine)


@dataclass(frozen=True)
class Control:
    """Where a period stands on its control chart."""

    center: float
    low: float
    high: float
    rule: str | None


def control_chart(
    periods: Sequence[Sequence[Fraction]], *, points_at_least: int, scores_at_least: int
) -> list[Control | None]:
    """For each period (its scores, in order, none empty) the chart of the 20 before it; None with too few of them."""
    means = [float(sum(s) / len(s)) for s in periods]
    sizes = [len(s) for s in periods]
    moves = [None] + [
        abs(means[i] - means[i - 1]) / (math.sqrt(2 / math.pi) * math.sqrt(1 / sizes[i] + 1 / sizes[i - 1]))
        for i in range(1, len(periods))
    ]
    charts: list[tuple[float, float, float | None] | None] = []
    found: list[Control | None] = []
    for i in range(len(periods)):
        past = range(max(0, i - 20), i)
        if len(past) < points_at_least:
            charts.append(None)
            found.append(None)
            continue
        center = float(sum(sum(periods[j]) for j in past) / sum(sizes[j] for j in past))
        known = [moves[j] for j in past if moves[j] is not None]
        sigma = sum(known) / len(known) / math.sqrt(sizes[i])
        sigmas = (means[i] - center) / sigma if sigma else None
        charts.append((center, sigma, sigmas))
        last = [c[2] for c in charts[max(0, i - 7) :] if c is not None]
        rule = None
        if sizes[i] >= scores_at_least and sigmas is not None:
            low = [s is not None and s < -2 for s in last[-3:]]
            below = [s is not None and s < 0 for s in last]
            if sigmas < -3:
                rule = "below the lower limit"
            elif low[-1] and sum(low) >= 2:
                rule = "2 of 3 more than 2 sigma below the center"
            elif len(below) == 8 and all(below):
                rule = "8 in a row below the center"
        found.append(Control(center, max(center - 3 * sigma, 0.0), min(center + 3 * sigma, 100.0), rule))
    return found


@dataclass(frozen=True)
class Change:
    """Why a mean changed, in points; the parts add up to `total`."""

    total: Fraction
    behaviour: Fraction
    mix: Fraction
    scorecard: Fraction
    extractor: Fraction
    is_separable: bool


def change(before: Sequence, after: Sequence) -> Change:
    """The change from `before` to `after`: rows with issue_type, channel, extractor, as_scored and restated.

    Behaviour and mix by Kitagawa's symmetric split over issue types, restated. Of the behaviour the extractor gets what
    is not found between rows of the same issue type, channel and extractor.
    """

    def mean(rows: Sequence, basis: str) -> Fraction:
        return sum(getattr(r, basis) for r in rows) / len(rows)

    def by(rows: Iterable, *names: str) -> dict[tuple, list]:
        groups: dict[tuple, list] = {}
        for r in rows:
            groups.setdefault(tuple(getattr(r, n) for n in names), []).append(r)
        return groups

    def split(then: Sequence, now: Sequence, *names: str) -> Fraction | None:
        """Change within the groups that both have; None where they share none."""
        old, new = by(then, *names), by(now, *names)
        shared = sorted(old.keys() & new.keys())
        if not shared:
            return None
        return sum(
            (Fraction(len(old[g]), len(then)) + Fraction(len(new[g]), len(now)))
            / 2
            * (mean(new[g], "restated") - mean(old[g], "restated"))
            for g in shared
        )

    within_issues = split(before, after, "issue_type") or Fraction(0)
    extractor, separable = Fraction(0), True
    old, new = by(before, "issue_type", "channel"), by(after, "issue_type", "channel")
    for cell in old.keys() & new.keys():
        weight = (Fraction(len(old[cell]), len(before)) + Fraction(len(new[cell]), len(after))) / 2
        alike = split(old[cell], new[cell], "extractor")
        separable &= alike is not None
        whole = mean(new[cell], "restated") - mean(old[cell], "restated")
        extractor += weight * (whole - (alike or 0))
    restated = mean(after, "restated") - mean(before, "restated")
    total = mean(after, "as_scored") - mean(before, "as_scored")
    behaviour = within_issues - extractor
    return Change(total, behaviour, restated - behaviour - extractor, total - restated, extractor, separable)


def components(cells: Mapping[tuple[str, str], Sequence[Fraction]]) -> tuple[Fraction, Fraction, Fraction] | None:
    """Variance of agents, of issue types, and the rest, from scores by (agent, issue type): Henderson's method 1.

    Sums of squares are counted out; what each component adds to them is counted out too, cell by cell; then the three
    equations are solved by elimination. Negative estimates are 0. None where they can't be solved.
    """
    cells = {c: list(s) for c, s in cells.items() if s}
    agents, issues = {a for a, _ in cells}, {i for _, i in cells}
    n = sum(map(len, cells.values()))
    if len(agents) < 2 or len(issues) < 2 or n <= len(agents) + len(issues):
        return None
    everything = [x for s in cells.values() for x in s]
    correction = sum(everything) ** 2 / n

    def of(agent=None, issue=None) -> list[list[Fraction]]:
        return [s for (a, i), s in cells.items() if agent in (None, a) and issue in (None, i)]

    def squares(groups: Iterable[list[list[Fraction]]]) -> Fraction:
        return sum(sum(map(sum, g)) ** 2 / Fraction(sum(map(len, g))) for g in groups) - correction

    size = {("a", a): sum(map(len, of(agent=a))) for a in agents} | {
        ("i", i): sum(map(len, of(issue=i))) for i in issues
    }
    k_agents = Fraction(sum(size["a", a] ** 2 for a in agents), n)
    k_issues = Fraction(sum(size["i", i] ** 2 for i in issues), n)
    issues_in_agents = sum(Fraction(len(s) ** 2, size["a", a]) for (a, _), s in cells.items()) - k_issues
    agents_in_issues = sum(Fraction(len(s) ** 2, size["i", i]) for (_, i), s in cells.items()) - k_agents
    equations = [
        [n - k_agents, issues_in_agents, len(agents) - 1, squares(of(agent=a) for a in agents)],
        [agents_in_issues, n - k_issues, len(issues) - 1, squares(of(issue=i) for i in issues)],
        [n - k_agents, n - k_issues, n - 1, sum(x * x for x in everything) - correction],
    ]
    solved = solve(equations)
    return None if solved is None else tuple(max(Fraction(0), v) for v in solved)


def solve(equations: list[list[Fraction]]) -> list[Fraction] | None:
    """Unknowns of linear equations (coefficients, then the constant) by elimination; None without a single answer."""
    rows = [[Fraction(x) for x in row] for row in equations]
    for i in range(len(rows)):
        pivot = next((r for r in range(i, len(rows)) if rows[r][i] != 0), None)
        if pivot is None:
            return None
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [x / rows[i][i] for x in rows[i]]
        for r in range(len(rows)):
            if r != i:
                rows[r] = [x - rows[r][i] * y for x, y in zip(rows[r], rows[i], strict=True)]
    return [row[-1] for row in rows]


def spearman(pairs: Sequence[tuple]) -> float | None:
    """Rank correlation; ties share their mean rank. None below four pairs, or where one side is always the same."""

    def ranks(values: Sequence) -> list[float]:
        return [sum(w < v for w in values) + (sum(w == v for w in values) + 1) / 2 for v in values]

    if len(pairs) < 4:
        return None
    x, y = (ranks(side) for side in zip(*pairs, strict=True))
    mean = (len(pairs) + 1) / 2
    both = sum((a - mean) * (b - mean) for a, b in zip(x, y, strict=True))
    x2, y2 = sum((a - mean) ** 2 for a in x), sum((b - mean) ** 2 for b in y)
    return both / math.sqrt(x2 * y2) if x2 and y2 else None
