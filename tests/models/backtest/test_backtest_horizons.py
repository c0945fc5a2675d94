"""How good curves are: squared errors by hand, means over time, and levels of rows that are still watched."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.backtest.horizons import (
    FEWEST_INTERVALS,
    HorizonTest,
    brier_at,
    calibrated_levels,
    integrated,
    judge_horizons,
    reached_levels,
)
from models.prediction.boosted import Settings
from models.prediction.horizons import USUAL_LEVELS, Curves, fit
from models.prediction.sample import Sample
from models.prediction.waits import Waits


def waits(*rows):
    """Rows are (days until the event or None, days of the watch)."""
    days = np.array([np.nan if day is None else day for day, _ in rows], float)
    return Waits(days, ~np.isnan(days), np.array([watch for _, watch in rows], float))


ROWS = waits((3, 90), (50, 90), (None, 90), (None, 5))


def test_only_rows_that_are_known_by_the_day_count():
    """By day 10 the first has bought, two wait; of the last nobody knows."""
    survival = np.array([0.5, 0.8, 1.0, 0.0])
    assert brier_at(survival, ROWS, 10) == pytest.approx((0.25 + 0.04 + 0.0) / 3)
    assert brier_at(survival, ROWS, 60) == pytest.approx((0.25 + 0.64 + 0.0) / 3)


def test_a_row_that_stands_for_three_counts_three_times():
    survival, weight = np.array([0.5, 0.8, 1.0, 0.0]), np.array([3.0, 1.0, 1.0, 99.0])
    assert brier_at(survival, ROWS, 10, weight) == pytest.approx((3 * 0.25 + 0.04) / 5)


def flat(level, rows=4):
    """The chance that nothing happens by each day is e^(-level x day)."""
    edges = np.array([0.0, 100.0])
    return Curves(edges, np.tile(level * edges, (rows, 1)))


def test_the_mean_over_time_weighs_the_days_by_what_lies_between_them():
    found = flat(0.01)
    a, b, c = (brier_at(np.exp(np.full(4, -0.01 * day)), ROWS, day) for day in (10, 20, 60))
    expected = ((a + b) / 2 * 10 + (b + c) / 2 * 40) / 50
    assert integrated(found, ROWS, [10, 20, 60]) == pytest.approx(expected)
    assert integrated(found, ROWS, [20]) == pytest.approx(b)


def test_better_is_a_lower_error_than_the_even_rate():
    assert HorizonTest({"model": 0.1, "even": 0.2, "kaplan_meier": 0.0}, {}).better
    assert not HorizonTest({"model": 0.2, "even": 0.2, "kaplan_meier": 0.3}, {}).better


def company(seed, rows=3_000):
    """Half of the customers, told by a column, come after 5 to 15 days, the others after 40 to 60."""
    rng = np.random.default_rng(seed)
    late = rng.random(rows) < 0.5
    days = np.floor(np.where(late, rng.uniform(40, 60, rows), rng.uniform(5, 15, rows)))
    frame = pd.DataFrame({"late": late.astype("float32")})
    day = np.full(rows, np.datetime64("2026-01-01"))
    sample = Sample(frame, (days >= 30) * 1.0, np.arange(rows).astype(str), day)
    return sample, Waits(days, np.ones(rows, bool), np.full(rows, 200.0))


def test_curves_that_know_when_beat_an_even_rate_and_one_curve_for_all():
    sample, seen = company(1)
    model = fit(sample, seen, Settings(horizon_days=30, threads=1), [0, 5, 10, 15, 30, 45, 60, 90])
    later, came = company(2)
    test = judge_horizons(model, later.X, np.where(later.X["late"] > 0, 0.99, 0.01), came)
    assert test.integrated["model"] < 0.7 * test.integrated["even"]
    assert test.integrated["model"] < 0.5 * test.integrated["kaplan_meier"]
    assert test.better
    assert list(test.by_day) == [5, 10, 15, 30]
    assert test.by_day[30] < 0.01  # tied to probabilities that are nearly right


def test_levels_are_where_on_its_curve_each_day_came():
    """A chance of 1 - e^(-.1 x day): day 9 came somewhere within it, taken at 9.5; a wait is known up to its watch."""
    curves = Curves(np.array([0.0, 100.0]), np.array([[0.0, 10.0]] * 3))
    levels, came = reached_levels(curves, waits((9, 50), (None, 20), (30, 20)))
    assert levels.tolist() == pytest.approx([1 - np.exp(-0.95), 1 - np.exp(-2.0), 1 - np.exp(-2.0)])
    assert came.tolist() == [True, False, False]


def test_rows_of_which_no_interval_is_told_have_no_level():
    """Of the second customer nine tenths never come within the curve."""
    curves = Curves(np.array([0.0, 100.0]), np.array([[0.0, 10.0], [0.0, 0.1]]))
    levels, came = reached_levels(curves, waits((9, 50), (9, 50)))
    assert len(levels) == len(came) == 1


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.floats(0.3, 3))
def test_without_waits_levels_are_the_tenths_of_what_came(seed, bend):
    levels = np.sort(np.random.default_rng(seed).random(500) ** bend)
    low, high = calibrated_levels(levels, np.ones(500, bool))
    assert low == pytest.approx(min(max(levels[49], 0.01), 0.5))
    assert high == pytest.approx(max(min(levels[449], 0.99), 0.5))


def test_those_who_still_wait_are_followed_as_far_as_they_were_watched():
    """A quarter is lost from sight at level .5 at the latest: Kaplan and Meier still find the tenths of all."""
    rng = np.random.default_rng(0)
    truth = rng.random(40_000)
    until = np.where(rng.random(40_000) < 0.5, rng.random(40_000), 1.0)
    low, high = calibrated_levels(np.minimum(truth, until), truth <= until)
    assert (low, high) == pytest.approx((0.1, 0.9), abs=0.02)


def test_with_too_few_the_usual_levels_stay():
    few = np.linspace(0, 1, FEWEST_INTERVALS - 1)
    assert calibrated_levels(few, np.ones(len(few), bool)) == USUAL_LEVELS
    many = np.linspace(0, 0.5, 1_000)
    nobody = calibrated_levels(many, np.zeros(1_000, bool))
    assert nobody == USUAL_LEVELS
