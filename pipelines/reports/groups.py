"""The pages of agents and campaigns: how they stand, how their parameters move, who works there, which calls to hear.

`facts_of` reads what a page is made of, `page` draws it. What is costly (charts, long tables) is drawn by `page` alone,
so that a page whose facts have not changed need not be drawn again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from markupsafe import Markup

from pipelines.reports import charts, facts, words
from pipelines.reports.facts import Period, Publication, Row
from pipelines.reports.parts import (
    Pages,
    ReportOptions,
    Table,
    change_words,
    chart,
    decimal,
    missing,
    or_missing,
)
from pipelines.reports.words import MISSING, count, number, percent

KINDS = {"agent": "Agent", "campaign": "Campaign"}
DAYS_UP_TO_WEEKS = 6  # Below so many weeks a line of weeks says nothing yet: the days are drawn.
# What the pages show of a period: the rest of its row may change without the page changing.
_SHOWN = (
    "period_start",
    "received",
    "n",
    "iqs",
    "iqs_low",
    "iqs_high",
    "iqs_sd",
    "is_ranked",
    "failed",
    "xmr_center",
    "xmr_low",
    "xmr_high",
    "dip",
    "dip_rule",
)
_QUEUED = (
    "parameter_name",
    "score",
    "metric",
    "evidence",
    "clip_start_s",
    "clip_end_s",
    "interaction_id",
    "call_date",
    "campaign",
    "issue_type",
    "points_lost",
)


@dataclass(frozen=True)
class GroupFacts:
    """All that a page of an agent or a campaign says: equal facts give equal pages, and their repr is equal.

    What depends on everybody's calls (shrunk estimates and the like) stands here as it is written, so that a call
    elsewhere does not change it. `now` is None where nothing came in in the headline's week.
    """

    kind: str
    value: str
    name: str
    team: str | None
    hired_on: date | None
    week: Period
    now: Mapping[str, Any] | None
    weeks: Sequence[Row]
    days: Sequence[Row]
    change: Mapping[str, Any] | None
    parameters: Sequence[Row]
    peers: Mapping[str, tuple[Any, ...]]
    coached: Sequence[str]
    issues: Table
    agents: Sequence[Row]
    agents_from: date
    best: Table
    worst: Table
    coaching: Sequence[Mapping[str, Any]]


def facts_of(
    publication: Publication, kind: str, week: Period, links: Pages, options: ReportOptions
) -> Iterator[GroupFacts]:
    """The facts of each agent or campaign with interactions.

    Each kind of row is read once for all of them, so that 2,000 agents cost a dozen queries.
    """
    since = week.start - timedelta(days=7 * (options.page_trend_weeks - 1))
    month = week.end.replace(day=1)
    start = week.end - timedelta(days=options.page_days - 1)
    named = links.agents if kind == "agent" else links.campaigns
    weeks = facts.histories(publication, kind, "week", since)
    days = facts.histories(publication, kind, "day", start)
    parameters = facts.parameter_histories(publication, kind, week, options.page_weeks)
    centre = facts.parameter_histories(publication, "all", week, 8).get("all", [])
    issues = facts.pair_months(publication, kind, month)
    calls = facts.ends_of_calls(publication, kind, start, week.end, options.page_calls)
    coaching = facts.coaching_of(publication, kind, options.page_calls)
    changes = facts.changes_of(publication, kind, week)
    coached = facts.coaching_progress(publication) if kind == "agent" else {}
    people = facts.agents(publication) if kind == "agent" else {}
    working = facts.agents_of_campaigns(publication, start, week.end) if kind == "campaign" else {}
    parts = ("change", "behaviour", "mix", "scorecard", "extractor")
    for value, name in named.items():
        now = next((r for r in weeks.get(value, []) if r["period_start"] == week.start), None)
        change = changes.get(value)
        person = people.get(value, {})
        yield GroupFacts(
            kind=kind,
            value=value,
            name=name if kind == "agent" else words.title(value),
            team=person.get("team"),
            hired_on=person.get("hired_on"),
            week=week,
            now=_now(now),
            weeks=[_shown(r) for r in weeks.get(value, [])],
            days=[_shown(r) for r in days.get(value, [])],
            change=change and {p: change[p] for p in parts},
            parameters=parameters.get(value, []),
            peers={r["parameter"]: (r["score"], r["sd"], r["n"]) for r in centre},
            coached=[_coached(r) for r in coached.get(value, [])[:10]],
            issues=_issues(issues.get(value, []), month),
            agents=[r | {"who": links.agent(r["agent_id"], r["name"])} for r in working.get(value, [])],
            agents_from=start,
            best=_calls([c for c in calls.get(value, []) if c["is_best"]], kind, links, best=True),
            worst=_calls([c for c in calls.get(value, []) if not c["is_best"]], kind, links, best=False),
            coaching=[
                {k: q[k] for k in _QUEUED}
                | {
                    "value": words.plain(q["metric_value"], q["unit"]),
                    "who": q["name"] if kind == "agent" else links.agent(q["agent_id"], q["name"]),
                }
                for q in coaching.get(value, [])
            ],
        )


def _shown(row: Row) -> Row:
    return {k: row[k] for k in _SHOWN} | {"shrunk": number(row["iqs_shrunk"]), "same_mix": number(row["iqs_case_mix"])}


def _now(row: Row | None) -> dict[str, Any] | None:
    if row is None:
        return None
    shown = {"n": row["n"], "iqs": number(row["iqs"]), "peers": row["peers"], "own_share": percent(row["own_share"])}
    return shown | {"shrunk": number(row["iqs_shrunk"]), "same_mix": number(row["iqs_case_mix"])}


def page(found: GroupFacts) -> dict[str, Any]:
    """What the template shows of these facts, with charts and tables."""
    return {
        "kind": found.kind,
        "kind_name": KINDS[found.kind],
        "value": found.value,
        "name": found.name,
        "team": found.team,
        "hired_on": found.hired_on,
        "week": found.week,
        "now": found.now,
        "says": _says(found.kind, found.weeks, found.week, found.change),
        "trend": _trend(found.weeks, found.days, found.week),
        "agents": _agents(found.agents, found.agents_from, found.week) if found.agents else None,
        "parameters": _parameters(found.parameters, found.peers),
        "progress": _progress(found.parameters),
        "coached": found.coached,
        "issues": found.issues,
        "best": found.best,
        "worst": found.worst,
        "calls_from": found.agents_from,
        "coaching": found.coaching,
    }


def _says(kind: str, own: Sequence[Row], week: Period, change: Mapping[str, Any] | None) -> list[str]:
    """How they stand, against the centre and against the week before, in sentences with intervals."""
    now = next((r for r in own if r["period_start"] == week.start), None)
    if now is None or not now["n"]:
        return ["Nothing was scored in this week: the IQS is missing, not 0."]
    low, high = now["iqs_low"], now["iqs_high"]
    first = f"IQS {number(now['iqs'])}" + (f" (95 % interval {words.interval(low, high)})" if low is not None else "")
    first += f" over {count(now['n'], 'scored call')}; the centre is at {number(week.iqs)}"
    if low is None or week.iqs is None:
        first += "."
    elif low > week.iqs:
        first += ": above it by more than chance."
    elif high < week.iqs:
        first += ": below it by more than chance."
    else:
        first += ": can't be told apart from it."
    said = [first]
    if not now["is_ranked"] and kind == "agent":
        said.append("Too few scored calls to be ranked beside the others.")
    before = next((r for r in own if r["period_start"] == week.start - timedelta(days=7) and r["n"]), None)
    if before is not None:
        gap = facts.difference(now["iqs"], now["iqs_sd"], now["n"], before["iqs"], before["iqs_sd"], before["n"])
        text = f"Against the week before: {change_words(gap.change, gap.low, gap.high)}"
        if change is not None:
            parts = ("behaviour", "mix", "scorecard", "extractor")
            shown = words.adding_up([change[p] for p in parts], change["change"])
            called = ("behaviour", "mix of issue types", "scorecard", "measuring")
            text += ", of which " + ", ".join(
                f"{number(v, sign=True)} {name}" for name, v in zip(called, shown, strict=True) if v
            )
        said.append(text.removesuffix(", of which ") + ".")
    if now["dip"]:
        said.append(f"A dip: {now['dip_rule']}.")
    return said


def _trend(weeks: Sequence[Row], days: Sequence[Row], week: Period) -> dict[str, Any]:
    by_week = len([r for r in weeks if r["n"]]) >= DAYS_UP_TO_WEEKS
    shown, step_days = (weeks, 7) if by_week else (days, 1)
    points = [
        charts.Point(
            r["period_start"],
            decimal(r["iqs"]),
            decimal(r["iqs_low"]),
            decimal(r["iqs_high"]),
            r["n"] or 0,
            decimal(r["xmr_center"]),
            decimal(r["xmr_low"]),
            decimal(r["xmr_high"]),
            (r["dip_rule"] or "by the control chart") if r["dip"] else "",
        )
        for r in shown
    ]
    marked = (week.start, week.start if by_week else week.end)
    kind = "week" if by_week else "day"
    label = f"IQS by {kind}"
    return {
        "kind": kind,
        "has_limits": any(p.limit_low is not None for p in points),
        "chart": chart(lambda width: charts.trend(points, label, width=width, marked=marked, step_days=step_days)),
        "table": Table(
            f"IQS by {kind}",
            (kind.capitalize(), "IQS", "95 % interval", "Shrunk", "Same mix", "Scored", "Received", "Failed", "Dip"),
            [
                (
                    words.period_name(kind, r["period_start"]),
                    or_missing(number(r["iqs"]), "nothing scored"),
                    or_missing(words.interval(r["iqs_low"], r["iqs_high"]), "needs two"),
                    or_missing(r["shrunk"], "no peers"),
                    or_missing(r["same_mix"], "nothing scored"),
                    f"{r['n'] or 0:,}",
                    f"{r['received'] or 0:,}",
                    f"{r['failed'] or 0:,}",
                    r["dip_rule"] if r["dip"] else "no" if r["dip"] is False else missing("can't be told"),
                )
                for r in reversed(shown)
            ],
            numeric=(1, 2, 3, 4, 5, 6, 7),
        ),
    }


def _agents(rows: Sequence[Row], since: date, week: Period) -> Table:
    """The campaign's agents, each against the campaign's other agents, furthest below by more than chance first."""
    firm = [v for r in rows if r["n"] >= 2 for v in (r["low"], r["high"])] or [r["iqs"] for r in rows]
    marks = charts.ticks(max(0, min(firm)), min(100, max(firm)))
    total = sum(r["n"] for r in rows)
    mean = sum(r["total"] for r in rows) / total
    return Table(
        f"Agents of the campaign, {words.days(since, week.end)}",
        ("Agent", "IQS", "Picture", "95 % interval", "Against the others", "Scored", "Failed", "Team"),
        [
            (
                r["who"],
                number(r["iqs"]),
                Markup(charts.span(r["iqs"], r["low"], r["high"], (marks[0], marks[-1]), mean)),
                or_missing(words.interval(r["low"], r["high"]), "needs two calls"),
                _judged(r["gap"]) if r["others"][2] else missing("nobody else"),
                f"{r['n']:,}",
                f"{r['failed']:,}",
                r["team"] or MISSING,
            )
            for r in rows
        ],
        numeric=(1, 3, 4, 5, 6),
        total=("All agents", number(mean), "", "", "", f"{total:,}", f"{sum(r['failed'] for r in rows):,}", ""),
        note="Against the others: the difference to the campaign's other agents, with its 95 % interval. Picture: mean "
        f"and interval on a scale of {marks[0]:g} to {marks[-1]:g}, the upright line is the campaign. Harder issue "
        "types lower a mean: the agent's page has the IQS at the same mix.",
    )


def _gap(now: Row, then_mean: float | None, then_sd: float | None, then_n: int) -> facts.Difference:
    return facts.difference(now["score"], now["sd"], now["n"], then_mean, then_sd, then_n)


def _parameters(rows: Sequence[Row], peers: Mapping[str, tuple[Any, ...]]) -> Table:
    """Parameters over the last four weeks against the whole centre, furthest below first."""
    found = []
    for r in rows:
        if not r["n"]:
            continue
        peer = peers.get(r["parameter"], (None, None, 0))
        gap = _gap(r, *peer)
        found.append((gap.change if gap.change is not None else 0.0, r, peer, gap))
    found.sort(key=lambda f: (f[0], f[1]["parameter"]))
    return Table(
        "Parameters: the last four weeks against the whole centre, furthest below first",
        ("Parameter", "Score", "Difference", "Trend", "Centre", "Calls", "Points lost"),
        [
            (
                r["name"],
                number(r["score"]),
                _judged(gap),
                _spark(r),
                number(peer[0]),
                f"{r['n']:,}",
                number(r["points_lost"] / r["n"], 2) if r["points_lost"] is not None else MISSING,
            )
            for _, r, peer, gap in found
        ],
        numeric=(1, 2, 4, 5, 6),
        note="Trend: mean score by week, newest on the right, on a scale of 30 points or more. "
        "Points lost: of the IQS, per call.",
    )


def _spark(row: Row) -> Markup:
    known = [v for v in row["weeks"] if v is not None]
    text = f"{row['name']} by week: from {number(known[0], 0)} to {number(known[-1], 0)}" if known else ""
    return Markup(charts.spark(row["weeks"], text)) or missing("one week only")


def _judged(gap: facts.Difference) -> str:
    """A difference with its interval; ▲ or ▼ where it is more than chance would give."""
    if gap.change is None:
        return MISSING
    if gap.is_beyond_chance is None:
        text, aside = "", "too few to tell"
    else:
        text = "" if not gap.is_beyond_chance else "▲ " if gap.change > 0 else "▼ "
        # Scores lie within 0 and 100; a few calls give an interval of Welch's beyond what can be.
        aside = words.interval(max(gap.low, -100.0), min(gap.high, 100.0), sign=True)
    return Markup('{}{} <small class="aside-of">({})</small>').format(text, number(gap.change, sign=True), aside)


def _progress(rows: Sequence[Row]) -> dict[str, Any]:
    """What moved between the last four weeks and the four before: what is beyond chance, and the number of the rest."""
    moved, others = [], 0
    for r in rows:
        gap = _gap(r, r["score_before"], r["sd_before"], r["n_before"])
        if gap.change is None:
            continue
        if gap.is_beyond_chance:
            moved.append((gap.change, f"{r['name']}: {number(r['score_before'])} → {number(r['score'])}, ", gap))
        else:
            others += 1
    moved.sort(key=lambda m: (-abs(m[0]), m[1]))
    return {
        "moved": [(text + change_words(g.change, g.low, g.high), change > 0) for change, text, g in moved],
        "others": others,
    }


OUTCOMES = {"better": "better", "worse": "worse", "no_clear_change": "no clear change", "too_few": "too few scores yet"}


def _coached(row: Row) -> str:
    """What became of a coached parameter, in a sentence."""
    text = f"{row['name']}, coached on {words.day(row['coached_on'], year=True)}: "
    if row["change"] is None:
        return text + OUTCOMES.get(row["outcome"], words.code(row["outcome"])) + "."
    text += f"{number(row['score_before'])} → {number(row['score_after'])}, "
    text += change_words(row["change"], row["change_low"], row["change_high"])
    if row["peers_change"] is not None:
        text += f"; agents who were not coached {number(row['peers_change'], sign=True)}"
    text += f": {OUTCOMES.get(row['outcome'], words.code(row['outcome']))}."
    return text + ("" if row["is_complete"] else " Days are still to come.")


def _issues(rows: Sequence[Row], month: date) -> Table:
    return Table(
        f"By issue type, {words.period_name('month', month)}",
        ("Issue type", "IQS", "Scored", "Received"),
        [
            (
                words.title(r["issue_type"]),
                or_missing(number(r["iqs"]), "nothing scored"),
                f"{r['n'] or 0:,}",
                f"{r['received'] or 0:,}",
            )
            for r in rows[:20]
        ],
        numeric=(1, 2, 3),
        note=f"The 20 with most calls of {len(rows)}." if len(rows) > 20 else "",
    )


def _calls(rows: list[Row], kind: str, links: Pages, *, best: bool) -> Table:
    other = "Campaign" if kind == "agent" else "Agent"
    return Table(
        "Best calls" if best else "Worst calls",
        ("Call", "IQS", "Most points lost to", "Day", other, "Issue type"),
        [
            (
                r["interaction_id"],
                number(r["iqs"]),
                f"failed: {words.code(r['fail_reason'])}; would have been {number(r['iqs_unfailed'])}"
                if r["is_failed"]
                else f"{r['parameter_name']} ({number(r['points_lost'])})"
                if r["parameter"]
                else "nothing",
                words.day(r["call_date"]),
                links.campaign(r["campaign"]) if kind == "agent" else links.agent(r["agent_id"], r["name"]),
                words.title(r["issue_type"]),
            )
            for r in rows
        ],
        numeric=(1,),
    )
