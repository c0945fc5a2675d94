"""Corrections of log-odds: each kind by a case whose answer is known, and when one is learned at all."""

import numpy as np
import pytest

from models.prediction.blend import FoldForecast
from models.prediction.calibration import (
    UNCALIBRATED,
    fit_beta,
    fit_platt,
    fit_shift,
    fit_temperature,
    learn_calibrator,
    learn_calibrator_across,
)
from models.prediction.scoring import calibrate

DAY = np.timedelta64(1, "D")
START = np.datetime64("2026-01-01")
WEIGHTS = {"boosted": 1.0}


def chance(z):
    return 1 / (1 + np.exp(-z))


def exact(z, truth):
    """Log-odds, labels and weights of which exactly the share `chance(truth)` of each is churned."""
    z, truth = np.asarray(z, float), np.asarray(truth, float)
    return np.r_[z, z], np.r_[np.ones(len(z)), np.zeros(len(z))], np.r_[chance(truth), 1 - chance(truth)]


def test_a_shift_makes_the_mean_right_and_stretches_nothing():
    found = fit_shift(*exact([-1.0, 0.0, 2.0], [-1.5, -0.5, 1.5]))
    assert found == {"kind": "linear", "slope": 1.0, "intercept": pytest.approx(-0.5, abs=1e-4)}


def test_a_temperature_stretches_and_moves_nothing():
    found = fit_temperature(*exact([-1.0, 1.0, 2.0], [-0.5, 0.5, 1.0]))
    assert found == {"kind": "linear", "slope": pytest.approx(0.5, abs=1e-4), "intercept": 0.0}


def test_platt_does_both():
    found = fit_platt(*exact([-1.0, 0.0, 1.0, 2.0], [-1.5, 0.5, 2.5, 4.5]))
    assert found["slope"] == pytest.approx(2.0, abs=1e-3)
    assert found["intercept"] == pytest.approx(0.5, abs=1e-3)


def test_beta_bends_each_end_on_its_own():
    z = np.linspace(-4, 4, 41)
    terms = -np.logaddexp(0, -z), np.logaddexp(0, z)
    found = fit_beta(*exact(z, 0.5 * terms[0] + 2.0 * terms[1] - 0.3))
    assert found == {
        "kind": "beta",
        "a": pytest.approx(0.5, abs=0.01),
        "b": pytest.approx(2.0, abs=0.01),
        "c": pytest.approx(-0.3, abs=0.01),
    }
    assert calibrate(found, z) == pytest.approx(0.5 * terms[0] + 2.0 * terms[1] - 0.3, abs=0.05)


@pytest.mark.parametrize(
    ("fit", "z", "y", "name", "bound"),
    [
        (fit_shift, [0.0, 0.0], [1.0, 1.0], "intercept", 4.0),
        (fit_shift, [0.0, 0.0], [0.0, 0.0], "intercept", -4.0),
        (fit_temperature, [-1.0, 1.0], [0.0, 1.0], "slope", 5.0),
        (fit_temperature, [-1.0, 1.0], [1.0, 0.0], "slope", 0.05),
    ],
)
def test_a_correction_stays_within_its_bounds(fit, z, y, name, bound):
    assert fit(np.array(z), np.array(y))[name] == pytest.approx(bound, abs=1e-3)


@pytest.mark.parametrize("fit", [fit_shift, fit_temperature, fit_platt, fit_beta])
def test_a_weight_is_so_many_rows(fit):
    rng = np.random.default_rng(0)
    z = rng.normal(size=60)
    y, w = (rng.random(60) < chance(z - 0.5)) * 1.0, rng.integers(1, 4, 60)
    once, again = fit(z, y, w.astype(float)), fit(np.repeat(z, w), np.repeat(y, w))
    assert once == {
        name: pytest.approx(value, abs=1e-3) if name != "kind" else value for name, value in again.items()
    }


def fold(number, apart, off=1.0, rows=2_000, members=("boosted",)):
    """A fold so many days apart from the one before; its log-odds are too high by `off`."""
    rng = np.random.default_rng(number)
    truth = rng.normal(-1, 1, rows)
    y = (rng.random(rows) < chance(truth)) * 1.0
    return FoldForecast(START + number * apart * DAY, dict.fromkeys(members, truth + off), y)


def learned(folds, window=30):
    return learn_calibrator(folds, WEIGHTS, window * DAY)


def test_what_helped_on_later_folds_is_learned_on_all():
    name, found = learned([fold(i, 30) for i in (3, 0, 4, 1, 2)])
    assert name == "shift"
    assert found["intercept"] == pytest.approx(-1, abs=0.1)
    assert learned([fold(i, 30, off=0.0) for i in range(5)]) == ("none", UNCALIBRATED)


@pytest.mark.parametrize(
    ("folds", "apart", "window", "enough"),
    [
        (4, 30, 30, True),  # judged on three
        (3, 30, 30, False),  # judged on two
        (5, 30, 45, True),  # known two folds later: judged on three, which span sixty days
        (4, 10, 20, False),  # the two that are judged lie half a window apart
        (5, 1, 30, False),  # nothing is known at any of them
    ],
)
def test_it_is_judged_on_three_folds_that_lie_a_window_apart(folds, apart, window, enough):
    found, _ = learned([fold(i, apart) for i in range(folds)], window)
    assert (found != "none") == enough


def test_few_churned_teach_no_correction():
    assert learned([fold(i, 30, rows=300) for i in range(5)])[0] != "none"
    assert learned([fold(i, 30, rows=60) for i in range(5)]) == ("none", UNCALIBRATED)


def test_a_fold_that_lacks_a_member_tells_nothing_of_the_blend():
    with_both = [fold(i, 30, members=("boosted", "linear")) for i in range(4)]
    assert learn_calibrator(with_both, {"boosted": 0.5, "linear": 0.5}, 30 * DAY)[0] == "shift"
    one_lacks = [*with_both[:3], fold(3, 30)]
    assert learn_calibrator(one_lacks, {"boosted": 0.5, "linear": 0.5}, 30 * DAY) == ("none", UNCALIBRATED)


def test_a_gain_that_comes_and_goes_is_none():
    signs = (1.0, -1.0, 1.0, -1.0, 1.0, -1.0)
    assert learned([fold(i, 30, off=sign) for i, sign in enumerate(signs)]) == ("none", UNCALIBRATED)


def test_folds_of_customers_teach_each_other():
    name, found = learn_calibrator_across([fold(i, 0) for i in range(4)], WEIGHTS)
    assert name == "shift"
    assert found["intercept"] == pytest.approx(-1, abs=0.1)
    assert learn_calibrator_across([fold(i, 0) for i in range(2)], WEIGHTS) == ("none", UNCALIBRATED)
