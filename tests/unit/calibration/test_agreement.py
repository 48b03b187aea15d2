"""Agreement: every statistic against a published table, and against what must hold for any ratings."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.calibration.agreement import (
    agreement,
    cohen_kappa,
    cohen_kappas,
    gwet_ac1,
    icc_2_1,
    krippendorff_alpha,
    krippendorff_alpha_ordinal,
    within_share,
)
from pipelines.calibration.panel import CalibrationOptions, Panel
from pipelines.contracts.calibration import NO_INTERVAL, NO_VALUE, STATISTICS

# Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability": 12 units, 4 observers, 0 is missing.
KRIPPENDORFF = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
        [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
    ]
).T
# Fleiss 1971 as reprinted widely: 10 subjects, 14 raters, ratings by category.
FLEISS = np.array(
    [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
)
# Shrout & Fleiss 1979, table 2: 6 targets, 4 judges.
SHROUT = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], dtype=float)


def panel(points, sessions=None) -> Panel:
    points = np.asarray(points, dtype=float)
    return Panel(points, np.arange(len(points)) if sessions is None else np.asarray(sessions))


def in_bands(categories) -> np.ndarray:
    """Categories 1-5 as points in the middle of their band, 0 as missing."""
    return np.where(categories > 0, categories * 20.0 - 10, np.nan)


def test_cohens_kappa_is_that_of_the_textbook_table():
    table = {(0, 0): 20, (0, 1): 5, (1, 0): 10, (1, 1): 15}
    bands = np.array([pair for pair, n in table.items() for _ in range(n)])
    assert cohen_kappa(bands, 2) == pytest.approx(0.4)


def test_weighted_kappa_counts_a_distance_of_two_bands_four_times():
    bands = np.array([[0, 0]] * 4 + [[1, 1]] * 3 + [[0, 1], [1, 2], [0, 2]])
    # observed: 1 + 1 + 4 of 10; by chance: rows 6/4/0 against columns 4/4/2 of 10
    by_chance = (6 * 4 * 1 + 6 * 2 * 4 + 4 * 4 * 1 + 4 * 2 * 1) / 100
    assert cohen_kappa(bands, 3, weighted=True) == pytest.approx(1 - 0.6 / by_chance)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=9, max_size=9), st.booleans())
def test_kappas_of_many_tables_are_those_of_statsmodels(cells, weighted):
    table = np.array(cells).reshape(1, 3, 3)
    bands = np.repeat(np.array([(a, b) for a in range(3) for b in range(3)]), cells, axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        (ours,), expected = cohen_kappas(table, weighted=weighted), cohen_kappa(bands, 3, weighted=weighted)
    assert ours == pytest.approx(expected, abs=1e-9) if np.isfinite(expected) else not np.isfinite(ours)


def test_fleiss_kappa_is_that_of_the_published_table():
    points = np.array([np.repeat(np.arange(5) * 20.0 + 10, row) for row in FLEISS])
    found = agreement(panel(points))["fleiss_kappa"]
    assert found.value == pytest.approx(0.210, abs=5e-4)
    assert (found.n_units, found.n_raters, found.n_ratings) == (10, 14, 140)


def test_krippendorffs_alpha_is_that_of_the_published_table():
    assert krippendorff_alpha(np.where(KRIPPENDORFF > 0, KRIPPENDORFF, np.nan)) == pytest.approx(0.849, abs=5e-4)
    assert krippendorff_alpha_ordinal(KRIPPENDORFF - 1, 5) == pytest.approx(0.815, abs=5e-4)
    found = agreement(panel(in_bands(KRIPPENDORFF)))
    assert found["krippendorff_alpha"].value == pytest.approx(0.849, abs=5e-4)
    assert found["krippendorff_alpha_ordinal"].value == pytest.approx(0.815, abs=5e-4)
    # the unit with one rating is not comparable
    assert (found["krippendorff_alpha"].n_units, found["krippendorff_alpha"].n_ratings) == (11, 40)


def test_icc_2_1_is_that_of_shrout_and_fleiss():
    assert icc_2_1(SHROUT) == pytest.approx(0.29, abs=5e-3)
    assert icc_2_1(SHROUT) == pytest.approx(0.2897638, abs=1e-6)
    assert agreement(panel(SHROUT))["icc_2_1"].value == pytest.approx(0.2897638, abs=1e-6)


def test_gwets_ac1_is_that_of_his_paradox_table_where_kappa_fails():
    # Gwet 2008, table 2: 125 subjects, 118 times both say yes
    counts = np.array([[2, 0]] * 118 + [[1, 1]] * 7)
    assert gwet_ac1(counts) == pytest.approx(0.9408, abs=5e-5)
    bands = np.array([[0, 0]] * 118 + [[0, 1]] * 5 + [[1, 0]] * 2)
    assert cohen_kappa(bands, 2) == pytest.approx(-0.0234, abs=5e-5)


def test_gwets_ac1_with_missing_ratings_is_the_published_one():
    # Gwet 2014, four raters and twelve units: the table of Krippendorff again
    counts = np.stack([(c == KRIPPENDORFF).sum(axis=1) for c in range(1, 6)], axis=1)
    assert gwet_ac1(counts) == pytest.approx(0.77544, abs=5e-6)


def test_agreement_within_ten_points_counts_pairs():
    ratings = panel([[80, 90, 100], [50, 50, np.nan]])
    assert within_share(ratings, 10) == pytest.approx(3 / 4)
    assert within_share(ratings, 0) == pytest.approx(1 / 4)


@st.composite
def ratings(draw, *, complete: bool = False):
    units, raters = draw(st.integers(5, 12)), draw(st.integers(2, 5))
    points = np.array(
        draw(st.lists(st.lists(st.integers(0, 100), min_size=raters, max_size=raters), min_size=units, max_size=units)),
        dtype=float,
    )
    if not complete:
        missing = draw(st.lists(st.booleans(), min_size=points.size, max_size=points.size))
        points[np.array(missing).reshape(points.shape)] = np.nan
    return points


@settings(max_examples=30, deadline=None)
@given(ratings())
def test_alpha_is_that_of_the_package_krippendorff(points):
    import krippendorff as oracle

    rated = points[(~np.isnan(points)).sum(axis=1) >= 2]
    if not len(rated) or len(np.unique(rated[~np.isnan(rated)])) < 2:
        assert np.isnan(krippendorff_alpha(points))
        return
    expected = oracle.alpha(reliability_data=points.T, level_of_measurement="interval")
    assert krippendorff_alpha(points) == pytest.approx(expected, abs=1e-9)
    bands = panel(points).bands(CalibrationOptions())
    of_bands = np.where(bands < 0, np.nan, bands)
    used = of_bands[(bands >= 0).sum(axis=1) >= 2]
    if len(np.unique(used[~np.isnan(used)])) > 1:
        expected = oracle.alpha(reliability_data=of_bands.T, level_of_measurement="ordinal")
        assert krippendorff_alpha_ordinal(bands, 5) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=15, deadline=None)
@given(ratings(complete=True), st.randoms())
def test_the_order_of_raters_and_of_units_does_not_matter(points, random):
    units, raters = list(range(points.shape[0])), list(range(points.shape[1]))
    random.shuffle(units)
    random.shuffle(raters)
    before = agreement(panel(points))
    after = agreement(Panel(points[units][:, raters], np.array(units)))
    for name in STATISTICS:
        for field in ("value", "low", "high"):
            one, other = getattr(before[name], field), getattr(after[name], field)
            assert one == pytest.approx(other, abs=1e-8) if one is not None else other is None, (name, field)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 100), min_size=8, max_size=20), st.integers(2, 5))
def test_raters_who_say_the_same_agree_wholly(column, n_raters):
    found = agreement(panel(np.tile(np.array(column, dtype=float)[:, None], n_raters)))
    assert found["exact_agreement"].value == found["within_tolerance"].value == 1
    for name, estimate in found.items():
        if len(set(column)) == 1 and name.startswith(("krippendorff", "icc")):
            assert (estimate.value, estimate.reason) == (None, "no_variation")
        elif estimate.value is not None:
            assert estimate.value == pytest.approx(1)
            # a spread that was never seen is not known to be 0
            assert (estimate.low, estimate.interval_reason) == (None, "no_spread")


@settings(max_examples=30, deadline=None)
@given(ratings())
def test_every_estimate_is_a_value_inside_its_interval_or_a_reason(points):
    for estimate in agreement(panel(points)).values():
        assert (estimate.value is None) == (estimate.reason is not None)
        assert (estimate.low is None) == (estimate.high is None) == (estimate.interval_reason is not None)
        if estimate.value is None:
            assert estimate.low is None
            assert estimate.reason in NO_VALUE
        else:
            assert np.isfinite(estimate.value)
            assert estimate.value <= 1 + 1e-12
            assert estimate.interval_reason in (None, *NO_INTERVAL)
        if estimate.low is not None:
            assert estimate.low <= estimate.value <= estimate.high + 1e-12


def test_raters_who_guess_have_an_alpha_near_zero_and_an_interval_over_it():
    rng = np.random.default_rng(7)
    found = agreement(panel(rng.uniform(0, 100, (200, 4))))["krippendorff_alpha"]
    assert abs(found.value) < 0.08
    assert found.low < 0 < found.high


def test_ratings_of_one_session_belong_together_in_the_interval():
    rng = np.random.default_rng(3)
    # sessions differ in how well their raters agree, so 10 ratings of a session are no 10 proofs
    noise = np.repeat(np.tile([2.0, 25.0], 10), 10)[:, None]
    points = np.clip(60 + 20 * rng.standard_normal((200, 1)) + noise * rng.standard_normal((200, 3)), 0, 100)
    one_each = agreement(panel(points))["krippendorff_alpha"]
    by_session = agreement(panel(points, np.repeat(np.arange(20), 10)))["krippendorff_alpha"]
    assert by_session.value == one_each.value
    assert by_session.high - by_session.low > 1.3 * (one_each.high - one_each.low)


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        (np.full((6, 1), 50.0), "too_few_raters"),
        (np.array([[10.0, 20], [30, 40], [50, 60], [70, 80]]), "too_few_units"),
        (np.full((6, 2), 50.0), "no_variation"),
    ],
)
def test_too_little_to_tell_is_a_reason_and_never_a_number(points, reason):
    found = agreement(panel(points))["krippendorff_alpha"]
    assert (found.value, found.low, found.high, found.reason) == (None, None, None, reason)


def test_the_icc_takes_the_largest_block_without_gaps_and_says_how_large_it_is():
    rng = np.random.default_rng(5)
    points = np.clip(60 + 15 * rng.standard_normal((20, 1)) + 5 * rng.standard_normal((20, 4)), 0, 100)
    points[12:, 2] = np.nan
    points[3:, 3] = np.nan
    found = agreement(panel(points))["icc_2_1"]
    assert (found.n_units, found.n_raters, found.n_ratings) == (20, 2, 40)
    assert found.value == pytest.approx(icc_2_1(points[:, :2]))
    points[:, 1] = np.where(np.arange(20) < 10, points[:, 1], np.nan)
    points[10:, 2] = np.nan
    found = agreement(panel(points))["icc_2_1"]
    assert (found.n_units, found.n_raters) == (10, 3)


def test_raters_without_five_units_in_common_have_no_kappa_of_pairs_but_an_alpha():
    points = np.full((12, 4), np.nan)
    for unit in range(12):
        points[unit, [unit % 4, (unit + 1) % 4]] = 40 + unit, 45 + unit
    found = agreement(panel(points))
    assert found["cohen_kappa"].reason == "no_common_block"
    assert found["icc_2_1"].reason == "no_common_block"
    assert found["krippendorff_alpha"].value is not None
    assert found["fleiss_kappa"].n_units == 12


def test_cohens_kappa_of_three_raters_is_the_mean_of_their_pairs():
    rng = np.random.default_rng(11)
    points = np.clip(60 + 20 * rng.standard_normal((30, 1)) + 10 * rng.standard_normal((30, 3)), 0, 100)
    bands = panel(points).bands(CalibrationOptions())
    pairs = [cohen_kappa(bands[:, [a, b]], 5) for a, b in ((0, 1), (0, 2), (1, 2))]
    assert agreement(panel(points))["cohen_kappa"].value == pytest.approx(np.mean(pairs))
