"""The manager's trend report: reads a published file, draws the charts, fills the template. Equal data, equal bytes."""

from __future__ import annotations

import base64
import hashlib
import os
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

from pipelines.contracts.vocabulary import EXCLUDED, NULL_REASONS, QUARANTINED
from pipelines.reports import charts, facts, words
from pipelines.reports.facts import Difference, Period, Publication, ReportError, Row, Survey
from pipelines.reports.words import MISSING, count, number, percent

__all__ = ["ReportError", "ReportOptions", "render"]

BASES = ("as_scored", "restated")
WIDE, NARROW = 936, 318
STAGES = (
    "landing",
    "recordings",
    "acoustics",
    "transcripts",
    "conversation",
    "language",
    "metrics",
    "scores",
    "trends",
    "publication",
)


@dataclass(frozen=True)
class ReportOptions:
    """What the report shows, and from how many calls on.

    `ranked_at_least` scored calls make an agent rankable; cells of a heat map below `cell_at_least` are pale; the
    person-or-process question looks back `process_days` and takes groups of `group_at_least` calls.
    """

    ranked_at_least: int = 10
    cell_at_least: int = 3
    group_at_least: int = 5
    trend_days: int = 56
    process_days: int = 28
    agents: int = 30
    campaigns: int = 20
    table_rows: int = 200
    coaching_per_agent: int = 3
    coaching: int = 15
    primes_per_campaign: int = 2


@dataclass(frozen=True)
class Table:
    """A table behind a chart. Cells are text, or Markup of `missing`; the first column names the row."""

    caption: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    numeric: tuple[int, ...] = ()
    total: Sequence[str] = ()
    note: str = ""


def render(database: Path, out: Path, *, basis: str = "as_scored", options: ReportOptions = ReportOptions()) -> Path:
    """Write the report of the published `database` (opened read-only) to `out`, replaced whole; returns `out`.

    `basis` is as_scored (the scorecard in force on the day) or restated (the newest one over all history).
    Raises ReportError where the file can't be read or lacks a table, ValueError for another basis.
    """
    if basis not in BASES:
        raise ValueError(f"basis={basis!r}: use one of {', '.join(BASES)}")
    with facts.opened(Path(database), basis) as publication:
        page = _environment().get_template("report.html.j2").render(_page(publication, options))
    out = Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = out.with_name(f".{out.name}.{uuid.uuid4().hex}.tmp")
    temporary.write_text(page, encoding="utf-8")
    os.replace(temporary, out)
    return out


@cache
def _environment():
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("pipelines.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        number=number,
        percent=percent,
        interval=words.interval,
        count=count,
        day=words.day,
        days=words.days,
        title=words.title,
        clock=words.clock,
        missing=missing,
    )
    return environment


def missing(reason: str) -> Markup:
    """An en dash with the reason beside it: what is missing is never 0."""
    return Markup('<span class="missing">–<span class="why"> {}</span></span>').format(reason)


def or_missing(text: str | None, reason: str) -> str:
    return missing(reason) if text in (None, "", MISSING) else text


def reason_text(reason: str | None) -> str:
    """A reason code as a sentence of the vocabulary; the code itself where the vocabulary doesn't know it."""
    if reason is None:
        return "no reason was recorded"
    known = EXCLUDED.get(reason) or (QUARANTINED[reason][0] if reason in QUARANTINED else NULL_REASONS.get(reason))
    return known or words.code(reason)


def _chart(draw: Callable[[int], str], wide: int = WIDE) -> Markup:
    """A chart drawn for desktops and again for phones; "" where there is nothing to draw."""
    large = draw(wide)
    return Markup(f'<div class="wide">{large}</div><div class="narrow">{draw(NARROW)}</div>') if large else Markup("")


