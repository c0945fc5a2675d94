"""What another doubling of the data should bring, from the losses by size: literal curves, and the drawing of sizes."""

import numpy as np
import pytest

from models.backtest.learning import LearningPoint, _curve, history_curve
from models.prediction.boosted import Settings
from tests.models.model_data import random_sample

SPREAD = np.tile([1.0, -1.0], 200)  # of the rows around the mean: cancels out in it


def curve(sizes, means, spread=0.0):
    """The curve of so many sizes with these mean losses; `spread` is how far the rows of the last size lie apart."""
    points = [LearningPoint("customers", n, n, loss, 0.5) for n, loss in zip(sizes, means, strict=True)]
    losses = [np.full(len(SPREAD), loss) for loss in means]
    losses[-1] = losses[-1] + spread * SPREAD
    return _curve(points, losses)


@pytest.mark.parametrize(
    ("sizes", "means", "gain"),
    [
        ((100, 200, 400), (0.6, 0.5, 0.45), 0.05 * 0.5),  # each doubling brings half of the one before
        ((100, 200, 400), (0.6, 0.59, 0.5), 0.09 * 0.9),  # it never brings more than 9 tenths
        ((100, 200, 400), (0.9, 0.5, 0.49), 0.01 * 0.3),  # nor is less than 3 tenths believed
        ((100, 200, 400), (0.5, 0.6, 0.5), 0.1 * 0.5),  # harm before says nothing
        ((100, 200), (0.6, 0.5), 0.1 * 0.9),
        ((4, 5), (0.6, 0.5), 0.1 * 0.9 / 0.5),  # less than half a doubling counts as half
        ((1, 4), (0.6, 0.5), 0.1 * 0.9 / 2),
        ((100, 200), (0.5, 0.5), 0.0),
    ],
)
def test_what_the_next_doubling_should_bring(sizes, means, gain):
    assert curve(sizes, means).gain == pytest.approx(gain)


def test_a_gain_within_the_noise_is_none_and_harm_beyond_it_is_told():
    spread = 0.4  # a standard error of 0.02 on 400 rows
    assert curve((1, 2), (0.6, 0.57), spread).noise == pytest.approx(0.02)
    assert curve((1, 2), (0.6, 0.561), spread).gain == 0
    assert curve((1, 2), (0.6, 0.559), spread).gain > 0
    assert curve((1, 2), (0.6, 0.639), spread).gain == 0
    assert curve((1, 2), (0.6, 0.641), spread).gain == pytest.approx(-0.041)


def test_one_size_promises_nothing():
    found = curve((100,), (0.6,))
    assert np.isnan([found.gain, found.noise]).all()
    assert found.best.size == 100


def test_history_is_cut_to_the_newest_snapshots_always_of_the_same_customers():
    sample = random_sample(customers=60, snapshots=6)
    test = sample.rows(sample.snapshot == sample.snapshots[0])
    train = sample.rows(sample.snapshot < sample.snapshots[0])
    said = []
    found = history_curve(train, test, Settings(horizon_days=30, trees=2), said.append)
    assert [(p.size, p.rows) for p in found.points] == [(1, 60), (2, 120), (4, 240), (5, 300)]
    assert said == [f"learning curve: {size} snapshots" for size in (1, 2, 4, 5)]
    assert found.drawn is None
