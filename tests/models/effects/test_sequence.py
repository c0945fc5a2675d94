"""Intervals that survive looking every night."""

import math

import numpy as np
import pytest

from models.effects.sequence import MIN_ROWS, NOTHING, bounds, half_width


def test_a_year_of_looks_at_nothing_seldom_proves_anything():
    """400 experiments without an effect, looked at after every 25 of 2,000 rows: the standardised sums by hand."""
    rng = np.random.default_rng(0)
    steps = np.arange(50, 2_001, 25)
    sums = rng.choice([-0.5, 0.5], (400, 2_000)).cumsum(axis=1)[:, steps - 1]
    z = np.abs(sums) / (0.5 * np.sqrt(steps))
    wide = np.array([half_width(n / 2_000) for n in steps])
    assert (z > wide).any(axis=1).mean() <= 0.05
    assert (z > 1.96).any(axis=1).mean() > 0.2  # a single look's interval would not do


def test_the_width_at_the_target_and_before():
    assert half_width(1.0) <= 1.5 * 1.96
    widths = [half_width(s) for s in (0.01, 0.1, 0.5, 1.0)]
    assert widths == sorted(widths, reverse=True)


def test_the_mixture_is_worth_twenty_at_the_edge():
    """What defines the width: there the mixture of both signs reaches 1 / alpha."""
    from models.effects.sequence import SIGNALS, WEIGHTS

    for share in (0.2, 1.0, 3.0):
        x = half_width(share) * math.sqrt(share)
        signals = SIGNALS * math.sqrt(2 * math.log(2 / 0.05))
        value = sum(
            w * math.exp(-(s**2) * share / 2) * math.cosh(s * x)
            for w, s in zip(WEIGHTS, signals, strict=True)
        )
        assert value == pytest.approx(20)


def test_the_estimate_is_the_difference_of_means_when_the_halves_are_equal():
    y, w = np.r_[np.ones(60), np.zeros(40), np.ones(40), np.zeros(60)], np.repeat([1.0, 0.0], 100)
    found = bounds((w - 0.5) * y, 50.0, np.arange(200), 1_000)
    assert found.estimate == pytest.approx(0.6 - 0.4)


def test_rows_of_one_customer_count_as_one():
    rng = np.random.default_rng(1)
    once = rng.choice([-0.5, 0.5], 300) * rng.normal(size=300)
    five = np.repeat(once, 5)
    one, many = (
        bounds(once, 75.0, np.arange(300), 1_000),
        bounds(five, 375.0, np.repeat(np.arange(300), 5), 1_000),
    )
    assert many.fixed_high - many.fixed_low == pytest.approx(one.fixed_high - one.fixed_low, rel=0.02)


def test_few_rows_claim_nothing():
    found = bounds(np.full(MIN_ROWS - 1, 0.5), (MIN_ROWS - 1) / 4, np.arange(MIN_ROWS - 1), 1_000)
    assert (found.low, found.high) == (-1.0, 1.0)
    assert bounds(np.zeros(0), 0.0, np.zeros(0, int), 1.0) is NOTHING


def test_few_who_were_left_alone_prove_nothing_by_being_alike():
    """100 listed of whom 27 left and 17 left alone who all stayed: chance, and by the spread of the 17 a proof."""
    w = np.r_[np.ones(100), np.zeros(17)]
    left = np.r_[np.full(27, -0.85), np.full(73, 0.15), np.full(17, 0.15)]
    scores, told = (w - 0.9) * left, 0.9 * 0.1
    assert bounds(scores, 117 * told, np.arange(117), 700).high == 1.0  # tells as much as 42 of equal chances
    w, left = np.r_[w, np.ones(40), np.zeros(3)], np.r_[left, np.full(11, -0.85), np.full(32, 0.15)]
    few = (w - 0.9) * left, 160 * told, np.arange(160), 700
    assert bounds(*few).harms
    assert not bounds(*few, variance=told * float(left @ left)).harms