def _page(publication: Publication, options: ReportOptions) -> dict[str, Any]:
    about = facts.published(publication)
    found = facts.periods(publication)
    week = facts.headline(found["week"])
    template_text = _environment().loader.get_source(_environment(), "report.js")[0].strip()
    page: dict[str, Any] = {
        "about": about,
        "basis": publication.basis,
        "options": options,
        "style": Markup(_environment().loader.get_source(_environment(), "report.css")[0]),
        "script": Markup(template_text),
        "script_hash": base64.b64encode(hashlib.sha256(template_text.encode()).digest()).decode(),
        "week": week,
        "trust": _trust(publication, about, week, options),
        "glossary": _glossary(publication),
    }
    if week is None:
        return page | {"how": None, "why": None, "where": None, "process": None, "actions": None, "worked": None}
    week_before = facts.before(found["week"], week)
    page["how"] = _how(publication, found, week, week_before, options)
    page["why"] = _why(publication, week, week_before)
    page["where"] = _where(publication, week, options)
    page["process"] = _process(publication, week, options)
    page["actions"] = _actions(publication, week, options)
    page["worked"] = _worked(publication, week)
    page["short"] = _in_short(page)
    return page


# --- 1 How are we doing?


def _how(
    publication: Publication,
    found: dict[str, list[Period]],
    week: Period,
    week_before: Period | None,
    options: ReportOptions,
) -> dict[str, Any]:
    tiles = []
    for kind in ("day", "week", "month"):
        if (period := facts.headline(found[kind])) is not None:
            earlier = facts.before(found[kind], period)
            tiles.append(
                {
                    "kind": kind,
                    "period": period,
                    "name": words.period_name(kind, period.start),
                    "before": earlier,
                    "against": _against(period, earlier),
                }
            )
    later = next((p for p in reversed(found["week"]) if p.n and p.start > week.start), None)
    trend_days = found["day"][-1:] and [
        p for p in found["day"] if p.start > found["day"][-1].start - timedelta(days=options.trend_days)
    ]
    points = [charts.Point(p.start, _f(p.iqs), _f(p.low), _f(p.high), p.n) for p in trend_days]
    label = f"IQS by day, {words.days(points[0].day, points[-1].day)}" if points else ""
    surveys = []
    for question, name, scale in (
        ("csat", "CSAT", "customer satisfaction, 1 to 5"),
        ("nps", "NPS", "promoters less detractors, −100 to 100"),
    ):
        now = facts.survey(publication, question, week.start, week.end)
        then = week_before and facts.survey(publication, question, week_before.start, week_before.end)
        surveys.append({"name": name, "scale": scale, "now": now, "then": then, "against": _survey_against(now, then)})
    weeks = [
        charts.Range(name, float(p.iqs), _f(p.low), _f(p.high), number(p.iqs))
        for name, p in (("This week", week), ("Week before", week_before))
        if p is not None
    ]
    weeks_label = ", ".join(f"{w.name}: IQS {w.text}, 95 % interval {words.interval(w.low, w.high)}" for w in weeks)
    return {
        "name": words.period_name("week", week.start),
        "gauge": Markup(charts.ranges(weeks, weeks_label, width=NARROW)) if week.low is not None else "",
        "against": _against(week, week_before),
        "before": week_before,
        "tiles": tiles,
        "later": later,
        "failed_points": None if week.unfailed is None or week.iqs is None else week.unfailed - week.iqs,
        "surveys": surveys,
        "trend": _chart(lambda width: charts.trend(points, label, width=width, marked=(week.start, week.end))),
        "trend_table": Table(
            "IQS by day",
            ("Day", "IQS", "95 % interval", "Scored", "Received", "Coverage", "Failed"),
            [
                (
                    words.day(p.start, weekday=True, year=True),
                    or_missing(number(p.iqs), "nothing was scored"),
                    or_missing(words.interval(p.low, p.high), "needs two calls"),
                    f"{p.n:,}",
                    f"{p.received:,}",
                    percent(p.coverage),
                    f"{p.failed:,}",
                )
                for p in reversed(trend_days)
            ],
            numeric=(1, 2, 3, 4, 5, 6),
        ),
    }


def _f(value: Any) -> float | None:
    return None if value is None else float(value)


