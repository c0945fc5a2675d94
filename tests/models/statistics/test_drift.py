"""Measures of drift: what they must not depend on, and bands that hold what has been seen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.statistics.drift import (
    band,
    circular_difference,
    circular_mean,
    counts_against,
    hellinger,
    later,
    over,
)

SHARES = st.lists(st.integers(1, 50), min_size=2, max_size=12)


@given(SHARES, st.integers(1, 10_000))
def test_the_distance_does_not_grow_with_the_rows(counts, times):
    p = np.array(counts, float)
    q = p[::-1].copy()
    assert hellinger(p * times, q * times) == pytest.approx(hellinger(p, q), abs=1e-6)
    assert 0 <= hellinger(p, q) <= 1
    assert hellinger(p, p * times) == pytest.approx(0, abs=1e-6)
    assert hellinger(p, q) == pytest.approx(hellinger(q, p))


@given(st.integers(0, 2**31), st.floats(0.1, 5))
def test_the_band_holds_all_that_was_seen(seed, floor):
    past = np.random.default_rng(seed).standard_t(3, 200)
    found = band(past, floor)
    assert found.low <= min(past[:-28].min(), -floor)
    assert found.high >= max(past[:-28].max(), floor)
    wider = band(past, floor, width=2)
    assert (wider.low, wider.high) == pytest.approx((2 * found.low, 2 * found.high))


def test_what_never_differed_is_outside_as_soon_as_it_does():
    still = band(np.zeros(200), 0.0)
    assert (still.excess(0.0), still.excess(1e-9), still.excess(-1e-9)) == (0.0, np.inf, np.inf)


def test_the_newest_days_do_not_widen_the_band():
    past = np.zeros(100)
    before = band(past, 0.1)
    past[-28:] = 9
    assert band(past, 0.1) == before


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.integers(1, 9))
def test_windows_equal_the_sums_of_a_loop(values, days):
    values = np.array(values, float)
    sums = [values[k - days + 1 : k + 1].sum() if k >= days - 1 else np.nan for k in range(len(values))]
    np.testing.assert_array_equal(over(values, days), sums)
    np.testing.assert_array_equal(later(values, days)[days:], values[: max(len(values) - days, 0)])


def test_the_same_weekdays_are_compared_and_holidays_are_no_part():
    week = np.array([10, 10, 10, 10, 30, 0, 0], float)
    counts = np.tile(week, 12)
    found, expected = counts_against(counts, 1, 7, 8)
    np.testing.assert_array_equal(found[-7:], week)
    np.testing.assert_array_equal(expected[-7:][week > 0], week[week > 0])
    counts[-7:] = [10, 0, 0, 10, 30, 0, 0]  # two days closed
    found, expected = counts_against(counts, 7, 7, 8)
    assert (found[-1], expected[-1]) == (50, 3 * 70 / 5)


@given(st.integers(0, 23), st.integers(-11, 11))
def test_a_shift_on_the_circle_is_found(start, shift):
    hours = np.zeros(24)
    hours[(start + np.arange(4)) % 24] = [1, 5, 5, 1]
    off = circular_difference(circular_mean(np.roll(hours, shift)), circular_mean(hours), 24)
    assert off == pytest.approx(shift, abs=1e-9)


def test_a_whole_day_has_no_mean_hour():
    assert np.isnan(circular_mean(np.ones(24)))
