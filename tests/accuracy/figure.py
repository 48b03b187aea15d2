"""One measured error: what every module of this folder returns and `python -m tests.accuracy` prints."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

REAL_DATA = Path(__file__).resolve().parents[2] / "../shared/realdata"


class Figure(NamedTuple):
    """`value` beside a named baseline on the same data; `note` says what was tuned on what, and what it can't show."""

    metric: str
    data: str
    n: int
    value: float | str
    unit: str
    baseline_name: str = ""
    baseline: float | str | None = None
    note: str = ""


def table(figures: list[Figure]) -> str:
    """The figures as a Markdown table."""
    head = "| metric | data | n | ours | baseline | note |\n|---|---|---|---|---|---|"
    rows = []
    for f in figures:
        baseline = "" if f.baseline is None else f"{_number(f.baseline)} ({f.baseline_name})"
        ours = f"{_number(f.value)} {f.unit}".strip()
        rows.append(f"| {f.metric} | {f.data} | {f.n} | {ours} | {baseline} | {f.note} |")
    return "\n".join([head, *rows])


def _number(value: float | str) -> str:
    if isinstance(value, str):
        return value
    if value == 0 or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3f}" if abs(value) < 1 else f"{value:.2f}"