def _against(period: Period, earlier: Period | None) -> dict[str, Any]:
    """The change against the period before in words: direction, size, and whether chance alone would give it."""
    name = period.kind
    if earlier is None:
        return {"text": f"No {name} before it to compare with", "tone": "none", "chance": "", "short": ""}
    gap: Difference = facts.difference(period.iqs, period.sd, period.n, earlier.iqs, earlier.sd, earlier.n)
    change = words.shown_change(period.iqs, earlier.iqs)
    arrow, tone = ("▲", "up") if change > 0 else ("▼", "down") if change < 0 else ("=", "level")
    if gap.is_beyond_chance is None:
        chance, short = "Too few calls to tell it from chance.", "too few calls to tell"
    elif gap.is_beyond_chance:
        chance = f"More than chance alone would give: 95 % interval {words.interval(gap.low, gap.high, sign=True)}."
        short = "more than chance"
    else:
        chance = f"Chance alone could give this: 95 % interval {words.interval(gap.low, gap.high, sign=True)}."
        short = "could be chance"
    return {
        "text": f"{arrow} {number(change, sign=True)} against {number(earlier.iqs)} the {name} before",
        "tone": tone if gap.is_beyond_chance else "level",
        "short": short,
        "beyond": gap.is_beyond_chance,
        "chance": chance,
    }


def _survey_against(now: Survey, then: Survey | None) -> str:
    if then is None or now.mean is None:
        return ""
    if then.mean is None:
        return "no answers the week before"
    gap = facts.difference(now.mean, now.sd, now.answers, then.mean, then.sd, then.answers)
    text = f"{number(gap.change, sign=True)} against {count(then.answers, 'answer')} the week before"
    if gap.is_beyond_chance is None:
        return f"{text}; too few to tell it from chance"
    return f"{text}; " + ("more than chance" if gap.is_beyond_chance else "within chance")


# --- 2 What changed, and why?

PARTS = (
    ("behaviour", "Behaviour", "calls of the same issue type scored better or worse"),
    ("mix", "Mix", "there were more, or fewer, calls of the hard issue types"),
    ("scorecard", "Scorecard", "the scorecard's weights or curves changed, not the calls"),
    ("extractor", "Measuring", "the measuring software changed, not the calls"),
)


def _why(publication: Publication, week: Period, week_before: Period | None) -> dict[str, Any] | None:
    rows = facts.change_of_week(publication, week)
    centre = next((r for r in rows if r["dimension"] == "all"), None)
    if centre is None:
        return None
    # Extractor is NULL where measuring changed between the weeks: behaviour then holds it.
    parts = [(key, name, text) for key, name, text in PARTS if centre[key] is not None]
    total = words.shown_change(centre["iqs"], centre["iqs_before"])
    shown = words.adding_up([centre[key] for key, _, _ in parts], total)
    steps = [
        charts.Step(name, float(centre[key]), number(value, sign=True))
        for (key, name, _), value in zip(parts, shown, strict=True)
    ]
    label = (
        f"Waterfall: IQS {number(centre['iqs_before'])} the week before, "
        + ", ".join(f"{s.name} {s.text}" for s in steps)
        + f", {number(centre['iqs'])} this week"
    )
    now = facts.drivers(publication, week)
    moved = facts.moved(now, facts.drivers(publication, week_before)) if week_before else []
    notable = [m for m in moved if abs(m["gain"]) >= 0.05]
    others = [r for r in rows if r["dimension"] != "all" and r["dimension"] in ("agent", "campaign", "team")]
    return {
        "centre": centre,
        "unknown_extractor": centre["extractor"] is None,
        "parts": [
            {"name": name, "text": text, "size": value, "value": number(value, sign=True)}
            for (_, name, text), value in zip(parts, shown, strict=True)
        ],
        "total": number(total, sign=True),
        "waterfall": _chart(
            lambda width: charts.waterfall(
                float(centre["iqs_before"]),
                steps,
                float(centre["iqs"]),
                label,
                names=("Week before" if width > 500 else "Before", "This week" if width > 500 else "Now"),
                width=width,
            )
        ),
        "waterfall_table": Table(
            "Why the IQS changed, to the last digit",
            ("Part", "IQS points", "Meaning"),
            [(name, number(centre[key], 4, sign=True), text) for key, name, text in parts],
            numeric=(1,),
            total=("Change of the IQS", number(centre["change"], 4, sign=True), ""),
        ),
        "moved": _chart(
            lambda width: charts.bars(
                [charts.Bar(m["name"], m["gain"], number(m["gain"], sign=True)) for m in notable],
                "IQS points gained or lost by parameter: "
                + ", ".join(f"{m['name']} {number(m['gain'], sign=True)}" for m in notable),
                width=width,
            )
        ),
        "moved_table": Table(
            "IQS points lost per call by parameter, this week and the week before",
            ("Parameter", "Lost the week before", "Lost this week", "Gain"),
            [
                (m["name"], number(m["lost_before"], 2), number(m["lost"], 2), number(m["gain"], 2, sign=True))
                for m in moved
            ],
            numeric=(1, 2, 3),
            total=(
                "All together",
                number(sum(m["lost_before"] for m in moved), 2),
                number(sum(m["lost"] for m in moved), 2),
                number(sum(m["gain"] for m in moved), 2, sign=True),
            )
            if moved
            else (),
        ),
        "groups_table": Table(
            "The same by agent, campaign and team",
            ("Who", "Kind", "IQS before", "IQS", "Change", "Behaviour", "Mix", "Scorecard", "Scored"),
            [
                (
                    words.title(r["value"]) if r["dimension"] != "agent" else r["value"],
                    r["dimension"],
                    number(r["iqs_before"]),
                    number(r["iqs"]),
                    number(r["change"], sign=True),
                    number(r["behaviour"], sign=True),
                    number(r["mix"], sign=True),
                    number(r["scorecard"], sign=True),
                    f"{r['n']} (before {r['n_before']})",
                )
                for r in others[:60]
            ],
            numeric=(2, 3, 4, 5, 6, 7, 8),
        ),
    }


