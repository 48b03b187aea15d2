"""Charts as SVG text: data in, markup out. Pure; every text is escaped; colours are classes of the report's style.

Each chart is drawn for a given `width` in CSS pixels, so that its text stays readable: the report holds one for
desktops and one for phones. Its `label` says in words what it shows; the table beside it says it in numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from math import ceil, floor, log10

from pipelines.reports.words import day, number

CHAR = 0.55  # Mean width of a character of the system fonts, in em.
SPARK_POINTS = 30.0
BRIDGED_DAYS = 3  # The trend line goes on over a weekend without calls, not over a week.


@dataclass(frozen=True)
class Point:
    """A day (or a week, by its Monday) of the trend: mean IQS with its interval, None where it has none, and how many
    scored interactions it rests on; the control chart's limits where they are known, and the rule of a dip."""

    day: date
    value: float | None
    low: float | None
    high: float | None
    n: int
    center: float | None = None
    limit_low: float | None = None
    limit_high: float | None = None
    dip: str = ""


@dataclass(frozen=True)
class Step:
    """A part of a waterfall: its name, its size, and the size as it is written."""

    name: str
    change: float
    text: str


@dataclass(frozen=True)
class Range:
    """A row of the league chart. `low` and `high` are None where there is no interval; `mark` is a second estimate."""

    name: str
    value: float
    low: float | None
    high: float | None
    text: str
    faint: bool = False
    mark: float | None = None


@dataclass(frozen=True)
class Bar:
    """A horizontal bar: `value` is filled, up to `of` is outlined; negative values go to the left."""

    name: str
    value: float
    text: str
    of: float | None = None


@dataclass(frozen=True)
class Stack:
    """A day of stacked columns, bottom first."""

    day: date
    counts: tuple[int, ...]


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round values that cover low..high in about so many steps of 1, 2 or 5 times a power of ten."""
    if high <= low:
        high = low + 1
    raw = (high - low) / about
    power = 10 ** floor(log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * 0.999)
    first, last = floor(low / step), ceil(high / step)
    return [round(i * step, 10) for i in range(first, last + 1)]


def shade(difference: float | None, step: float = 4.0) -> str:
    """Class of a heat map's cell: d0 within ±step/2, then u1..u3 above and l1..l3 below in steps; "none" for None."""
    if difference is None:
        return "none"
    level = min(3, floor(abs(difference) / step + 0.5))
    return "d0" if level == 0 else f"{'u' if difference > 0 else 'l'}{level}"


def shorten(text: str, width: float, size: float = 12) -> str:
    """`text` cut to about `width` pixels, with an ellipsis."""
    fits = max(2, int(width / (size * CHAR)))
    return text if len(text) <= fits else text[: fits - 1].rstrip() + "…"


class _Drawing:
    def __init__(self, width: float, height: float, label: str, kind: str):
        self.width, self.height, self.label, self.kind = width, height, label, kind
        self.parts: list[str] = []

    def line(self, x1: float, y1: float, x2: float, y2: float, style: str) -> None:
        self.parts.append(f'<line class="{style}" x1="{_c(x1)}" y1="{_c(y1)}" x2="{_c(x2)}" y2="{_c(y2)}"/>')

    def rect(
        self, x: float, y: float, width: float, height: float, style: str, tip: str = "", round_: float = 2
    ) -> None:
        box = f'<rect class="{style}" x="{_c(x)}" y="{_c(y)}" width="{_c(max(width, 0))}" height="{_c(max(height, 0))}"'
        self.parts.append(f'{box} rx="{_c(round_)}">{_tip(tip)}</rect>')

    def dot(self, x: float, y: float, radius: float, style: str, tip: str = "") -> None:
        self.parts.append(f'<circle class="{style}" cx="{_c(x)}" cy="{_c(y)}" r="{_c(radius)}">{_tip(tip)}</circle>')

    def path(self, points: Sequence[tuple[float, float]], style: str, *, closed: bool = False) -> None:
        d = "M" + "L".join(f"{_c(x)} {_c(y)}" for x, y in points) + ("Z" if closed else "")
        self.parts.append(f'<path class="{style}" d="{d}"/>')

    def text(self, x: float, y: float, text: str, style: str = "t", anchor: str = "start", tip: str = "") -> None:
        place = f'x="{_c(x)}" y="{_c(y)}"' + ("" if anchor == "start" else f' text-anchor="{anchor}"')
        self.parts.append(f'<text class="{style}" {place}>{escape(text)}{_tip(tip)}</text>')

    def svg(self) -> str:
        width, height = _c(self.width), _c(self.height)
        size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        named = f'<svg class="chart {self.kind}" role="img" aria-label="{escape(self.label)}" {size}>'
        return named + "".join(self.parts) + "</svg>"


