from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest

from pipelines.reports import charts
from pipelines.reports.charts import Bar, Point, Range, Stack, Step, spark, trend

DAY = date(2026, 3, 2)


def shapes(svg: str, kind: str, style: str) -> list[dict[str, str]]:
    found = ElementTree.fromstring(svg)
    return [e.attrib for e in found.iter() if e.tag == kind and style in e.get("class", "").split()]


def point(days: int, value: float | None, half: float | None = 5, n: int = 8) -> Point:
    has = value is not None and half is not None
    return Point(DAY + timedelta(days=days), value, value - half if has else None, value + half if has else None, n)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 100, [0, 20, 40, 60, 80, 100]), (61.2, 68.9, [60, 62, 64, 66, 68, 70]), (5, 5, [5, 5.2, 5.4, 5.6, 5.8, 6])],
)
def test_ticks_are_round_and_cover_the_range(low, high, expected):
    assert charts.ticks(low, high) == expected


@pytest.mark.parametrize(
    ("difference", "style"),
    [(None, "none"), (0, "d0"), (1.9, "d0"), (2, "u1"), (-2, "l1"), (6.1, "u2"), (-99, "l3")],
)
def test_shades_step_symmetrically_around_no_difference(difference, style):
    assert charts.shade(difference) == style


def test_a_bar_of_half_the_value_is_half_as_long():
    long, short = shapes(charts.bars([Bar("a", 8, "8.0"), Bar("b", 4, "4.0")], "x"), "rect", "bar")
    assert float(short["width"]) == pytest.approx(float(long["width"]) / 2, abs=0.1)
    assert short["x"] == long["x"]


def test_losses_go_left_of_the_line_where_gains_begin():
    svg = charts.bars([Bar("gain", 2, "+2.0"), Bar("loss", -2, "−2.0")], "x")
    gain, loss = shapes(svg, "rect", "up")[0], shapes(svg, "rect", "down")[0]
    assert float(loss["x"]) + float(loss["width"]) == pytest.approx(float(gain["x"]), abs=0.2)
    assert loss["width"] == gain["width"]


def test_each_step_of_a_waterfall_begins_where_the_last_one_ended():
    svg = charts.waterfall(60, [Step("up", 4, "+4"), Step("down", -1, "−1")], 63, "x", names=("before", "now"))
    before, after = shapes(svg, "rect", "total")
    up, down = shapes(svg, "rect", "up")[0], shapes(svg, "rect", "down")[0]
    level = lambda mark: float(mark["y"]) + float(mark["height"]) / 2  # noqa: E731
    assert float(up["y"]) + float(up["height"]) == pytest.approx(level(before), abs=0.2)
    assert float(down["y"]) == pytest.approx(float(up["y"]), abs=0.2)
    assert float(down["y"]) + float(down["height"]) == pytest.approx(level(after), abs=0.2)
    assert float(up["height"]) == pytest.approx(4 * float(down["height"]), abs=0.3)


def test_the_trend_goes_on_over_a_weekend_but_not_over_a_week():
    weekend = charts.trend([point(4, 60), point(7, 62)], "x")
    week = charts.trend([point(0, 60), point(1, 61), point(9, 62), point(10, 62)], "x")
    assert len(shapes(weekend, "path", "line")) == 1
    assert len(shapes(week, "path", "line")) == 2


def test_a_day_without_an_interval_is_hollow_and_outside_the_band():
    svg = charts.trend([point(0, 60), point(1, 61), point(2, 80, half=None, n=1)], "x")
    assert len(shapes(svg, "circle", "open")) == 1
    assert len(shapes(svg, "path", "band")) == 1
    assert shapes(svg, "path", "band")[0]["d"].count("L") == 3


def test_a_day_with_nothing_scored_has_no_dot():
    svg = charts.trend([point(0, 60), point(1, None, n=0), point(2, 61)], "x")
    assert len(shapes(svg, "circle", "dot")) == 2


def test_a_better_day_stands_higher():
    low, high = shapes(charts.trend([point(0, 40), point(1, 90)], "x"), "circle", "dot")
    assert float(high["cy"]) < float(low["cy"])


def test_an_interval_lies_around_its_dot():
    svg = charts.ranges([Range("a", 60, 50, 70, "60.0")], "x", reference=55)
    bar, dot = shapes(svg, "rect", "range")[0], shapes(svg, "circle", "dot")[0]
    assert float(bar["x"]) + float(bar["width"]) / 2 == pytest.approx(float(dot["cx"]), abs=0.2)


