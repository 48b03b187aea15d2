"""Numbers and dates as a reader sees them. What is missing is an en dash, never 0."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from math import floor

MISSING = "–"
MINUS = "\N{MINUS SIGN}"

Number = int | float | Decimal


def number(value: Number | None, digits: int = 1, *, sign: bool = False, unit: str = "") -> str:
    """`value` rounded half up to `digits`, with a true minus sign; "–" where it is None. Never "−0.0"."""
    if value is None:
        return MISSING
    rounded = Decimal(str(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    prefix = MINUS if rounded < 0 else "+" if sign and rounded > 0 else "±" if sign else ""
    return f"{prefix}{abs(rounded):,}{unit}"


def percent(share: Number | None, digits: int = 0) -> str:
    """A share of 1 as a percentage. What is not quite all, or not quite nothing, does not round to it."""
    if share is None:
        return MISSING
    value = Decimal(str(share)) * 100
    smallest = Decimal(1).scaleb(-digits)
    if 0 < value < smallest / 2:
        return f"<{smallest} %"
    if 100 - smallest / 2 <= value < 100:
        return f">{100 - smallest} %"
    return number(value, digits, unit=" %")


def interval(low: Number | None, high: Number | None, digits: int = 1, *, sign: bool = False) -> str:
    """ "68.1 to 74.0"; "–" where there is none."""
    if low is None or high is None:
        return MISSING
    return f"{number(low, digits, sign=sign)} to {number(high, digits, sign=sign)}"


def plain(value: Number | None, unit: str | None = None) -> str:
    """A measured value with as many digits as its size deserves, and its unit."""
    if value is None:
        return MISSING
    if unit == "0/1":
        return "yes" if value else "no"
    size = abs(float(value))
    if unit in ("ratio",):
        return percent(value)
    text = number(value, 0 if size >= 100 else 1 if size >= 10 else 2)
    if unit == "count":
        return number(value, 0)
    return text if not unit or ".." in unit else f"{text} {unit.replace('1/', 'per ')}"


def count(n: int | None, one: str, many: str | None = None) -> str:
    """ "1 call", "12 calls", "no calls"; "–" where it is None."""
    if n is None:
        return MISSING
    return f"{n:,} {one}" if n == 1 else f"{n or 'no' if n == 0 else format(n, ',')} {many or one + 's'}"


def clock(seconds: float | None) -> str:
    """ "1:05" for 65 s."""
    if seconds is None:
        return MISSING
    whole = floor(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


def day(value: date | None, *, year: bool = False, weekday: bool = False) -> str:
    """ "Mon 2 Mar 2026"."""
    if value is None:
        return MISSING
    text = f"{value.day} {value:%b}" + (f" {value.year}" if year else "")
    return f"{value:%a} {text}" if weekday else text


def days(first: date, last: date) -> str:
    """ "2–8 Mar 2026", "30 Mar – 5 Apr 2026"."""
    if first == last:
        return day(first, year=True, weekday=True)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{day(last, year=True)}"
    return f"{day(first, year=first.year != last.year)} – {day(last, year=True)}"


def period_name(period: str, start: date) -> str:
    """ "Week of 2–8 Mar 2026", "March 2026", "Tue 3 Mar 2026"."""
    if period == "week":
        return f"Week of {days(start, start + timedelta(days=6))}"
    return f"{start:%B %Y}" if period == "month" else day(start, year=True, weekday=True)


def inside(sentence: str) -> str:
    """A label inside a sentence: its first letter small."""
    return sentence[:1].lower() + sentence[1:]


def code(text: str | None) -> str:
    """An identifier as words: `dead_air` → "dead air"."""
    return MISSING if text is None else text.replace("_", " ")


def title(text: str | None) -> str:
    """An identifier as a label: `late_delivery` → "Late delivery"; ids with capitals or digits stay."""
    if text is None:
        return MISSING
    return code(text).capitalize() if text.islower() and not any(c.isdigit() for c in text) else text


def shown_change(now: Decimal, then: Decimal, digits: int = 1) -> Decimal:
    """The change between two figures as they are shown, so that the reader's subtraction gives the same."""
    unit = Decimal(1).scaleb(-digits)
    return now.quantize(unit, ROUND_HALF_UP) - then.quantize(unit, ROUND_HALF_UP)


def adding_up(parts: Sequence[Number], total: Number, digits: int = 1) -> list[Decimal]:
    """`parts` rounded so that they add up to `total` rounded, each within one unit of the last digit.

    The largest remainders are rounded up (Hamilton's method). `parts` must add up to `total`.
    """
    unit = Decimal(1).scaleb(-digits)
    exact = [Decimal(str(p)) / unit for p in parts]
    floors = [Decimal(floor(e)) for e in exact]
    short = int((Decimal(str(total)) / unit).quantize(Decimal(1), ROUND_HALF_UP) - sum(floors))
    by_remainder = sorted(range(len(parts)), key=lambda i: exact[i] - floors[i], reverse=True)
    raised = set(by_remainder[: max(short, 0)])
    return [(f + (1 if i in raised else 0)) * unit for i, f in enumerate(floors)]
