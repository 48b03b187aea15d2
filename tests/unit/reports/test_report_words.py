from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.reports import words


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0, "0.0"), (-0.04, "0.0"), (-3.25, "−3.3"), (Decimal("66.8451"), "66.8"), (1234.56, "1,234.6")],
)
def test_a_number_has_a_true_minus_and_missing_is_a_dash(value, text):
    assert words.number(value) == text


@pytest.mark.parametrize(("value", "text"), [(1.2, "+1.2"), (-1.2, "−1.2"), (0.01, "±0.0")])
def test_a_change_always_has_its_sign(value, text):
    assert words.number(value, sign=True) == text


@pytest.mark.parametrize(
    ("share", "text"), [(None, "–"), (0, "0 %"), (0.001, "<1 %"), (0.775, "78 %"), (0.999, ">99 %"), (1, "100 %")]
)
def test_a_share_rounds_to_all_or_nothing_only_when_it_is(share, text):
    assert words.percent(share) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.425, "ratio", "43 %"),
        (2.2, "1/min", "2.20 per min"),
        (1, "0/1", "yes"),
        (-0.4, "-1..1", "−0.40"),
        (131.6, "dB", "132 dB"),
    ],
)
def test_a_measured_value_reads_with_its_unit(value, unit, text):
    assert words.plain(value, unit) == text


@pytest.mark.parametrize(("n", "text"), [(0, "no calls"), (1, "1 call"), (1200, "1,200 calls"), (None, "–")])
def test_counts_agree_with_their_noun(n, text):
    assert words.count(n, "call") == text


def test_periods_are_named_by_their_days():
    assert words.period_name("week", date(2026, 3, 30)) == "Week of 30 Mar – 5 Apr 2026"
    assert words.period_name("week", date(2026, 3, 2)) == "Week of 2–8 Mar 2026"
    assert words.period_name("month", date(2026, 3, 1)) == "March 2026"
    assert words.period_name("day", date(2026, 3, 2)) == "Mon 2 Mar 2026"


@pytest.mark.parametrize(("seconds", "text"), [(65.9, "1:05"), (3661, "1:01:01"), (None, "–")])
def test_seconds_are_read_off_a_clock(seconds, text):
    assert words.clock(seconds) == text


@given(st.lists(st.integers(-1_000_000, 1_000_000), min_size=1, max_size=16))
def test_rounded_parts_add_up_to_the_rounded_total(parts_e4):
    parts = [Decimal(p) / 10_000 for p in parts_e4]
    shown = words.adding_up(parts, sum(parts))
    assert sum(shown) == Decimal(words.number(sum(parts)).replace("−", "-").replace(",", ""))
    assert all(abs(s - p) < Decimal("0.1") for s, p in zip(shown, parts, strict=True))


@given(st.integers(0, 1_000_000), st.lists(st.integers(-100_000, 100_000), min_size=1, max_size=4))
def test_a_waterfalls_figures_add_up_as_they_are_shown(before_e4, parts_e4):
    before, parts = Decimal(before_e4) / 10_000, [Decimal(p) / 10_000 for p in parts_e4]
    after = before + sum(parts)
    total = words.shown_change(after, before)
    shown = words.adding_up(parts, total)
    assert sum(shown) == total
    assert all(abs(s - p) < Decimal("0.2") for s, p in zip(shown, parts, strict=True))
