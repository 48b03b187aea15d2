"""The data of the report's filters: groups of scored calls as compact JSON, as fine as its size allows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from pipelines.reports import words
from pipelines.reports.facts import Publication, Row
from pipelines.reports.parts import Pages, page_name

DIMENSIONS = (
    ("campaign", "Campaign"),
    ("team", "Team"),
    ("agent", "Agent"),
    ("issue_type", "Issue type"),
    ("language", "Language"),
    ("shift", "Shift"),
)


@dataclass(frozen=True)
class Explorable:
    """What the filters work on. `grain` is day or week; without agents where they would be too many."""

    json: Markup
    grain: str
    has_agents: bool
    first: Any
    last: Any
    cells: int
    is_shortened: bool


def data(publication: Publication, pages: Pages, cells_at_most: int) -> Explorable | None:
    """Scored calls grouped by day and the six dimensions; None where nothing is scored.

    Above `cells_at_most` groups the days become weeks, then the agents are left out (they have pages of their own),
    then the oldest weeks.
    """
    for grain, has_agents in (("day", True), ("week", True), ("week", False)):
        periods = _sizes(publication, grain, has_agents)
        if sum(n for _, n in periods) <= cells_at_most:
            break
    if not periods:
        return None
    first, total = periods[-1][0], 0
    for start, n in reversed(periods):
        total += n
        if total > cells_at_most and start != periods[-1][0]:
            break
        first = start
    rows = publication.rows(
        _GROUPED + " select * from cells where start >= $first order by all",
        **_named(publication, grain, has_agents),
        first=first,
    )
    return Explorable(
        embedded(_columns(rows, grain, has_agents, pages)),
        grain,
        has_agents,
        rows[0]["start"],
        rows[-1]["start"],
        len(rows),
        first != periods[0][0],
    )


# The sum of squares gives the page the standard deviation of whatever the reader picks.
_GROUPED = """
    with cells as (
        select cast(date_trunc($grain, s.call_date) as date) as start,
            coalesce(i.campaign, 'unknown') as campaign, coalesce(i.team, 'unknown') as team,
            case when $agents then coalesce(i.agent_id, 'unknown') else '' end as agent,
            coalesce(i.issue_type, 'unknown') as issue_type, coalesce(i.language, 'unknown') as language,
            coalesce(i.shift, 'unknown') as shift, count(*) as n, sum(s.iqs)::double as total,
            sum(s.iqs::double * s.iqs::double) as squares
        from fct_call_scores s join fct_interactions i using (interaction_id)
        where s.basis = $basis
        group by all
    )
"""


def _named(publication: Publication, grain: str, has_agents: bool) -> dict[str, Any]:
    return {"grain": grain, "agents": has_agents, "basis": publication.basis}


def _sizes(publication: Publication, grain: str, has_agents: bool) -> list[tuple[Any, int]]:
    rows = publication.rows(
        _GROUPED + " select start, count(*) as n from cells group by start order by start",
        **_named(publication, grain, has_agents),
    )
    return [(r["start"], r["n"]) for r in rows]


def _columns(rows: list[Row], grain: str, has_agents: bool, pages: Pages) -> dict[str, Any]:
    starts = sorted({r["start"] for r in rows})
    at = {start: i for i, start in enumerate(starts)}
    dimensions = []
    for key, name in DIMENSIONS:
        if key == "agent" and not has_agents:
            continue
        values = sorted({r[key] for r in rows})
        place = {v: i for i, v in enumerate(values)}
        linked = {"agent": ("agents", pages.agents), "campaign": ("campaigns", pages.campaigns)}.get(key)
        dimensions.append(
            {
                "key": key,
                "name": name,
                "values": [pages.agents.get(v, v) if key == "agent" else words.title(v) for v in values],
                "links": [f"{linked[0]}/{page_name(v)}" if v in linked[1] else "" for v in values] if linked else [],
                "cells": [place[r[key]] for r in rows],
            }
        )
    return {
        "grain": grain,
        "starts": [s.isoformat() for s in starts],
        "at": [at[r["start"]] for r in rows],
        "dimensions": dimensions,
        "n": [r["n"] for r in rows],
        "sum": [round(r["total"], 2) for r in rows],
        "squares": [round(r["squares"]) for r in rows],
    }


def embedded(value: Any) -> Markup:
    """JSON that may stand inside a script element: no character of it can end the element or begin a comment."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))