def _c(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _tip(text: str) -> str:
    return f"<title>{escape(text)}</title>" if text else ""


def _scale(low: float, high: float, start: float, end: float):
    span = (high - low) or 1
    return lambda value: start + (value - low) / span * (end - start)


def trend_scale(points: Sequence[Point]) -> list[float]:
    """The marks of a trend's axis, from its lowest to its highest end, within 0 to 100."""
    ends = [v for p in points if p.value is not None for v in (p.value, p.low, p.high) if v is not None]
    if not ends:
        return [0, 100]
    # Limits widen the scale at most threefold: a group with few calls has limits far from anything that happens.
    span = max(max(ends) - min(ends), 10)
    limits = [v for p in points if p.value is not None for v in (p.limit_low, p.limit_high) if v is not None]
    ends += [min(max(v, min(ends) - span), max(ends) + span) for v in limits]
    return [t for t in ticks(max(0, min(ends) - 1), min(100, max(ends) + 1)) if 0 <= t <= 100] or [0, 100]


def trend(
    points: Sequence[Point],
    label: str,
    *,
    width: float = 760,
    marked: tuple[date, date] | None = None,
    step_days: int = 1,
) -> str:
    """Mean IQS by day as a line with its interval as a band, and the number of interactions as columns below.

    `step_days` is 1 for days, 7 for weeks. Control limits are dashed lines; a dip is a ringed dot with its word.
    `marked` shades the days that the headline is about. Days without a value leave a gap; "" where no day has one.
    """
    shown = [p for p in points if p.value is not None]
    if not shown:
        return ""
    left, right, top, height, volume = 36, 12, 14, 210 if width > 500 else 180, 44
    base = top + height
    drawing = _Drawing(width, base + volume + 40, label, "trend")
    marks = trend_scale(points)
    first, last = points[0].day, points[-1].day
    pad = (width - left - right) / (2 * ((last - first).days / step_days + 1))
    x = _scale(first.toordinal(), last.toordinal(), left + pad, width - right - pad)
    if first == last:
        x = lambda _: (left + width - right) / 2  # noqa: E731
    y = _scale(marks[0], marks[-1], base, top)
    bridged_days = max(BRIDGED_DAYS, step_days)

    if marked:
        start, end = max(marked[0], first), min(marked[1], last)
        if start <= end:
            x1, x2 = x(start.toordinal()) - min(pad, 30), x(end.toordinal()) + min(pad, 30)
            drawing.rect(x1, top - 8, x2 - x1, height + volume + 16, "marked", round_=6)
    for mark in marks:
        drawing.line(left, y(mark), width - right, y(mark), "grid")
        drawing.text(left - 8, y(mark) + 4, f"{mark:g}", anchor="end")
    for run in _runs(shown, lambda p: p.limit_low is not None and p.limit_high is not None, bridged_days):
        for style, ends_of in (("limit", lambda p: p.limit_low), ("limit", lambda p: p.limit_high), ("mid", _center)):
            steps = []
            for p in run:
                at, level = x(p.day.toordinal()), y(min(marks[-1], max(marks[0], ends_of(p))))
                steps += [(at - pad, level), (at + pad, level)]
            drawing.path(steps, style)

    for run in _runs(shown, lambda p: p.low is not None and p.high is not None, bridged_days):
        at = [x(p.day.toordinal()) for p in run]
        if len(run) == 1:
            drawing.rect(at[0] - 4, y(run[0].high), 8, y(run[0].low) - y(run[0].high), "band", round_=4)
        else:
            upper = [(a, y(p.high)) for a, p in zip(at, run, strict=True)]
            lower = [(a, y(p.low)) for a, p in zip(at, run, strict=True)]
            drawing.path(upper + lower[::-1], "band", closed=True)
    for run in _runs(shown, lambda p: True, bridged_days):
        if len(run) > 1:
            drawing.path([(x(p.day.toordinal()), y(p.value)) for p in run], "line")
    for p in shown:
        when = day(p.day, weekday=True) if step_days == 1 else f"Week from {day(p.day)}"
        tip = f"{when}: {number(p.value)}, {p.n} scored"
        tip += (
            f", 95 % interval {number(p.low)} to {number(p.high)}" if p.low is not None else ", too few for an interval"
        )
        if p.dip:
            drawing.dot(x(p.day.toordinal()), y(p.value), 8, "ring", f"{tip}. Dip: {p.dip}")
            drawing.text(x(p.day.toordinal()), y(p.value) + 22, "dip", "t dipped", "middle")
        drawing.dot(
            x(p.day.toordinal()),
            y(p.value),
            4 if 2 * pad > 9 else 2.5,
            "dot" if p.low is not None else "dot open",
            tip + (f". Dip: {p.dip}" if p.dip else ""),
        )

    most = max(p.n for p in points) or 1
    column = min(18, 2 * pad * 0.6)
    floor_y = base + 12 + volume
    for p in points:
        tall = (volume - 14) * p.n / most
        drawing.rect(
            x(p.day.toordinal()) - column / 2, floor_y - tall, column, tall, "volume", f"{day(p.day)}: {p.n} scored", 1
        )
        if 2 * pad > 22 and p.n:
            drawing.text(x(p.day.toordinal()), floor_y - tall - 3, str(p.n), "t small", "middle")
    drawing.line(left, floor_y, width - right, floor_y, "axis")
    every = max(1, ceil(len(points) * 48 / (width - left - right)))
    for p in points[::-1][::every]:
        drawing.text(x(p.day.toordinal()), floor_y + 16, day(p.day), "t", "middle")
    return drawing.svg()


def _center(point: Point) -> float:
    return point.center if point.center is not None else (point.limit_low + point.limit_high) / 2


def spark(values: Sequence[float | None], label: str, *, width: float = 120, height: float = 28) -> str:
    """A small line of the values, oldest first; None leaves a gap. "" below two values.

    The scale spans SPARK_POINTS at least, so that noise does not look like a mountain.
    """
    known = [v for v in values if v is not None]
    if len(known) < 2:
        return ""
    middle, reach = (min(known) + max(known)) / 2, max(max(known) - min(known), SPARK_POINTS) / 2
    drawing = _Drawing(width, height, label, "spark")
    x, y = _scale(0, len(values) - 1, 4, width - 4), _scale(middle - reach, middle + reach, height - 4, 4)
    run: list[tuple[float, float]] = []
    for i, v in [*enumerate(values), (len(values), None)]:
        if v is not None:
            run.append((x(i), y(v)))
            continue
        if len(run) > 1:
            drawing.path(run, "line")
        elif run:
            drawing.dot(*run[0], 1.5, "dot")
        run = []
    last = max(i for i, v in enumerate(values) if v is not None)
    drawing.dot(x(last), y(values[last]), 3, "dot")
    return drawing.svg()


def _runs(points: Sequence[Point], keep, bridged_days: int = BRIDGED_DAYS) -> list[list[Point]]:
    runs: list[list[Point]] = []
    before: Point | None = None
    for p in points:
        if keep(p):
            if before and (p.day - before.day).days <= bridged_days:
                runs[-1].append(p)
            else:
                runs.append([p])
        before = p if keep(p) else None
    return runs


def waterfall(
    before: float, steps: Sequence[Step], after: float, label: str, *, names: tuple[str, str], width: float = 760
) -> str:
    """From `before` over `steps` to `after`: each bar begins where the last one ended. Level marks at both ends."""
    levels = [before]
    for step in steps:
        levels.append(levels[-1] + step.change)
    left, right, top, height = 36, 8, 26, 200
    drawing = _Drawing(width, top + height + 44, label, "waterfall")
    spread = max(max(levels), after) - min(min(levels), after)
    marks = ticks(min(*levels, after) - max(spread * 0.15, 0.5), max(*levels, after) + max(spread * 0.15, 0.5), 4)
    y = _scale(marks[0], marks[-1], top + height, top)
    for mark in marks:
        drawing.line(left, y(mark), width - right, y(mark), "grid")
        drawing.text(left - 8, y(mark) + 4, f"{mark:g}", anchor="end")
    slot = (width - left - right) / (len(steps) + 2)
    thick = min(72, slot * 0.62)
    is_tight = slot < 80

    def middle(i: int) -> float:
        return left + slot * (i + 0.5)

    def below(i: int, name: str) -> None:
        """Names under the bars; where bars are narrow, every other one a line lower."""
        lower, room = (16 * (i % 2), 2 * slot - 8) if is_tight else (0, slot)
        drawing.text(middle(i), top + height + 22 + lower, shorten(name, room), "t name", "middle", name)

    def end(i: int, level: float, name: str) -> None:
        drawing.rect(middle(i) - thick / 2, y(level) - 3, thick, 6, "total", f"{name}: {number(level)}", 3)
        drawing.text(middle(i), y(level) - 9, number(level), "tv", "middle")
        below(i, name)

    end(0, before, names[0])
    for i, step in enumerate(steps, 1):
        upper, lower = max(levels[i - 1], levels[i]), min(levels[i - 1], levels[i])
        drawing.line(middle(i - 1) + thick / 2, y(levels[i - 1]), middle(i) - thick / 2, y(levels[i - 1]), "link")
        style = "up" if step.change > 0 else "down" if step.change < 0 else "level"
        drawing.rect(
            middle(i) - thick / 2, y(upper), thick, max(y(lower) - y(upper), 2), style, f"{step.name}: {step.text}"
        )
        drawing.text(middle(i), y(upper) - 6, step.text, "tv", "middle")
        below(i, step.name)
    drawing.line(
        middle(len(steps)) + thick / 2, y(levels[-1]), middle(len(steps) + 1) - thick / 2, y(levels[-1]), "link"
    )
    end(len(steps) + 1, after, names[1])
    return drawing.svg()


def ranges(rows: Sequence[Range], label: str, *, reference: float | None = None, width: float = 760) -> str:
    """A dot with its interval per row on a common scale; `reference` is a dashed line. "" without rows."""
    if not rows:
        return ""
    name_width, text_width, row_height, top = min(190, width * 0.34), 44, 30, 26 if reference is not None else 8
    drawing = _Drawing(width, top + row_height * len(rows) + 26, label, "ranges")
    # The scale is that of the rows with enough calls: the wide interval of a single call would squeeze all others.
    firm = [r for r in rows if not r.faint] or rows
    ends = [v for r in firm for v in (r.low, r.high, r.mark) if v is not None] + [r.value for r in rows]
    ends += [reference] if reference is not None else []
    marks = [t for t in ticks(max(0, min(ends) - 1), min(100, max(ends) + 1), 5 if width > 500 else 3) if 0 <= t <= 100]
    bottom = top + row_height * len(rows)
    x = _scale(marks[0], marks[-1], name_width + 12, width - text_width - 14)
    for mark in marks:
        drawing.line(x(mark), top - 4, x(mark), bottom, "grid")
        drawing.text(x(mark), bottom + 18, f"{mark:g}", "t", "middle")
    if reference is not None:
        drawing.line(x(reference), top - 6, x(reference), bottom, "reference")
        drawing.text(x(reference), top - 12, f"all {number(reference)}", "t", "middle")
    for i, row in enumerate(rows):
        middle = top + row_height * (i + 0.5)
        faint = " faint" if row.faint else ""
        drawing.text(name_width, middle + 4, shorten(row.name, name_width), f"t name{faint}", "end", row.name)
        if row.low is not None and row.high is not None:
            tip = f"{row.name}: 95 % interval {number(row.low)} to {number(row.high)}"
            from_x, to_x = x(max(row.low, marks[0])), x(min(row.high, marks[-1]))
            drawing.rect(from_x, middle - 4, to_x - from_x, 8, f"range{faint}", tip, 4)
        if row.mark is not None:
            tip = f"{row.name}: shrunk estimate {number(row.mark)}"
            drawing.rect(x(min(max(row.mark, marks[0]), marks[-1])) - 1.5, middle - 9, 3, 18, "shrunk", tip, 0)
        drawing.dot(x(row.value), middle, 5, f"dot{faint}" + (" open" if row.faint else ""), f"{row.name}: {row.text}")
        drawing.text(width - 2, middle + 4, row.text, f"tv{faint}", "end")
    return drawing.svg()


def span(value: float, low: float | None, high: float | None, ends: tuple[float, float], reference: float) -> str:
    """A mean with its interval as a small picture for a cell of a table, `ends` being the common scale.

    `reference` is an upright line. It is hidden from screen readers: the numbers stand in the cells beside it.
    """
    width, height = 120, 18
    at = _scale(*ends, 6, width - 6)

    def x(v: float) -> str:
        return _c(at(min(max(v, ends[0]), ends[1])))

    parts = [f'<line class="reference" x1="{x(reference)}" x2="{x(reference)}" y1="0" y2="{height}"/>']
    if low is not None and high is not None:
        parts.append(f'<line class="whisker" x1="{x(low)}" x2="{x(high)}" y1="9" y2="9"/>')
    parts.append(f'<circle class="dot{"" if low is not None else " open"}" cx="{x(value)}" cy="9" r="4"/>')
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    return f'<svg class="chart span" aria-hidden="true" {size}>{"".join(parts)}</svg>'


def bars(rows: Sequence[Bar], label: str, *, width: float = 760) -> str:
    """Horizontal bars from a common zero line, with negative ones to the left of it. "" without rows."""
    if not rows:
        return ""
    widest = max(len(r.text) for r in rows) * 12 * CHAR + 14
    name_width, row_height = min(190, width * 0.42), 28
    drawing = _Drawing(width, row_height * len(rows) + 6, label, "bars")
    low = min(0.0, *(r.value for r in rows), 0.0)
    high = max(0.0, *(max(r.value, r.of or 0) for r in rows), 0.0) or (1.0 if low == 0 else 0.0)
    start = name_width + 10 + (widest if low < 0 else 0)
    x = _scale(low, high, start, width - (widest if high > 0 else 4))
    for i, row in enumerate(rows):
        middle = row_height * (i + 0.5) + 2
        drawing.text(name_width, middle + 4, shorten(row.name, name_width), "t name", "end", row.name)
        if row.of is not None:
            drawing.rect(x(0), middle - 8, x(row.of) - x(0), 16, "outline", f"{row.name}: at most {number(row.of)}")
        left, right = sorted((x(0), x(row.value)))
        style = "down" if row.value < 0 else "up" if low < 0 else "bar"
        drawing.rect(left, middle - 8, max(right - left, 1.5), 16, style, f"{row.name}: {row.text}")
        if row.value < 0:
            drawing.text(left - 6, middle + 4, row.text, "tv", "end")
        else:
            drawing.text(max(right, x(row.of or 0)) + 6, middle + 4, row.text, "tv")
    drawing.line(x(0), 0, x(0), row_height * len(rows) + 4, "axis")
    return drawing.svg()


def stacks(days: Sequence[Stack], names: Sequence[str], label: str, *, width: float = 760) -> str:
    """Columns by day, stacked in the order of `names`, each with its own fill pattern (classes s0, s1, …)."""
    if not days:
        return ""
    left, right, top, height = 36, 8, 12, 150
    base = top + height
    drawing = _Drawing(width, base + 26, label, "stacks")
    marks = [t for t in ticks(0, max(max(sum(d.counts) for d in days), 1), 4) if t == int(t)]
    y = _scale(0, marks[-1], base, top)
    for mark in marks:
        drawing.line(left, y(mark), width - right, y(mark), "grid")
        drawing.text(left - 8, y(mark) + 4, f"{mark:g}", anchor="end")
    slot = (width - left - right) / len(days)
    thick = min(34, slot * 0.7)
    every = max(1, ceil(48 / slot))
    for i, d in enumerate(days):
        middle, below = left + slot * (i + 0.5), 0
        for k, amount in enumerate(d.counts):
            if amount:
                tip = f"{day(d.day, weekday=True)}: {amount} {names[k]}"
                drawing.rect(
                    middle - thick / 2, y(below + amount), thick, y(below) - y(below + amount), f"s{k}", tip, 1
                )
            below += amount
        if (len(days) - 1 - i) % every == 0:
            drawing.text(middle, base + 18, day(d.day), "t", "middle")
    drawing.line(left, base, width - right, base, "axis")
    return drawing.svg()