# --- 3 Where?


@dataclass(frozen=True)
class Cell:
    """A cell of a heat map. `tip` says it in a sentence; `shade` is a class of the style; `few` marks a small n."""

    text: str
    shade: str
    tip: str
    n: int | None = None
    few: bool = False
    mark: str = ""


@dataclass(frozen=True)
class HeatMap:
    caption: str
    corner: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, str, Sequence[Cell]]]


def _cell(value: Any, difference: float | None, n: int | None, minimum_n: int, where: str, against: str) -> Cell:
    if value is None:
        return Cell(MISSING, "none", f"{where}: no value")
    shade = charts.shade(difference)
    mark = {"u": "▲", "l": "▼"}.get(shade[0], "") if shade[1:] in ("2", "3") else ""
    few = n is not None and n < minimum_n
    tip = f"{where}: {number(value)}, {number(difference, sign=True)} against {against}, {count(n, 'call')}"
    return Cell(number(value, 0), shade, tip, n, few, mark)


def _where(publication: Publication, week: Period, options: ReportOptions) -> dict[str, Any]:
    ranked, unranked = facts.league(publication, week, options.ranked_at_least)
    everybody = ranked + unranked
    scored = [r for r in everybody if r["n"]]
    listed = scored[: options.agents]
    names = Counter(r["name"] for r in everybody)

    def agent(row: Row) -> str:
        return f"{row['name']} ({row['agent_id']})" if names[row["name"]] > 1 else row["name"]

    ranges = [
        charts.Range(
            (f"{r['position']}. " if r["position"] else "") + agent(r),
            float(r["iqs"]),
            _f(r["iqs_low"]),
            _f(r["iqs_high"]),
            number(r["iqs"]),
            faint=r["position"] is None,
        )
        for r in listed
    ]
    label = "IQS by agent: " + ", ".join(f"{r.name} {r.text}{' (unranked)' if r.faint else ''}" for r in ranges)
    return {
        "league": _chart(lambda width: charts.ranges(ranges, label, reference=_f(week.iqs), width=width)),
        "ranked": len(ranked),
        "unranked": len(unranked),
        "left_out": len(scored) - len(listed),
        "league_table": Table(
            "Agents by IQS",
            ("Agent", "Id", "Team", "Rank", "IQS", "95 % interval", "Scored", "Failed", "Against the centre"),
            [
                (
                    r["name"],
                    r["agent_id"],
                    or_missing(r["team"], "not delivered"),
                    or_missing(r["position"] and str(r["position"]), f"fewer than {options.ranked_at_least} scored"),
                    or_missing(number(r["iqs"]), "nothing was scored"),
                    or_missing(words.interval(r["iqs_low"], r["iqs_high"]), "needs two calls"),
                    f"{r['n']:,}",
                    f"{r['failed'] or 0:,}",
                    r["verdict"],
                )
                for r in everybody[: options.table_rows]
            ],
            numeric=(3, 4, 5, 6, 7),
            note=f"The first {options.table_rows} of {len(everybody)} agents; trend_iqs_by_agent has them all."
            if len(everybody) > options.table_rows
            else "",
        ),
        "agents": _agent_map(publication, week, listed, agent, options),
        "campaigns": _campaign_map(publication, week, options),
    }


