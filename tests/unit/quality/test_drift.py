"""Drift: a day unlike the 28 before it is called one, a day like them is not, and a young centre is left alone."""

import numpy as np
import polars as pl
import pytest

from pipelines.quality.drift import digest, figures, median_drift, null_drift
from pipelines.quality.limits import LimitError, read_limits

LIMITS = read_limits()


def day_of(values, series="level"):
    return digest(pl.DataFrame({"series": [series] * len(values), "value": values}, schema_overrides={"value": float}))


def spread(middle, width=10.0, n=41):
    """n values from middle - width to middle + width: their interquartile range is the width."""
    return [middle + width * (2 * k / (n - 1) - 1) for k in range(n)]


def test_a_digest_is_count_median_and_interquartile_range():
    found = day_of([1.0, 2.0, 3.0, 4.0, 5.0, None]).row(0, named=True)
    assert found == {"series": "level", "n": 6, "nulls": 1, "median": 3.0, "iqr": 2.0}


def test_the_allowance_is_five_robust_deviations_where_days_differ():
    # Medians 0, 1, …, 20: their median is 10, the median distance from it 5, so 5 · 1.4826 · 5 = 37.065 are allowed.
    earlier = [day_of(spread(float(k))) for k in range(21)]
    calm, wild = (median_drift(day_of(spread(x)), earlier, LIMITS).row(0, named=True) for x in (47.0, 47.1))
    assert calm["usual"] == 10
    assert calm["allowed"] == pytest.approx(37.065)
    assert (calm["drifts"], wild["drifts"]) == (False, True)


def test_days_that_are_all_alike_allow_half_of_a_days_interquartile_range():
    earlier = [day_of(spread(0.0))] * 14
    calm, wild = (median_drift(day_of(spread(x)), earlier, LIMITS).row(0, named=True) for x in (-5.0, -5.1))
    assert calm["allowed"] == 5
    assert (calm["drifts"], wild["drifts"]) == (False, True)


def test_fewer_than_fourteen_days_or_twenty_values_say_nothing():
    far = day_of(spread(100.0))
    assert median_drift(far, [day_of(spread(0.0))] * 13, LIMITS).is_empty()
    assert median_drift(far, [day_of(spread(0.0, n=19))] * 28, LIMITS).is_empty()
    assert median_drift(day_of(spread(100.0, n=19)), [day_of(spread(0.0))] * 28, LIMITS).is_empty()
    assert median_drift(far, [], LIMITS).is_empty()
    assert median_drift(far, [day_of(spread(0.0))] * 14, LIMITS)["drifts"].to_list() == [True]


def test_one_outlying_day_in_the_past_moves_nothing():
    earlier = [day_of(spread(0.0))] * 20
    with_outlier = [*earlier, day_of(spread(1e6))]
    assert median_drift(day_of(spread(1.0)), earlier, LIMITS).equals(
        median_drift(day_of(spread(1.0)), with_outlier, LIMITS)
    )


def test_a_count_that_is_nearly_always_zero_is_not_judged():
    zeros = day_of([0.0] * 40)
    assert median_drift(day_of([1.0] * 40), [zeros] * 28, LIMITS).is_empty()


def test_shares_of_null_may_differ_by_a_tenth_or_by_what_chance_does():
    # 20 % of 100 values: 5 · √(.2 · .8 / 100) = .2 beyond it is chance.
    earlier = [day_of([None] * 20 + [1.0] * 80)] * 14
    found = [null_drift(day_of([None] * k + [1.0] * (100 - k)), earlier, LIMITS).row(0, named=True) for k in (40, 41)]
    assert found[0]["allowed"] == pytest.approx(0.2)
    assert [f["drifts"] for f in found] == [False, True]
    never = [day_of([1.0] * 100)] * 14
    assert null_drift(day_of([None] * 10 + [1.0] * 90), never, LIMITS)["drifts"].to_list() == [False]
    assert null_drift(day_of([None] * 11 + [1.0] * 89), never, LIMITS)["drifts"].to_list() == [True]


def test_the_figures_name_the_series_that_drift():
    days = [day_of(spread(0.0))] * 14
    assert figures(median_drift(day_of(spread(20.0)), days, LIMITS)) == "level: 20 against 0 ± 5"
    assert figures(median_drift(day_of(spread(0.0)), days, LIMITS)) == ""


def test_steady_days_hardly_ever_drift_and_a_shift_of_one_deviation_is_found():
    """100 series over 60 days of 100 calls: what the limits cost in false alarms and find in true ones."""
    rng = np.random.default_rng(7)
    names = [f"s{k}" for k in range(100)]

    def simulated(shift=0.0):
        values = rng.normal(shift, 1, (100, len(names)))
        return digest(pl.DataFrame(values, schema=names).unpivot(variable_name="series", value_name="value"))

    days = [simulated() for _ in range(88)]
    alarms = sum(median_drift(days[k], days[k - 28 : k], LIMITS)["drifts"].sum() for k in range(28, 88))
    found = median_drift(simulated(1.0), days[-28:], LIMITS)["drifts"].mean()
    assert alarms <= 3  # of 6,000
    assert found >= 0.95


def test_limits_of_an_older_folder_of_rules_are_the_shipped_ones(tmp_path):
    assert read_limits(tmp_path) == LIMITS
    (tmp_path / "check_limits.csv").write_text("name,value,unit,meaning\nleak_db,-30,dB,ours\n")
    assert read_limits(tmp_path) == {**LIMITS, "leak_db": -30.0}


def test_a_limit_that_is_no_number_is_named_with_its_row(tmp_path):
    (tmp_path / "check_limits.csv").write_text("name,value,unit,meaning\nleak_db,-30,dB,ours\nalpha,high,,\n")
    with pytest.raises(LimitError, match=r"check_limits\.csv row 3: alpha has the value 'high'"):
        read_limits(tmp_path)
