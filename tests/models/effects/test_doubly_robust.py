"""The doubly robust estimate: right although the predictions are wrong, and with the interval it claims."""

import numpy as np
import pytest

from models.effects.doubly_robust import brought


def _trial(seed, n=400, effect=0.15):
    """Customers of whom some were chosen with 1/2, some with 9/10; the contact's effect is the same for all."""
    rng = np.random.default_rng(seed)
    e = np.where(rng.random(n) < 0.5, 0.5, 0.9)
    w = (rng.random(n) < e) * 1.0
    base = rng.uniform(0.3, 0.7, n)
    kept = (rng.random(n) < base + effect * w) * 1.0
    return w, e, kept - base - e * effect


@pytest.mark.parametrize("predicted", [0.15, 0.0, -0.5, 0.6])
def test_wrong_predictions_do_not_move_the_mean(predicted):
    w, e, residual = _trial(1, n=200_000)
    n = np.ones(len(w))
    found = brought(w, e, residual, predicted * n, 100 * n, 4 * n, np.arange(len(w)))
    assert found.mean == pytest.approx(15 - 4, abs=1.0)


def test_interval_covers_the_truth_19_times_in_20():
    covered = 0
    for seed in range(400):
        w, e, residual = _trial(seed)
        n = np.ones(len(w))
        found = brought(w, e, residual, 0.1 * n, 100 * n, 4 * n, np.arange(len(w)))
        covered += found.low <= 11 <= found.high
    assert covered == pytest.approx(380, abs=14)


def test_rows_of_one_customer_count_as_one():
    w, e, residual = _trial(2)
    n, who = np.ones(len(w)), np.arange(len(w))
    one = brought(w, e, residual, 0 * n, n, 0 * n, who)
    four = brought(*(np.tile(x, 4) for x in (w, e, residual, 0 * n, n, 0 * n, who)))
    assert (four.mean, four.low, four.high) == pytest.approx((one.mean, one.low, one.high))
    assert (four.rows, four.customers) == (1600, 400)


def test_too_few_rows_say_nothing():
    w, e, residual = _trial(3, n=49)
    n = np.ones(49)
    assert not brought(w, e, residual, n, n, n, np.arange(49)).said
    w, e, residual = _trial(3, n=400)
    n = np.ones(400)
    assert not brought(0 * w, e, residual, n, n, n, np.arange(400)).said