def _agent_map(
    publication: Publication, week: Period, listed: Sequence[Row], agent: Callable[[Row], str], options: ReportOptions
) -> HeatMap | None:
    cells = {(r["agent_id"], r["parameter"]): r for r in facts.agent_parameters(publication, week)}
    there = {p for _, p in cells}
    parameters = {r["parameter"]: r["name"] for r in facts.weights(publication) if r["parameter"] in there}
    if not cells or not listed:
        return None
    return HeatMap(
        f"Mean score of each agent and parameter, {words.inside(words.period_name('week', week.start))}",
        "Agent",
        list(parameters.values()),
        [
            (
                agent(r),
                number(r["iqs"]),
                [
                    _cell(
                        c.get("score"),
                        _f(c.get("difference")),
                        c.get("n"),
                        options.cell_at_least,
                        f"{agent(r)}, {name}",
                        "all agents",
                    )
                    for parameter, name in parameters.items()
                    for c in [cells.get((r["agent_id"], parameter), {})]
                ],
            )
            for r in listed
        ],
    )


def _campaign_map(publication: Publication, week: Period, options: ReportOptions) -> HeatMap | None:
    rows = facts.campaign_issues(publication, week)
    cells = {(r["campaign"], r["issue_type"]): r for r in rows}
    received: dict[str, int] = {}
    for r in rows:
        received[r["issue_type"]] = received.get(r["issue_type"], 0) + (r["received"] or 0)
    issues = sorted(received, key=lambda i: (-received[i], i))[:16]
    campaigns = sorted({r["campaign"] for r in rows})[: options.campaigns]
    if not any(r["n"] for r in rows):
        return None
    centre = float(week.iqs)
    return HeatMap(
        f"Mean IQS of each campaign and issue type, {words.inside(words.period_name('week', week.start))}",
        "Campaign",
        [words.title(i) for i in issues],
        [
            (
                words.title(campaign),
                "",
                [
                    _cell(
                        c.get("iqs"),
                        None if c.get("iqs") is None else float(c["iqs"]) - centre,
                        c.get("n"),
                        options.cell_at_least,
                        f"{words.title(campaign)}, {words.title(issue)}",
                        "the centre",
                    )
                    for issue in issues
                    for c in [cells.get((campaign, issue), {})]
                ],
            )
            for campaign in campaigns
        ],
    )


# --- 4 Person or process?


def _process(publication: Publication, week: Period, options: ReportOptions) -> dict[str, Any]:
    start = week.end - timedelta(days=options.process_days - 1)
    calls = facts.scored_calls(publication, start, week.end)
    by_agent: dict[str, list[float]] = {}
    by_issue: dict[str, list[float]] = {}
    for c in calls:
        by_agent.setdefault(c["agent_id"], []).append(float(c["score"]))
        by_issue.setdefault(c["issue_type"], []).append(float(c["score"]))
    person = facts.spread(by_agent, options.group_at_least)
    process = facts.spread(by_issue, options.group_at_least)
    issues = facts.low_issues(calls, options.cell_at_least)
    rows = [
        charts.Bar("Who took the call", person.share * 100, percent(person.share), 100.0) if person else None,
        charts.Bar("What it was about", process.share * 100, percent(process.share), 100.0) if process else None,
    ]
    drawn = [r for r in rows if r] if person and process else []
    if person and process:
        if not person.is_beyond_chance and not process.is_beyond_chance:
            verdict = "Neither is told from chance: calls differ mostly for other reasons"
        elif max(person.share, process.share) < 0.05:
            verdict = "Neither explains much: calls differ mostly for other reasons"
        elif person.share > 1.5 * process.share:
            verdict = "More goes with the person: coaching reaches further than a new process"
        elif process.share > 1.5 * person.share:
            verdict = "More goes with the issue: fixing the process reaches further than coaching"
        else:
            verdict = "Person and issue weigh about the same: both are worth a look"
    else:
        verdict = ""
    return {
        "from": start,
        "n": len(calls),
        "verdict": verdict,
        "enough": bool(person and process),
        "chart": _chart(
            lambda width: charts.bars(
                drawn,
                "Share of the differences between calls: " + ", ".join(f"{r.name} {r.text}" for r in drawn),
                width=width,
            )
        ),
        "findings": [i for i in issues if i["is_process"]],
        "table": Table(
            "Issue types, against the same agents' other calls",
            ("Issue type", "Points against the agent's other calls", "Agents lower on it", "Scored calls", "Finding"),
            [
                (
                    words.title(i["issue_type"]),
                    number(i["gap"], sign=True),
                    f"{i['lower']} of {i['agents']}",
                    f"{i['n']:,}",
                    "process: every agent is lower on it" if i["is_process"] else "none",
                )
                for i in issues
            ],
            numeric=(1, 2, 3),
        ),
    }


