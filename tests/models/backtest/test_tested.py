"""By how much a test snapshot's loss is above that of the churn rate alone."""

import numpy as np
import pytest

from models.backtest import tested as said_and_came
from models.backtest.split import Fold

DAY, NONE = np.datetime64("2026-01-01"), np.zeros(0, np.int64)


def snapshot(model, y, weight=None):
    probability = {"model": model, "base rate": np.full(len(y), 0.5)}
    customers = np.arange(len(y)).astype(str)
    return said_and_came.Tested(
        Fold(DAY, DAY, DAY, NONE, NONE), y, customers, probability, {}, "none", weight
    )


Y = np.tile([0.0, 1.0], 200)


@pytest.mark.parametrize(("strength", "sign"), [(0.8, -1), (-0.8, 1), (0, 0)])
def test_a_model_that_tells_something_is_below_the_rate(strength, sign):
    found, low, high = snapshot(0.5 + strength * (Y - 0.5), Y).above_base_rate(1)
    assert low - 1e-12 <= found <= high + 1e-12
    assert (np.sign(round(low, 9)), np.sign(round(high, 9))) == (sign, sign)


def test_the_figure_is_the_mean_difference_of_the_losses():
    model = np.array([0.9, 0.1])
    found, _, _ = snapshot(model, np.array([1.0, 1.0])).above_base_rate(1)
    assert found == pytest.approx((-np.log(0.9) - np.log(0.1)) / 2 - np.log(2))
    weighed, _, _ = snapshot(model, np.array([1.0, 1.0]), np.array([3.0, 1.0])).above_base_rate(1)
    assert weighed == pytest.approx((-3 * np.log(0.9) - np.log(0.1)) / 4 - np.log(2))
