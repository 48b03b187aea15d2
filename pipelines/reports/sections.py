"""What stands under each of the report's six questions: published rows in, words, tables and charts out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from markupsafe import Markup

from pipelines.contracts.vocabulary import NULL_REASONS, QUARANTINED
from pipelines.reports import charts, facts, words
from pipelines.reports.facts import Difference, Period, Publication, Row, Survey
from pipelines.reports.parts import (
    NARROW,
    HeatMap,
    Pages,
    ReportOptions,
    Table,
    cell,
    change_words,
    chart,
    decimal,
    missing,
    or_missing,
    reason_text,
)
from pipelines.reports.words import MISSING, count, number, percent

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


# --- 1 How are we doing?


def how(
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
                    "against": against(period, earlier),
                }
            )
    later = next((p for p in reversed(found["week"]) if p.n and p.start > week.start), None)
    days = [p for p in found["day"] if p.start > found["day"][-1].start - timedelta(days=options.trend_days)]
    weeks_shown = found["week"][-options.trend_weeks :]
    points, week_points = [point(p) for p in days], [point(p) for p in weeks_shown]
    label = f"IQS by day, {words.days(points[0].day, points[-1].day)}" if points else ""
    week_label = f"IQS by week, {words.days(week_points[0].day, weeks_shown[-1].end)}" if week_points else ""
    now_all, then_all = facts.surveys(publication, week), facts.surveys(publication, week_before)
    surveys = []
    for question, name, scale in (
        ("csat", "CSAT", "customer satisfaction, 1 to 5"),
        ("nps", "NPS", "promoters less detractors, −100 to 100"),
    ):
        now, then = now_all[question], then_all[question] if week_before else None
        surveys.append({"name": name, "scale": scale, "now": now, "then": then, "against": _survey_against(now, then)})
    weeks = [
        charts.Range(name, float(p.iqs), decimal(p.low), decimal(p.high), number(p.iqs))
        for name, p in (("This week", week), ("Week before", week_before))
        if p is not None
    ]
    weeks_label = ", ".join(f"{w.name}: IQS {w.text}, 95 % interval {words.interval(w.low, w.high)}" for w in weeks)
    return {
        "name": words.period_name("week", week.start),
        "gauge": Markup(charts.ranges(weeks, weeks_label, width=NARROW)) if week.low is not None else "",
        "against": against(week, week_before),
        "before": week_before,
        "tiles": tiles,
        "later": later,
        "failed_points": None if week.unfailed is None or week.iqs is None else week.unfailed - week.iqs,
        "surveys": surveys,
        "control": _control(week),
        "trend": chart(lambda width: charts.trend(points, label, width=width, marked=(week.start, week.end))),
        "trend_table": trend_table("IQS by day", days),
        "has_limits": any(p.limit_low is not None for p in points),
        "scale_from": charts.trend_scale(points)[0],
        "weeks": chart(
            lambda width: charts.trend(
                week_points, week_label, width=width, marked=(week.start, week.start), step_days=7
            )
        )
        if len(week_points) > 2
        else "",
        "weeks_table": trend_table("IQS by week", weeks_shown),
    }


def point(p: Period) -> charts.Point:
    """A day or a week as a point of the trend chart."""
    return charts.Point(
        p.start,
        decimal(p.iqs),
        decimal(p.low),
        decimal(p.high),
        p.n,
        decimal(p.center),
        decimal(p.limit_low),
        decimal(p.limit_high),
        (p.dip_rule or "by the control chart") if p.dip else "",
    )


def _control(week: Period) -> str:
    """Where the week stands on its control chart, in a sentence."""
    if week.limit_low is None or week.limit_high is None:
        return "Too few earlier weeks for control limits: whether a week dips can't be told yet."
    span = f"{number(week.limit_low)} to {number(week.limit_high)}"
    if week.dip:
        return f"This week is a dip: {week.dip_rule}. Usual weeks lie within {span}."
    if week.iqs is not None and week.iqs > week.limit_high:
        return f"This week is above what is usual ({span})."
    return f"No dip: the week lies within what is usual ({span})."


def trend_table(caption: str, shown: Sequence[Period]) -> Table:
    """The numbers behind a trend chart, newest first."""
    kind = shown[0].kind if shown else "day"
    return Table(
        caption,
        (
            kind.capitalize(),
            "IQS",
            "95 % interval",
            "Control limits",
            "Dip",
            "Scored",
            "Received",
            "Coverage",
            "Failed",
        ),
        [
            (
                words.period_name(kind, p.start),
                or_missing(number(p.iqs), "nothing was scored"),
                or_missing(words.interval(p.low, p.high), "needs two calls"),
                or_missing(words.interval(p.limit_low, p.limit_high), "too few periods before"),
                p.dip_rule if p.dip else "no" if p.dip is False else missing("can't be told"),
                f"{p.n:,}",
                f"{p.received:,}",
                percent(p.coverage),
                f"{p.failed:,}",
            )
            for p in reversed(shown)
        ],
        numeric=(1, 2, 3, 5, 6, 7, 8),
    )


def against(period: Period, earlier: Period | None) -> dict[str, Any]:
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
    text = f"{number(gap.change, sign=True)} against the week before ({count(then.answers, 'answer')})"
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


def why(
    publication: Publication, week: Period, week_before: Period | None, pages: Pages, options: ReportOptions
) -> dict[str, Any]:
    return {
        "change": _change(publication, week, week_before, pages),
        "dips": _dips(publication, week, pages),
        "keywords": _keywords(publication, week),
        "changes": _process_changes(publication),
    }


def _dips(publication: Publication, week: Period, pages: Pages) -> dict[str, Any]:
    found, told = facts.dips(publication, week), facts.told_dips(publication, week)
    kinds = {"all": "the centre", "issue_type": "issue type"}

    def who(r: Row) -> str:
        if r["dimension"] == "all":
            return "The whole centre"
        if r["dimension"] == "agent":
            return pages.agent(r["value"], r["name"])
        return pages.campaign(r["value"]) if r["dimension"] == "campaign" else words.title(r["value"])

    if found:
        centre = [r for r in found if r["dimension"] == "all"]
        says = f"{count(len(found), 'dip')} since {words.day(week.start)}" + (
            f", {len(centre)} of the whole centre" if centre else ", none of the whole centre"
        )
    else:
        says = (
            f"No dip since {words.day(week.start)}, in {count(told, 'day or week', 'days and weeks')} that were judged."
            if told
            else "No dip can be told yet: control limits need earlier days and weeks, and enough calls in each."
        )
    return {
        "says": says,
        "any": bool(found),
        "table": Table(
            "Dips",
            ("Who", "Kind", "When", "IQS", "Usual", "Lower limit", "Calls", "Rule"),
            [
                (
                    who(r),
                    kinds.get(r["dimension"], r["dimension"]),
                    words.period_name(r["period"], r["period_start"]),
                    number(r["iqs"]),
                    number(r["xmr_center"]),
                    number(r["xmr_low"]),
                    f"{r['n']:,}",
                    r["dip_rule"] or MISSING,
                )
                for r in found[:30]
            ],
            numeric=(3, 4, 5, 6),
            note=f"The first 30 of {len(found)}; trend_iqs has them all." if len(found) > 30 else "",
        ),
    }


def _keywords(publication: Publication, week: Period) -> dict[str, Any]:
    rows = facts.keywords(publication, week, 8)
    lists: dict[tuple[str, str], list[str]] = {}
    for r in rows:
        text = f"{r['keyword']} ({r['n_before']} → {r['n']})"
        lists.setdefault((r["party"], r["direction"]), []).append(text)
    return {
        "lists": [
            (f"{words.title(party)}s say {'more' if direction == 'rising' else 'less'} often", texts)
            for (party, direction), texts in lists.items()
        ]
    }


MEASURES = {"iqs": ("IQS", "points"), "aht_s": ("handling time", "s"), "csat": ("CSAT", "points")}


def _process_changes(publication: Publication) -> dict[str, Any]:
    rows = facts.process_changes(publication)
    named: dict[tuple, list[Row]] = {}
    for r in rows:
        named.setdefault((r["changed_on"], r["name"], r["campaign"], r["issue_type"]), []).append(r)
    told, untold = [], []
    for (changed_on, name, campaign, issue_type), effects in named.items():
        scope = ", ".join(words.title(v) for v in (campaign, issue_type) if v) or "everything"
        sure = [e for e in effects if e["is_beyond_chance"]]
        text = "; ".join(
            f"{MEASURES.get(e['measure'], (e['measure'], ''))[0]} "
            + change_words(e["effect"], e["effect_low"], e["effect_high"], MEASURES.get(e["measure"], ("", ""))[1])
            for e in (sure or effects)
        )
        item = {"name": name, "scope": scope, "on": words.day(changed_on, year=True), "text": text}
        item["provisional"] = not all(e["is_complete"] for e in effects)
        item["alone"] = all(e["has_comparison"] for e in effects)
        (told if sure else untold).append(item)
    return {
        "any": bool(rows),
        "told": told,
        "untold": untold,
        "table": Table(
            "Process changes: before, after, and against what was not changed",
            ("Change", "From", "Concerns", "Measure", "Before", "After", "Others' change", "Effect", "95 % interval"),
            [
                (
                    r["name"],
                    words.day(r["changed_on"], year=True),
                    ", ".join(words.title(v) for v in (r["campaign"], r["issue_type"]) if v) or "everything",
                    MEASURES.get(r["measure"], (r["measure"], ""))[0],
                    f"{number(r['mean_before'])} (n={r['n_before']})",
                    f"{number(r['mean_after'])} (n={r['n_after']})",
                    or_missing(number(r["others_change"], sign=True), "nobody to compare with"),
                    or_missing(number(r["effect"], sign=True), "too few"),
                    or_missing(words.interval(r["effect_low"], r["effect_high"], sign=True), "too few"),
                )
                for r in rows
            ],
            numeric=(4, 5, 6, 7, 8),
        ),
    }


def _change(publication: Publication, week: Period, week_before: Period | None, pages: Pages) -> dict[str, Any] | None:
    rows = facts.change_of_week(publication, week)
    centre = next((r for r in rows if r["dimension"] == "all"), None)
    if centre is None:
        return None
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
    others = [r for r in rows if r["dimension"] in ("agent", "campaign", "team")]
    others.sort(key=lambda r: (-abs(r["change"]), r["dimension"], r["value"]))
    return {
        "centre": centre,
        "inseparable": centre["is_separable"] is False,
        "parts": [
            {"name": name, "text": text, "size": value, "value": number(value, sign=True)}
            for (_, name, text), value in zip(parts, shown, strict=True)
        ],
        "total": number(total, sign=True),
        "waterfall": chart(
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
        "moved": chart(
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
            ("Who", "Kind", "IQS before", "IQS", "Change", "Behaviour", "Mix", "Scorecard", "Measuring", "Scored"),
            [
                (
                    pages.agent(r["value"])
                    if r["dimension"] == "agent"
                    else pages.campaign(r["value"])
                    if r["dimension"] == "campaign"
                    else words.title(r["value"]),
                    r["dimension"],
                    number(r["iqs_before"]),
                    number(r["iqs"]),
                    number(r["change"], sign=True),
                    number(r["behaviour"], sign=True),
                    number(r["mix"], sign=True),
                    number(r["scorecard"], sign=True),
                    number(r["extractor"], sign=True),
                    f"{r['n']} (before {r['n_before']})",
                )
                for r in others[:60]
            ],
            numeric=(2, 3, 4, 5, 6, 7, 8, 9),
            note=f"The 60 largest of {len(others)}; insight_change has them all." if len(others) > 60 else "",
        ),
    }


# --- 3 Where?


def where(publication: Publication, week: Period, pages: Pages, options: ReportOptions) -> dict[str, Any]:
    ranked, unranked = facts.league(publication, week)
    everybody = ranked + unranked
    names = Counter(r["name"] for r in everybody)
    scored = [r for r in everybody if r["n"]]
    listed = scored
    if len(scored) > options.agents:
        # Who needs a manager's eye in a large centre: the ends of those who can be ranked.
        pool = ranked if len(ranked) >= 2 * options.ends else scored
        listed = pool[: options.ends] + pool[-options.ends :]

    def agent(row: Row) -> str:
        return f"{row['name']} ({row['agent_id']})" if names[row["name"]] > 1 else row["name"]

    ranges = [
        charts.Range(
            (f"{r['position']}. " if r["position"] else "") + agent(r),
            float(r["iqs"]),
            decimal(r["iqs_low"]),
            decimal(r["iqs_high"]),
            number(r["iqs"]),
            faint=r["position"] is None,
            mark=decimal(r["iqs_shrunk"]),
        )
        for r in listed
    ]
    label = "IQS by agent: " + ", ".join(f"{r.name} {r.text}{' (unranked)' if r.faint else ''}" for r in ranges)
    table = Table(
        "Agents by IQS",
        (
            "Agent",
            "Id",
            "Team",
            "Rank",
            "IQS",
            "95 % interval",
            "Shrunk",
            "Same mix",
            "Scored",
            "Failed",
            "Against the centre",
        ),
        [
            (
                pages.agent(r["agent_id"], r["name"]),
                r["agent_id"],
                or_missing(r["team"], "not delivered"),
                or_missing(r["position"] and str(r["position"]), "too few calls"),
                or_missing(number(r["iqs"]), "nothing scored"),
                or_missing(words.interval(r["iqs_low"], r["iqs_high"]), "needs two"),
                or_missing(number(r["iqs_shrunk"]), "no peers"),
                or_missing(number(r["iqs_case_mix"]), "nothing scored"),
                f"{r['n']:,}",
                f"{r['failed'] or 0:,}",
                r["verdict"],
            )
            for r in everybody[: options.table_rows]
        ],
        numeric=(3, 4, 5, 6, 7, 8, 9),
        note=(
            f"The first {options.table_rows} of {len(everybody)} agents; trend_iqs_by_agent has them all. "
            if len(everybody) > options.table_rows
            else ""
        )
        + "Shrunk: drawn towards the mean of all agents as far as few calls make chance likely; the ranks follow it. "
        "Same mix: as if everybody had the same issue types.",
    )
    return {
        "says": _league_says(ranked, unranked, week),
        "league": chart(lambda width: charts.ranges(ranges, label, reference=decimal(week.iqs), width=width)),
        "ranked": len(ranked),
        "unranked": len(unranked),
        "unranked_shown": any(r["position"] is None for r in listed),
        "left_out": len(scored) - len(listed),
        "ends": options.ends if len(listed) < len(scored) else 0,
        "league_table": table,
        "agents": _agent_map(publication, week, listed, agent, pages, options),
        "campaigns": _campaign_map(publication, week, pages, options),
    }


def _league_says(ranked: Sequence[Row], unranked: Sequence[Row], week: Period) -> str:
    """Who stands out, in a sentence with figures and intervals."""
    if not ranked:
        return (
            f"No agent has enough scored calls this week to be ranked ({count(len(unranked), 'agent')} shown unranked)."
        )
    above = [r for r in ranked if r["verdict"] == "above the centre"]
    below = [r for r in ranked if r["verdict"] == "below the centre"]

    def told(found: Sequence[Row], side: str, r: Row) -> str:
        verb, link = ("is", ": ") if len(found) == 1 else ("are", ", furthest ")
        interval = words.interval(r["iqs_low"], r["iqs_high"])
        return f"{len(found)} {verb} {side} the centre{link}{r['name']} ({number(r['iqs'])}, {interval})"

    if not above and not below:
        return f"None of {count(len(ranked), 'ranked agent')} can be told apart from the centre ({number(week.iqs)})."
    said = [told(below, "below", below[-1])] if below else []
    said += [told(above, "above", above[0])] if above else []
    rest = len(ranked) - len(above) - len(below)
    return f"Of {count(len(ranked), 'ranked agent')} {' and '.join(said)}" + (
        f"; {rest} can't be told apart from it." if rest else "."
    )


def _agent_map(
    publication: Publication,
    week: Period,
    listed: Sequence[Row],
    agent: Callable[[Row], str],
    pages: Pages,
    options: ReportOptions,
) -> HeatMap | None:
    shown = {r["agent_id"] for r in listed}
    cells = {
        (r["agent_id"], r["parameter"]): r for r in facts.agent_parameters(publication, week) if r["agent_id"] in shown
    }
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
                pages.agent(r["agent_id"], agent(r)),
                number(r["iqs"]),
                [
                    cell(
                        c.get("score"),
                        decimal(c.get("difference")),
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


def _campaign_map(publication: Publication, week: Period, pages: Pages, options: ReportOptions) -> HeatMap | None:
    rows = facts.campaign_issues(publication, week)
    cells = {(r["campaign"], r["issue_type"]): r for r in rows}
    received: dict[str, int] = {}
    for r in rows:
        received[r["issue_type"]] = received.get(r["issue_type"], 0) + (r["received"] or 0)
    issues = sorted(received, key=lambda i: (-received[i], i))[:16]
    by_campaign = Counter({r["campaign"]: 0 for r in rows})
    for r in rows:
        by_campaign[r["campaign"]] += r["received"] or 0
    campaigns = sorted(by_campaign, key=lambda c: (-by_campaign[c], c))[: options.campaigns]
    if not any(r["n"] for r in rows):
        return None
    centre = float(week.iqs)
    return HeatMap(
        f"Mean IQS of each campaign and issue type, {words.inside(words.period_name('week', week.start))}",
        "Campaign",
        [words.title(i) for i in issues],
        [
            (
                pages.campaign(campaign),
                "",
                [
                    cell(
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


VERDICTS = {
    "person": "More goes with the person: coaching reaches further than a new process",
    "process": "More goes with the issue: fixing the process reaches further than coaching",
    "both": "Person and issue weigh about the same: both are worth a look",
    "neither": "Neither explains much: calls differ mostly for other reasons",
}


def process(publication: Publication, week: Period, pages: Pages) -> dict[str, Any]:
    found = facts.components(publication, week)
    if found is None:
        return {"found": None}
    rows = facts.findings(publication, found.period, found.start)
    told = [r for r in rows if r["is_finding"]]
    drawn = [
        charts.Bar("Who took the call", found.agents_share * 100, percent(found.agents_share), 100.0),
        charts.Bar("What it was about", found.issue_types_share * 100, percent(found.issue_types_share), 100.0),
    ]

    def subject(r: Row) -> str:
        return pages.agent(r["subject"], r["name"]) if r["kind"] == "person" else words.title(r["subject"])

    return {
        "found": found,
        "period": words.inside(words.period_name(found.period, found.start)),
        "verdict": VERDICTS.get(found.verdict, found.verdict),
        "chart": chart(
            lambda width: charts.bars(
                drawn,
                "Share of the differences between calls: " + ", ".join(f"{r.name} {r.text}" for r in drawn),
                width=width,
            )
        ),
        "findings": [
            {
                "kind": r["kind"],
                "subject": subject(r),
                "name": words.title(r["subject"]) if r["kind"] == "process" else r["name"],
                "gap": r["gap"],
                "text": (
                    f"{r['lower']} of {count(r['comparisons'], 'agent')} score lower on it than on their other calls"
                    if r["kind"] == "process"
                    else f"lower than the other agents on {r['lower']} of {count(r['comparisons'], 'issue type')}"
                )
                + f", by {number(-r['gap'])} points on average (95 % interval "
                f"{words.interval(-r['gap_high'], -r['gap_low'])}, {count(r['n'], 'call')}).",
            }
            for r in told
        ],
        "others": len(rows) - len(told),
        "table": Table(
            "Who or what scores lower, and in how many comparisons",
            ("Subject", "Kind", "Gap", "95 % interval", "Lower in", "Calls", "Finding"),
            [
                (
                    subject(r),
                    "issue type" if r["kind"] == "process" else "agent",
                    number(r["gap"], sign=True),
                    or_missing(words.interval(r["gap_low"], r["gap_high"], sign=True), "too few"),
                    f"{r['lower']} of {r['comparisons']}",
                    f"{r['n']:,}",
                    r["kind"] if r["is_finding"] else "none",
                )
                for r in rows[:100]
            ],
            numeric=(2, 3, 4, 5),
            note=f"The first 100 of {len(rows)}; insight_findings has them all." if len(rows) > 100 else "",
        ),
    }


# --- 5 What to do


def actions(publication: Publication, week: Period, pages: Pages, options: ReportOptions) -> dict[str, Any]:
    drivers = facts.drivers(publication, week)
    lost = [d for d in drivers if d["points_lost_per_call"]]
    bars = [
        charts.Bar(
            d["name"], float(d["points_lost_per_call"]), f"{number(d['points_lost_per_call'])} · {percent(d['share'])}"
        )
        for d in lost[:12]
    ]
    queue, queued = facts.coaching(publication, options.coaching_per_agent, options.coaching)
    breaks = facts.script_breaks(publication)
    contacts = facts.sub_drivers(publication, week)
    return {
        "alerts": _alerts(publication, week, pages),
        "breaks": [b for b in breaks if b["is_beyond_chance"]][:10],
        "breaks_other": sum(not b["is_beyond_chance"] for b in breaks),
        "contacts_table": Table(
            "Which contacts the points are lost on",
            ("Contact", "Driver", "Calls", "Points lost per call", "Points of the IQS", "Share", "Together"),
            [
                (
                    words.title(r["sub_driver"]),
                    words.title(r["driver"]),
                    f"{r['n']:,}",
                    number(r["points_lost_per_call"]),
                    number(r["points_of_iqs"], 2),
                    percent(r["share"], 1),
                    percent(r["cumulative_share"], 1),
                )
                for r in contacts
            ],
            numeric=(2, 3, 4, 5, 6),
        ),
        "top": lost[:1],
        "pareto": chart(
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
            q
            | {
                "value": words.plain(q["metric_value"], q["unit"]),
                "measure": words.code(q["metric"]),
                "who": pages.agent(q["agent_id"], q["name"]),
            }
            for q in queue
        ],
        "queued": queued,
        "primes": facts.primes(publication, options.primes_per_campaign),
    }


def _alerts(publication: Publication, week: Period, pages: Pages) -> dict[str, Any] | None:
    found = facts.alerts(publication, week.start, 15)
    if found is None:
        return None
    rows, n = found

    def about(r: Row) -> str:
        if r["interaction_id"]:
            return pages.agent(r["agent_id"], r["agent_name"]) if r["agent_id"] else MISSING
        return pages.campaign(r["campaign"]) if r["campaign"] == r["subject"] else words.title(r["subject"])

    kinds = Counter(r["severity"] for r in rows)
    return {
        "says": f"{count(n, 'alert')} since {words.day(week.start)} that nobody has taken note of"
        + (f" ({', '.join(f'{k} {v}' for v, k in kinds.items())})" if n == len(rows) and rows else ""),
        "n": n,
        "table": Table(
            "Alerts that nobody has taken note of",
            ("Alert", "Severity", "About", "Call", "Day", "Value", "Limit", "Evidence"),
            [
                (
                    r["meaning"] or words.title(r["rule"]),
                    r["severity"] or MISSING,
                    about(r),
                    or_missing(r["interaction_id"], "a group"),
                    words.day(r["call_date"]),
                    number(r["value"]),
                    f"{words.code(r['comparison'])} {number(r['threshold'])}",
                    or_missing(r["evidence"], "none"),
                )
                for r in rows
            ],
            numeric=(5,),
            note=f"The first {len(rows)} of {n}; the table alerts has them all." if n > len(rows) else "",
        ),
    }


# --- 6 Can I trust it?


def trust(
    publication: Publication, about: Row, week: Period | None, pages: Pages, options: ReportOptions
) -> dict[str, Any]:
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
        "ledger": chart(
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
        "fairness": _fairness(publication),
        "calibration": _calibration(publication),
        "surveys": _survey_agreement(publication, week, pages),
    }


FACTORS = {
    "snr_db": "noise on the line",
    "asr_confidence": "how surely words are recognised",
    "language": "the language",
    "channel": "the channel",
    "layout": "the recording's channels",
}


def _fairness(publication: Publication) -> dict[str, Any]:
    rows = facts.fairness(publication)

    def text(r: Row) -> str:
        return f"{FACTORS.get(r['factor'], words.code(r['factor']))} ({percent(r['explained_share'], 1)})"

    warned = [r for r in rows if r["is_warning"]]
    known = [r for r in rows if r["explained_share"] is not None]
    if warned:
        says = "Scores go with something agents can't help: " + ", ".join(map(text, warned))
    elif known:
        largest = known[0]
        says = "No warning: no condition that agents can't help goes with the scores surely enough"
        says += f"; the largest is {text(largest)} of the differences over {count(largest['n'], 'call')}"
    else:
        says = "Not known yet: no condition was measured on enough calls"
    return {
        "says": says + ".",
        "warns": bool(warned),
        "table": Table(
            "Conditions that an agent can't help, and how much of the differences in scores goes with them",
            ("Condition", "Calls", "Correlation", "Share", "Warning above", "Warning"),
            [
                (
                    words.title(FACTORS.get(r["factor"], r["factor"])),
                    f"{r['n']:,}",
                    or_missing(number(r["correlation"], 2, sign=True), "groups, not a measure"),
                    or_missing(percent(r["explained_share"], 1), "too few"),
                    percent(r["at_most"]),
                    "yes" if r["is_warning"] else "no",
                )
                for r in rows
            ],
            numeric=(1, 2, 3, 4),
        ),
    }


PANELS = {
    "reviewers": "people among themselves",
    "machine_and_reference": "the machine and the experts",
    "reviewers_and_machine": "people and the machine",
}
STATISTICS = {
    "krippendorff_alpha": "Krippendorff's α",
    "icc_2_1": "ICC(2,1)",
    "weighted_kappa": "weighted κ",
    "within_tolerance": "within tolerance",
    "exact_agreement": "exactly equal",
}
DIAGNOSES = {
    "knowledge_gap": "everybody rates it low: a gap in what agents know",
    "read_differently": "departments read the standard differently",
    "raters_differ": "raters differ, more than departments",
    "agreed": "agreed",
}


def _calibration(publication: Publication) -> dict[str, Any]:
    rows, raters = facts.agreement(publication), facts.raters(publication)
    sessions = facts.calibration_sessions(publication)
    if not rows and not raters:
        return {"any": False}
    alpha = {r["panel"]: r for r in rows if r["statistic"] == "krippendorff_alpha" and r["value"] is not None}
    says = [
        f"{PANELS[p]} α {number(r['value'], 2)}"
        + (f" ({words.interval(r['low'], r['high'], 2)})" if r["low"] is not None else " (no interval: few sessions)")
        for p, r in ((p, alpha[p]) for p in PANELS if p in alpha)
    ]
    kinds = Counter(s["diagnosis"] for s in sessions)
    return {
        "any": True,
        "says": f"Agreement over {count(max((r['n_sessions'] or 0 for r in rows), default=0), 'calibration session')}: "
        + ("; ".join(says) if says else "not known yet")
        + ". 1 is agreement throughout, 0 what chance gives.",
        "machine": next((r["diagnosis_text"] for r in raters if r["rater_kind"] == "machine"), None),
        "diagnoses": "; ".join(
            f"{n} × {DIAGNOSES.get(k, words.code(k))}"
            for k, n in sorted(kinds.items(), key=lambda i: (-i[1], str(i[0])))
        ),
        "raters_table": Table(
            "Raters: the machine, people, departments",
            ("Rater", "Kind", "Ratings", "Bias", "95 % interval", "Alignment", "Correlation", "What it means"),
            [
                (
                    r["reviewer_id"],
                    r["rater_kind"],
                    f"{r['n']:,}",
                    or_missing(number(r["bias"], sign=True), NULL_REASONS.get(r["reason"], words.code(r["reason"]))),
                    or_missing(words.interval(r["bias_low"], r["bias_high"], sign=True), "too few sessions"),
                    or_missing(number(r["alignment"], 0, unit=" %"), "nothing to compare with"),
                    or_missing(number(r["correlation"], 2), "too few"),
                    r["diagnosis_text"] or MISSING,
                )
                for r in raters
            ],
            numeric=(2, 3, 4, 5, 6),
        ),
        "agreement_table": Table(
            "Agreement over all parameters and sessions",
            ("Between", "Statistic", "Value", "95 % interval", "Rated things", "Raters", "Sessions"),
            [
                (
                    PANELS.get(r["panel"], words.code(r["panel"])).capitalize(),
                    STATISTICS.get(r["statistic"], words.code(r["statistic"])),
                    or_missing(number(r["value"], 2), words.code(r["reason"])),
                    or_missing(words.interval(r["low"], r["high"], 2), words.code(r["interval_reason"])),
                    f"{r['n_units'] or 0:,}",
                    f"{r['n_raters'] or 0:,}",
                    f"{r['n_sessions'] or 0:,}",
                )
                for r in rows
            ],
            numeric=(2, 3, 4, 5, 6),
        ),
        "sessions_table": Table(
            "What people rated, widest spread first",
            ("Session", "Call", "Parameter", "People", "Machine", "What it looks like"),
            [
                (
                    s["session_id"],
                    s["interaction_id"],
                    s["parameter_name"],
                    f"{number(s['lowest'], 0)} to {number(s['highest'], 0)}",
                    or_missing(number(s["machine_points"], 0), words.code(s["machine_reason"])),
                    s["diagnosis_text"] or MISSING,
                )
                for s in sessions[:25]
            ],
            numeric=(3, 4),
            note=f"The first 25 of {len(sessions)}; calibration_sessions has them all." if len(sessions) > 25 else "",
        ),
    }


def _survey_agreement(publication: Publication, week: Period | None, pages: Pages) -> dict[str, Any]:
    found = facts.surveys(publication, week)
    rows, n = facts.survey_disagreements(publication, 10)
    said = []
    for question, name in (("csat", "CSAT"), ("nps", "NPS")):
        s = found[question]
        if s.agreement is not None:
            low = s.agreement_low
            holds = (
                "too few to be sure" if low is None else "the higher the IQS, the happier" if low > 0 else "not sure"
            )
            said.append(
                f"{name} ρ {number(s.agreement, 2)} ({words.interval(low, s.agreement_high, 2)}, "
                f"{s.pairs} calls: {holds})"
            )
    return {
        "any": bool(said or rows or any(s.answers for s in found.values())),
        "says": "IQS and what customers answer: " + "; ".join(said) + "."
        if said
        else "Too few answers to scored calls this week to tell whether IQS and customers agree.",
        "n": n,
        "table": Table(
            "Calls on which the customer and the IQS disagree: one of the two is wrong about the call",
            ("Call", "Day", "Agent", "Campaign", "IQS", "CSAT", "NPS", "What"),
            [
                (
                    r["interaction_id"],
                    words.day(r["call_date"], year=True),
                    pages.agent(r["agent_id"], r["name"]),
                    pages.campaign(r["campaign"]),
                    number(r["iqs"]),
                    or_missing(number(r["csat"], 0), "not asked"),
                    or_missing(number(r["nps"], 0), "not asked"),
                    r["gap"],
                )
                for r in rows
            ],
            numeric=(4, 5, 6),
            note=f"The newest 10 of {n}; insight_survey_disagreements has them all." if n > 10 else "",
        ),
    }


def _time(value: Any) -> str:
    return MISSING if value is None else f"{value:%Y-%m-%d %H:%M}"


def worked(publication: Publication, week: Period) -> dict[str, Any] | None:
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
        "chart": chart(
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


def glossary(publication: Publication) -> dict[str, Any]:
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


def in_short(page: dict[str, Any]) -> list[str]:
    """The report in a few sentences, most important first."""
    how, why, week = page["how"], page["why"], page["week"]
    sentences = []
    if why["change"] and how["against"].get("beyond"):
        largest = max(why["change"]["parts"], key=lambda p: abs(p["size"]))
        sentences.append(f"Most of the change is {largest['name'].lower()} ({largest['value']}): {largest['text']}.")
    if why["dips"]["any"]:
        sentences.append(f"{why['dips']['says']}.")
    for top in page["actions"]["top"]:
        sentences.append(
            f"Most points are lost to {top['name']}: {number(top['points_lost_per_call'])} a call, "
            f"{percent(top['share'])} of all that is lost."
        )
    for finding in page["process"].get("findings", [])[:1]:
        what = "a process finding, not a person's" if finding["kind"] == "process" else "on most issue types"
        sentences.append(f"{finding['name']} scores lower ({number(finding['gap'], sign=True)} points): {what}.")
    if week.failed:
        sentences.append(
            f"{count(week.failed, 'call')} failed on a critical parameter and scored 0; "
            f"a person should confirm {'it' if week.failed == 1 else 'them'}."
        )
    return sentences
