"""Intervals against published ones, and against the test that they invert."""

import numpy as np
import pytest
from scipy import stats

from models.statistics.intervals import newcombe, wilson

# Newcombe 1998, "Interval estimation for the difference between independent proportions", table II, method 10.
PUBLISHED = [
    ((56, 70, 48, 80), (0.0524, 0.3339)),
    ((9, 10, 3, 10), (0.1705, 0.8090)),
    ((10, 10, 0, 20), (0.6791, 1.0000)),
    ((10, 10, 0, 10), (0.6075, 1.0000)),
    ((5, 56, 0, 29), (-0.0381, 0.1926)),
    ((0, 10, 0, 20), (-0.1611, 0.2775)),
]


@pytest.mark.parametrize(("counts", "interval"), PUBLISHED)
def test_newcombe_gives_the_published_intervals(counts, interval):
    assert newcombe(*counts) == pytest.approx(interval, abs=6e-5)


def test_wilson_equals_scipy_where_that_can_tell():
    hits, rows = [0, 31, 19, 5, 0], [5, 44, 20, 5, 1]
    want = [stats.binomtest(k, n).proportion_ci(method="wilson") for k, n in zip(hits, rows, strict=True)]
    np.testing.assert_allclose(wilson(hits, rows), np.array(want).T, atol=1e-12)


def test_without_rows_there_is_no_interval():
    assert np.isnan(wilson(0, 0)).all()
    assert newcombe(0, 0, 3, 10) == (-1.0, 1.0)


@pytest.mark.parametrize(("hits", "n"), [(0, 20), (1, 29), (15, 148), (81, 263), (20, 20)])
def test_wilson_inverts_the_score_test(hits, n):
    low, high = wilson(hits, n)
    for edge in (low, high):
        if 0 < edge < 1:
            z = (hits / n - edge) / np.sqrt(edge * (1 - edge) / n)
            assert abs(z) == pytest.approx(stats.norm.ppf(0.975))
    assert low <= hits / n <= high