# --- 5 What to do


def _actions(publication: Publication, week: Period, options: ReportOptions) -> dict[str, Any]:
    drivers = facts.drivers(publication, week)
    lost = [d for d in drivers if d["points_lost_per_call"]]
    bars = [
        charts.Bar(
            d["name"], float(d["points_lost_per_call"]), f"{number(d['points_lost_per_call'])} · {percent(d['share'])}"
        )
        for d in lost[:12]
    ]
    queue, queued = facts.coaching(publication, options.coaching_per_agent, options.coaching)
    return {
        "top": lost[:1],
        "pareto": _chart(
            lambda width: charts.bars(
                bars, "IQS points lost per call: " + ", ".join(f"{b.name} {b.text}" for b in bars), width=width
            )
        ),
        "pareto_table": Table(
            "Where the points go",
            ("Parameter", "Points lost per call", "Share", "Together with all above", "What it is"),
            [
                (
                    d["name"],
                    number(d["points_lost_per_call"], 2),
                    percent(d["share"], 1),
                    percent(d["cumulative_share"], 1),
                    d["meaning"] or "What failing calls lost on top: a failed call scores 0.",
                )
                for d in drivers
            ],
            numeric=(1, 2, 3),
        ),
        "failed": facts.failed_calls(publication, week),
        "queue": [
            q | {"value": words.plain(q["metric_value"], q["unit"]), "measure": words.code(q["metric"])} for q in queue
        ],
        "queued": queued,
        "primes": facts.primes(publication, options.primes_per_campaign),
    }


# --- 6 Can I trust it?