def test_the_interval_of_an_unranked_row_is_cut_at_the_scale():
    svg = charts.ranges([Range("a", 60, 58, 62, "60"), Range("b", 61, 0, 100, "61", faint=True)], "x")
    firm, faint = shapes(svg, "rect", "range")
    assert float(faint["width"]) < 3 * float(firm["width"])


def test_stacked_columns_are_as_tall_as_their_sum():
    svg = charts.stacks([Stack(DAY, (6, 3, 1)), Stack(DAY, (10, 0, 0))], ("a", "b", "c"), "x")
    heights = [float(r["height"]) for k in range(3) for r in shapes(svg, "rect", f"s{k}")]
    assert heights[0] + heights[2] + heights[3] == pytest.approx(heights[1], abs=0.2)


def every_chart(text: str) -> list[str]:
    return [
        charts.bars([Bar(text, 1, text)], text),
        charts.waterfall(1, [Step(text, 1, text)], 2, text, names=(text, text)),
        charts.ranges([Range(text, 50, 40, 60, text)], text, reference=50),
        charts.stacks([Stack(DAY, (1,))], (text,), text),
        charts.trend([point(0, 60)], text),
    ]


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", '" onload="alert(1)', "a & b", "]]></svg>"])
def test_every_text_is_escaped_and_the_markup_stays_well_formed(text):
    for svg in every_chart(text):
        root = ElementTree.fromstring(svg)
        assert root.get("aria-label") == text
        assert {e.tag for e in root.iter()} <= {"svg", "g", "path", "rect", "line", "circle", "text", "title"}
        assert not [name for e in root.iter() for name in e.attrib if name.startswith("on")]


@pytest.mark.parametrize(
    "svg",
    [
        charts.bars([], "x"),
        charts.ranges([], "x"),
        charts.stacks([], (), "x"),
        charts.trend([point(0, None, n=0)], "x"),
    ],
)
def test_nothing_to_show_draws_nothing(svg):
    assert svg == ""


@pytest.mark.parametrize("width", [318, 936])
def test_a_chart_is_as_wide_as_asked(width):
    svg = charts.trend([point(i, 60 + i) for i in range(14)], "x", width=width)
    assert ElementTree.fromstring(svg).get("width") == str(width)


def test_limits_are_dashed_and_a_dip_is_ringed_and_named():
    days = [
        Point(date(2026, 3, 2 + i), 70.0, 66.0, 74.0, 9, 70.0, 60.0, 80.0, "below the lower limit" if i == 3 else "")
        for i in range(5)
    ]
    svg = trend(days, "IQS by day")
    assert svg.count('class="limit"') == 2
    assert svg.count('class="ring"') == 1
    assert "Dip: below the lower limit" in svg
    assert ">dip</text>" in svg
    assert "ring" not in trend([replace(d, dip="") for d in days], "IQS by day")


def test_limits_far_away_do_not_flatten_the_line():
    near = [Point(date(2026, 3, 2 + i), 70.0 + i, 68.0, 76.0, 9) for i in range(5)]
    far = [replace(p, center=50.0, limit_low=0.0, limit_high=100.0) for p in near]
    lowest = [min(float(t) for t in re.findall(r'text-anchor="end">(\d+)</text>', trend(p, ""))) for p in (near, far)]
    assert lowest[0] >= 60
    assert lowest[1] >= 50


def test_weeks_bridge_seven_days_and_days_do_not():
    weeks = [Point(date(2026, 3, 2) + timedelta(days=7 * i), 70.0, None, None, 9) for i in range(4)]
    assert 'class="line"' in trend(weeks, "", step_days=7)
    assert 'class="line"' not in trend(weeks, "")


def test_a_small_line_needs_two_values_and_leaves_gaps():
    assert spark([None, 50.0], "") == ""
    svg = spark([50.0, 60.0, None, 70.0, 71.0], "Empathy by week")
    assert svg.count('class="line"') == 2
    assert 'aria-label="Empathy by week"' in svg


def test_the_scale_is_that_of_what_is_shown_and_begins_at_0_where_an_interval_reaches_it():
    assert charts.trend_scale([point(0, 60, half=5), point(1, 70, half=5)])[0] == 50
    assert charts.trend_scale([point(0, 60, half=60), point(1, 70, half=5)])[0] == 0
    assert charts.trend_scale([point(0, None, n=0)]) == [0, 100]
