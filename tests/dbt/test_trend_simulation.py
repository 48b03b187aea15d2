"""The statistics keep what they promise on simulated centres (tests/accuracy/trends.py prints the same figures)."""

from __future__ import annotations

import pytest

from tests.accuracy.trends import figures


@pytest.mark.slow
def test_intervals_cover_dips_are_real_and_planted_variance_is_found():
    found = figures(quick=True)
    by_metric = {f.metric: [g.value for g in found if g.metric == f.metric] for f in found}
    coverage = by_metric["95 % interval covers the true mean"]
    assert len(coverage) == 3
    assert all(90 <= c <= 98 for c in coverage)
    assert by_metric["false dips"][0] <= 2
    assert by_metric["10-point drops found within 5 days"][0] >= 90
    recovered = [v for m, values in by_metric.items() if m.startswith("variance found") for v in values]
    assert len(recovered) == 3
    assert all(80 <= v <= 120 for v in recovered)