def _trust(publication: Publication, about: Row, week: Period | None, options: ReportOptions) -> dict[str, Any]:
    ledger = facts.ledger(publication)
    shown = ledger[-options.trend_days :]
    stages = {r["stage"]: r for r in facts.checks(publication)}
    order = [s for s in STAGES if s in stages] + sorted(s for s in stages if s not in STAGES)
    totals = {k: sum(r[k] for r in stages.values()) for k in ("n", "passed", "failed", "warnings")}
    first, last = (shown[0]["call_date"], shown[-1]["call_date"]) if shown else (None, None)
    left_out = facts.left_out(publication, first, last) if shown else []
    rejected = facts.rejected_rows(publication)
    sums = {k: sum(r[k] or 0 for r in shown) for k in ("received", "scored", "excluded", "quarantined")}
    stacks = [
        charts.Stack(r["call_date"], (r["scored"] or 0, r["excluded"] or 0, r["quarantined"] or 0)) for r in shown
    ]
    kinds = ("scored", "excluded", "quarantined")
    return {
        "totals": totals,
        "sums": sums,
        "reconciles": all(r["reconciles"] for r in shown),
        "coverage": sums["scored"] / sums["received"] if sums["received"] else None,
        "first": first,
        "last": last,
        "ledger": _chart(
            lambda width: charts.stacks(
                stacks,
                kinds,
                f"Interactions by day: {sums['scored']} scored, {sums['excluded']} excluded, "
                f"{sums['quarantined']} quarantined",
                width=width,
            )
        ),
        "ledger_table": Table(
            "What became of everything that came in",
            ("Day", "Received", "Scored", "Excluded", "Quarantined", "Adds up", "Coverage", "Mono", "Word confidence"),
            [
                (
                    words.day(r["call_date"], weekday=True, year=True),
                    f"{r['received'] or 0:,}",
                    f"{r['scored'] or 0:,}",
                    f"{r['excluded'] or 0:,}",
                    f"{r['quarantined'] or 0:,}",
                    "yes" if r["reconciles"] else "NO",
                    or_missing(percent(r["coverage"]), "nothing came in"),
                    or_missing(percent(r["mono_share"]), "no recordings"),
                    or_missing(percent(r["asr_confidence"]), "no recognised words"),
                )
                for r in reversed(shown)
            ],
            numeric=(1, 2, 3, 4, 6, 7, 8),
        ),
        "reasons_table": Table(
            "Why calls have no IQS",
            ("Reason", "Status", "Calls", "Days", "What to do"),
            [
                (
                    reason_text(r["reason"]).capitalize(),
                    r["status"],
                    f"{r['n']:,}",
                    f"{r['n_days']:,}",
                    QUARANTINED[r["reason"]][1] if r["reason"] in QUARANTINED else "nothing: it does not qualify",
                )
                for r in left_out
            ]
            + [
                (
                    f"{reason_text(r['reason']).capitalize()} ({words.code(r['kind'])})",
                    "rejected row",
                    f"{r['n']:,}",
                    missing("has no day"),
                    QUARANTINED[r["reason"]][1] if r["reason"] in QUARANTINED else MISSING,
                )
                for r in rejected
            ],
            numeric=(2, 3),
        ),
        "checks_table": Table(
            "Checks by stage, as they last came out",
            ("Stage", "Checks", "Passed", "Failed", "Warnings"),
            [
                (
                    words.title(stage),
                    f"{stages[stage]['n']:,}",
                    f"{stages[stage]['passed']:,}",
                    f"{stages[stage]['failed']:,}",
                    f"{stages[stage]['warnings']:,}",
                )
                for stage in order
            ],
            numeric=(1, 2, 3, 4),
        ),
        "complaints_table": Table(
            "Checks that did not pass",
            ("Check", "Table", "Day", "Kind", "Rows", "What was found"),
            [
                (
                    words.code(r["check_name"]).capitalize(),
                    r["table_name"],
                    or_missing(words.day(r["call_date"], year=True), "not daily"),
                    "failed, blocks publication" if r["blocking"] else "warning",
                    f"{r['failing_rows'] or 0:,} of {r['total_rows'] or 0:,}",
                    r["detail"] or "",
                )
                for r in facts.complaints(publication, 20)
            ],
            numeric=(4,),
        ),
        "scorecards_table": Table(
            "Scorecards",
            ("Scorecard", "Version", "For", "Call types", "In force", "Calls scored with it"),
            [
                (
                    words.title(r["scorecard"]),
                    str(r["version"]),
                    r["channels"] or MISSING,
                    (r["call_types"] or MISSING).replace("*", "all others"),
                    f"from {words.day(r['valid_from'], year=True)}"
                    + (f" to {words.day(r['valid_to'], year=True)}" if r["valid_to"] else ""),
                    f"{r['n']:,}",
                )
                for r in facts.scorecards(publication)
            ],
            numeric=(1, 5),
        ),
        "extractors_table": Table(
            "Versions of the measuring software",
            ("Version", "Metrics", "First day", "Last day"),
            [
                (
                    r["extractor_version"] or MISSING,
                    f"{r['n_metrics']:,}",
                    words.day(r["first_day"], year=True),
                    words.day(r["last_day"], year=True),
                )
                for r in facts.extractors(publication)[:20]
            ],
            numeric=(1,),
        ),
        "checked_at": _time(about["checked_at"]),
    }


def _time(value: Any) -> str:
    return MISSING if value is None else f"{value:%Y-%m-%d %H:%M}"


