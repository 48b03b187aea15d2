"""What every page of the report is made of: tables, heat maps, charts for two widths, and words for what is missing."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup, escape

from pipelines.contracts.vocabulary import EXCLUDED, NULL_REASONS, QUARANTINED
from pipelines.reports import charts, words
from pipelines.reports.words import MISSING, count, number

WIDE, NARROW = 936, 318


@dataclass(frozen=True)
class ReportOptions:
    """What the report shows, and how much of it.

    Cells of a heat map below `cell_at_least` calls are outlined. `trend_days` and `trend_weeks` are the length of the
    charts, `table_rows` that of the list of agents. Above `agents` scored agents the charts show the `ends` highest
    and lowest ones. `cells_at_most` bounds the data of the filters, in groups of calls.
    """

    cell_at_least: int = 3
    trend_days: int = 56
    trend_weeks: int = 53
    agents: int = 30
    ends: int = 10
    campaigns: int = 20
    table_rows: int = 5000
    coaching_per_agent: int = 3
    coaching: int = 15
    primes_per_campaign: int = 2
    page_weeks: int = 13
    page_trend_weeks: int = 26
    page_calls: int = 5
    page_days: int = 28
    cells_at_most: int = 40_000


def page_name(value: str) -> str:
    """File name of the page of an agent or a campaign: short, safe in any file system, and its own for each value."""
    plain = re.sub(r"[^a-z0-9_-]+", "-", value.lower()).strip("-")[:40]
    return (
        f"{plain}.html"
        if plain and plain == value
        else f"{plain}-{hashlib.sha256(value.encode()).hexdigest()[:8]}.html"
    )


@dataclass(frozen=True)
class Pages:
    """Agents and campaigns with pages of their own, by id: names. `root` leads from a page to the report's folder."""

    agents: Mapping[str, str] = field(default_factory=dict)
    campaigns: Mapping[str, str] = field(default_factory=dict)
    root: str = ""

    def agent(self, agent_id: str | None, text: str | None = None) -> str:
        """The agent's name as a link to the page, as plain text where there is none."""
        return self._link("agents", self.agents, agent_id, text or self.agents.get(agent_id, agent_id))

    def campaign(self, campaign: str | None, text: str | None = None) -> str:
        return self._link("campaigns", self.campaigns, campaign, text or words.title(campaign))

    def _link(self, folder: str, there: Mapping[str, str], value: str | None, text: str | None) -> str:
        if value is None or value not in there:
            return text or MISSING
        # Put together by hand: Markup.format takes ten times as long, and a large centre has 30,000 links.
        return Markup(f'<a href="{self.root}{folder}/{page_name(value)}">{escape(text)}</a>')


@dataclass(frozen=True)
class Table:
    """A table behind a chart. Cells are text, or Markup of `missing`; the first column names the row."""

    caption: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    numeric: tuple[int, ...] = ()
    total: Sequence[str] = ()
    note: str = ""


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


def chart(draw: Callable[[int], str], wide: int = WIDE) -> Markup:
    """A chart drawn for desktops and again for phones; "" where there is nothing to draw."""
    large = draw(wide)
    return Markup(f'<div class="wide">{large}</div><div class="narrow">{draw(NARROW)}</div>') if large else Markup("")


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


def cell(value: Any, difference: float | None, n: int | None, minimum_n: int, where: str, against: str) -> Cell:
    if value is None:
        return Cell(MISSING, "none", f"{where}: no value")
    shade = charts.shade(difference)
    mark = {"u": "▲", "l": "▼"}.get(shade[0], "") if shade[1:] in ("2", "3") else ""
    few = n is not None and n < minimum_n
    tip = f"{where}: {number(value)}, {number(difference, sign=True)} against {against}, {count(n, 'call')}"
    return Cell(number(value, 0), shade, tip, n, few, mark)


def decimal(value: Any) -> float | None:
    """A number of the database as a float; None stays None."""
    return None if value is None else float(value)


def change_words(change: float | None, low: float | None, high: float | None, unit: str = "points") -> str:
    """A change with its interval, and whether chance alone would give it."""
    if change is None:
        return "can't be compared"
    if low is None or high is None:
        return f"{number(change, sign=True)} {unit} (too few to tell it from chance)"
    beyond = "more than chance" if not low <= 0 <= high else "could be chance"
    return f"{number(change, sign=True)} {unit} (95 % interval {words.interval(low, high, sign=True)}: {beyond})"
