"""How many are lost: chances by hand, against SciPy and against every outcome there is."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from configs.errors import DataError
from models.statistics import losses
from models.statistics.losses import Losses, poisson_binomial

CHANCES = st.lists(st.floats(0, 1), min_size=1, max_size=8)


def test_chances_equal_scipy():
    p = np.random.default_rng(0).random(40)
    np.testing.assert_allclose(poisson_binomial(p), stats.poisson_binom.pmf(np.arange(41), p), atol=1e-12)


@given(CHANCES)
def test_chances_equal_the_sum_over_all_that_may_happen(p):
    expected = np.zeros(len(p) + 1)
    for hits in product([False, True], repeat=len(p)):
        expected[sum(hits)] += np.prod([one if hit else 1 - one for one, hit in zip(p, hits, strict=True)])
    np.testing.assert_allclose(poisson_binomial(np.array(p)), expected, atol=1e-12)


def test_nobody_is_lost_of_nobody():
    assert poisson_binomial(np.zeros(0)).tolist() == [1.0]


def test_the_chances_stay_as_they_were_given():
    p = np.array([0.2, 0.7])
    poisson_binomial(p)
    assert p.tolist() == [0.2, 0.7]


@given(CHANCES)
def test_the_moments_are_those_of_the_chances(p):
    found, chances, k = Losses.of(p), poisson_binomial(np.array(p)), np.arange(len(p) + 1)
    assert found.customers == len(p)
    assert found.expected == pytest.approx(float(chances @ k), abs=1e-9)
    assert found.variance == pytest.approx(float(chances @ (k - found.expected) ** 2), abs=1e-9)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "0 customers, 0 without a probability in 0..1"),
        ([0.5, 1.01], "2 customers, 1 without"),
        ([-0.1, np.nan, 0.2], "3 customers, 2 without"),
    ],
)
def test_without_chances_no_rate_can_be_forecast(given, said):
    with pytest.raises(DataError, match=said):
        Losses.of(given)


@given(CHANCES, CHANCES)
def test_two_parts_together_are_all_their_customers(one, other):
    found, whole = Losses.together([Losses.of(one), Losses.of(other)]), Losses.of(one + other)
    assert found.customers == whole.customers
    assert (found.expected, found.variance) == pytest.approx((whole.expected, whole.variance))
    assert found.each.tolist() == whole.each.tolist()


def test_a_part_that_is_counted_only_makes_the_whole_one_counted():
    counted = Losses(3, 1.5, 0.75)
    found = Losses.together([Losses.of([0.5]), counted])
    assert (found.customers, found.expected, found.variance, found.each) == (4, 2.0, 1.0, None)


def test_more_customers_than_are_drawn_exactly_are_counted(monkeypatch):
    monkeypatch.setattr(losses, "EXACT_UP_TO", 3)
    two, one = Losses.of([0.5, 0.5]), Losses.of([0.25])
    assert Losses.together([two, one]).each is not None
    assert Losses.together([two, two]).each is None


@given(CHANCES, st.sampled_from([0.5, 0.8, 0.95]))
def test_the_exact_interval_holds_its_level_and_no_narrower_one_does_on_either_side(p, level):
    fewest, most = Losses.of(p).interval(level)
    chances, tail = poisson_binomial(np.array(p)), (1 - level) / 2
    below, above = chances[: int(fewest)].sum(), chances[int(most) + 1 :].sum()
    assert below <= tail + 1e-9
    assert above <= tail + 1e-9
    assert below + chances[int(fewest)] >= tail - 1e-9
    assert above + chances[int(most)] >= tail - 1e-9


def test_exact_and_normal_agree_where_one_takes_the_place_of_the_other():
    p = np.random.default_rng(1).random(losses.EXACT_UP_TO)
    exact, normal = Losses.of(p).interval(), Losses.of(np.r_[p, 0.0]).interval()
    np.testing.assert_allclose(normal, exact, atol=1.0)
    assert exact == tuple(map(float, map(int, exact)))
    assert normal != tuple(map(float, map(int, normal)))


def test_an_error_of_the_mean_widens_the_interval_as_squares_add_up():
    """Variance 100 x .5 x .5 = 25; an error of .12 a customer is 12: together 13."""
    found = Losses.of([0.5] * 100)
    low, high = found.interval(error=0.12)
    assert (low, high) == pytest.approx((50 - 1.959964 * 13, 50 + 1.959964 * 13))
    assert found.interval() == (40.0, 60.0)


def test_the_interval_stays_between_none_and_all():
    found = Losses.of([0.01] * 5 + [0.99] * 5)
    assert found.interval(error=3.0) == (0.0, 10.0)