def _worked(publication: Publication, week: Period) -> dict[str, Any] | None:
    found = facts.worked_call(publication, week)
    if found is None:
        return None
    call, parameters = found
    measured = [p for p in parameters if p["contribution"] is not None]
    shown = words.adding_up([p["contribution"] for p in measured], call["iqs_unfailed"], 2)
    contributions = dict(zip((p["parameter"] for p in measured), shown, strict=True))
    bars = [
        charts.Bar(
            p["name"],
            float(p["contribution"]),
            number(contributions[p["parameter"]], 2),
            float(p["effective_weight"]) * 100,
        )
        for p in measured
        if p["effective_weight"]
    ]
    return {
        "call": call,
        "sum": number(call["iqs_unfailed"], 2),
        "chart": _chart(
            lambda width: charts.bars(
                bars, "Points of each parameter: " + ", ".join(f"{b.name} {b.text}" for b in bars), width=width
            )
        ),
        "table": Table(
            f"Call {call['interaction_id']}: from the measured value to the IQS",
            ("Parameter", "Measured", "Score", "Weight", "Effective weight", "Contribution"),
            [
                (
                    p["name"] + (" (critical)" if p["is_critical"] else ""),
                    words.plain(p["metric_value"], p["unit"])
                    if p["score"] is not None
                    else missing(reason_text(p["reason"])),
                    or_missing(number(p["score"]), "not applicable"),
                    percent(p["weight"], 1),
                    or_missing(percent(p["effective_weight"], 2), "left out"),
                    or_missing(number(contributions.get(p["parameter"]), 2), "left out"),
                )
                for p in parameters
            ],
            numeric=(1, 2, 3, 4, 5),
            total=(
                "Sum",
                "",
                "",
                percent(sum(p["weight"] for p in parameters), 1),
                percent(sum(p["effective_weight"] for p in measured), 2) if measured else MISSING,
                number(call["iqs_unfailed"], 2),
            ),
            note="Contributions are rounded so that the column adds up.",
        ),
    }


def _glossary(publication: Publication) -> dict[str, Any]:
    rows = facts.weights(publication)
    by_parameter: dict[str, list[Row]] = {}
    for r in rows:
        by_parameter.setdefault(r["parameter"], []).append(r)

    def weight(found: Sequence[Row]) -> str:
        texts = [
            f"{words.title(r['scorecard'])} {percent(r['weight'], 1)}"
            + (f" (fails the call below {number(r['threshold'], 0)})" if r["is_critical"] else "")
            for r in found
            if r["scorecard"] is not None
        ]
        return "; ".join(texts)

    return {
        "parameters": Table(
            "Parameters",
            ("Parameter", "What it is", "How the value becomes a score", "Weight (newest version)"),
            [
                (
                    found[0]["name"],
                    found[0]["meaning"] or "",
                    found[0]["curve"] or "",
                    or_missing(weight(found), "on no scorecard"),
                )
                for found in by_parameter.values()
            ],
        ),
        "metrics": Table(
            "Metrics",
            ("Metric", "What it is", "Unit", "Definition from"),
            [
                (words.code(m["metric"]).capitalize(), m["meaning"], m["unit"], m["source"])
                for m in facts.metrics(publication)
            ],
        ),
    }


def _in_short(page: dict[str, Any]) -> list[str]:
    """The report in a few sentences, most important first."""
    how, why, week = page["how"], page["why"], page["week"]
    sentences = []
    if why and how["against"].get("beyond"):
        largest = max(why["parts"], key=lambda p: abs(p["size"]))
        sentences.append(f"Most of the change is {largest['name'].lower()} ({largest['value']}): {largest['text']}.")
    for top in page["actions"]["top"]:
        sentences.append(
            f"Most points are lost to {top['name']}: {number(top['points_lost_per_call'])} a call, "
            f"{percent(top['share'])} of all that is lost."
        )
    for finding in page["process"]["findings"][:1]:
        sentences.append(
            f"{words.title(finding['issue_type'])} is hard for every agent "
            f"({number(finding['gap'], sign=True)} points): a process finding, not a person's."
        )
    if week.failed:
        sentences.append(
            f"{count(week.failed, 'call')} failed on a critical parameter and scored 0; "
            f"a person should confirm {'it' if week.failed == 1 else 'them'}."
        )
    return sentences
