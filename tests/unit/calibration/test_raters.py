"""Raters: level and order are told apart, whoever rated which calls."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.calibration.panel import Panel
from pipelines.calibration.raters import in_words, machine_estimate, rater_effects, rater_estimates

NOBODY = np.zeros(4, dtype=bool)


def drawn(bias, noise, sessions=30, seed=1, worth_sd=15.0) -> Panel:
    rng = np.random.default_rng(seed)
    worth = 60 + worth_sd * rng.standard_normal((sessions, 1))
    points = worth + np.array(bias) + np.array(noise) * rng.standard_normal((sessions, len(bias)))
    return Panel(np.clip(points, 0, 100), np.arange(sessions))


def flags(estimate) -> tuple:
    return estimate.is_severe, estimate.is_lenient, estimate.is_inconsistent


def test_the_bias_is_the_mean_difference_from_the_expert_on_the_same_calls():
    points = np.array([[80.0, 70], [60, 55], [90, 84], [50, 45], [70, 66]])
    other, expert = rater_estimates(Panel(points, np.arange(5)), np.array([False, True]))
    assert other.bias == pytest.approx(np.mean([10, 5, 6, 5, 4]))
    assert other.reference_kind == "expert"
    # five sessions are too few for an interval, so nobody is called lenient
    assert (other.bias_low, other.interval_reason, flags(other)) == (None, "too_few_sessions", (None, None, None))
    # an only expert is compared with the panel
    assert expert.reference_kind == "panel"


def test_a_severe_rater_a_lenient_one_and_an_inconsistent_one_are_told_apart():
    panel = drawn((-12, 12, 0, 0, 1, -1), (5, 5, 20, 5, 5, 5), sessions=60, seed=3)
    found = rater_estimates(panel, np.zeros(6, dtype=bool))
    assert [flags(e) for e in found] == [
        (True, False, False),
        (False, True, False),
        (False, False, True),
        (False, False, False),
        (False, False, False),
        (False, False, False),
    ]
    assert in_words(found[0], "reviewer").startswith("Severe: 12 points below the middle rater")
    assert "Inconsistent" in in_words(found[2], "reviewer")


def test_a_rater_can_be_severe_and_inconsistent():
    found = rater_estimates(drawn((-20, 0, 0, 0), (22, 5, 5, 5), sessions=40), NOBODY)
    assert flags(found[0]) == (True, False, True)
    assert in_words(found[0], "reviewer").startswith("Severe")
    assert "Inconsistent" in in_words(found[0], "reviewer")


def test_one_severe_rater_does_not_make_the_others_of_a_panel_of_three_lenient():
    found = rater_estimates(drawn((-20, 0, 0.5), (4, 4, 4)), NOBODY[:3])
    assert flags(found[0])[:2] == (True, False)
    assert all(flags(e)[:2] == (False, False) for e in found[1:])


def test_who_rates_only_the_hard_calls_is_not_severe():
    panel = drawn((0, 0, 0, 0), (4, 4, 4, 4), sessions=40, seed=4)
    easy = np.nanmean(panel.points, axis=1) > 60
    points = panel.points.copy()
    points[easy, 0] = np.nan
    points[~easy, 1] = np.nan
    assert np.nanmean(points[:, 0]) < np.nanmean(points[:, 1]) - 15
    found = rater_estimates(Panel(points, panel.sessions), NOBODY)
    assert flags(found[0])[:2] == flags(found[1])[:2] == (False, False)


def test_two_people_without_an_expert_differ_but_nobody_can_tell_who_is_off():
    found = rater_estimates(drawn((-15, 0), (3, 3)), NOBODY[:2])
    assert found[0].bias < -5 < 5 < found[1].bias
    assert [flags(e) for e in found] == [(None, None, None)] * 2
    assert "can't be told" in in_words(found[0], "reviewer")


def test_raters_who_share_no_call_with_anybody_are_not_compared():
    points = np.full((20, 3), np.nan)
    points[:10, :2] = 50.0
    points[:10, 0] += np.arange(10)
    points[10:, 2] = 20.0
    found = rater_estimates(Panel(points, np.arange(20)), NOBODY[:3])
    assert (found[2].bias, found[2].reason) == (None, "not_compared")
    assert in_words(found[2], "reviewer") == "Nobody else rated the same: nothing to compare."


def test_groups_of_raters_who_never_meet_are_not_compared_with_each_other():
    points = np.full((20, 6), np.nan)
    rng = np.random.default_rng(2)
    points[:10, :3] = 80 + rng.normal(0, 3, (10, 3))
    points[10:, 3:] = 40 + rng.normal(0, 3, (10, 3))
    found = rater_estimates(Panel(points, np.arange(20)), np.zeros(6, dtype=bool))
    assert all(abs(e.bias) < 4 for e in found)


def test_always_exactly_ten_points_below_is_severe_though_nothing_spreads():
    worth = np.linspace(40, 90, 10)
    points = np.column_stack([worth - 10, worth, worth])
    severe, *others = rater_estimates(Panel(points, np.arange(10)), NOBODY[:3])
    assert (severe.bias, severe.is_severe, severe.interval_reason) == (pytest.approx(-10), True, "no_spread")
    assert [e.is_lenient for e in others] == [False, False]


def test_a_noisy_panel_is_not_blamed_on_single_raters():
    found = rater_estimates(drawn((0,) * 5, (15,) * 5, sessions=40, seed=9), np.zeros(5, dtype=bool))
    assert [e.is_inconsistent for e in found] == [False] * 5


@pytest.mark.parametrize("experts", [(False, False, False, False), (False, True, False, False)])
def test_the_machine_is_measured_against_people_and_does_not_shift_them(experts):
    panel = drawn((-6, 0, 2, 1), (4, 4, 4, 4), sessions=40)
    machine = panel.points[:, 1] + 14 + np.random.default_rng(8).normal(0, 5, 40)
    machine[::5] = np.nan
    found = machine_estimate(panel, np.array(experts), machine)
    people = rater_estimates(panel, np.array(experts))
    assert found.bias == pytest.approx(14 - people[1].bias * (0 if experts[1] else -1), abs=2.5)
    assert (found.n, found.is_lenient, found.is_inconsistent) == (32, True, False)
    assert found.reference_kind == ("expert" if experts[1] else "panel")
    assert "shift the parameter's curve" in in_words(found, "machine")


def test_a_machine_that_scores_at_random_is_inconsistent():
    panel = drawn((0, 0, 1, -1), (4, 4, 4, 4), sessions=40)
    found = machine_estimate(panel, NOBODY, np.random.default_rng(5).uniform(40, 80, 40))
    assert found.is_inconsistent is True


def test_the_machine_is_measured_where_one_person_rated():
    points = np.column_stack([np.linspace(40, 90, 12), np.full(12, np.nan)])
    found = machine_estimate(Panel(points, np.arange(12)), np.array([True, False]), points[:, 0] + 7)
    assert (found.bias, found.reference_kind, found.n) == (pytest.approx(7), "expert", 12)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(-30, 30), st.integers(0, 3))
def test_a_rater_who_gives_c_points_more_has_an_effect_that_is_c_greater_than_before(seed, shift, rater):
    rng = np.random.default_rng(seed)
    points = rng.uniform(30, 70, (12, 4))
    points[rng.random(points.shape) < 0.2] = np.nan
    points[:2] = rng.uniform(30, 70, (2, 4))  # so that everybody is linked
    before = rater_effects(Panel(points, np.arange(12)))
    points[:, rater] += shift
    after = rater_effects(Panel(points, np.arange(12)))
    assert before.sum() == pytest.approx(0, abs=1e-9)
    apart = (after - before) - (after - before)[(rater + 1) % 4]
    assert apart[rater] == pytest.approx(shift, abs=1e-7)
    assert np.delete(apart, rater) == pytest.approx(np.zeros(3), abs=1e-7)
