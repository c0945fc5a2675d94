"""Effects against simulation, and save rates against an independent posterior."""

import numpy as np
import pytest
from scipy import stats

from models.effects.control_group import (
    MeasuredSaveRate,
    kept_effect,
    reached,
    rows_needed,
    save_rate,
    smallest_effect,
    value_effect,
)


def _drawn(rng, n, share, effect):
    listed = rng.random(n) < share
    kept = (rng.random(n) < 0.6 + effect * listed).astype(float)
    return kept, listed


def test_interval_covers_the_truth_19_times_in_20():
    rng, covered = np.random.default_rng(1), 0
    for _ in range(1_000):
        kept, listed = _drawn(rng, 600, 0.8, 0.1)
        found = kept_effect(kept, listed, np.full(600, 0.8), np.arange(600))
        covered += found.low <= 0.1 <= found.high
    assert covered == pytest.approx(950, abs=25)


def test_weights_undo_different_shares():
    """Two strata with different shares of the list and different risks: unweighted, the list seems to harm."""
    rng, n = np.random.default_rng(2), 40_000
    risky = rng.random(n) < 0.5
    share = np.where(risky, 0.9, 0.3)
    listed = rng.random(n) < share
    kept = (rng.random(n) < np.where(risky, 0.3, 0.9) + 0.05 * listed).astype(float)
    found = kept_effect(kept, listed, share, np.arange(n))
    assert kept[listed].mean() < kept[~listed].mean()
    assert found.low < 0.05 < found.high
    assert found.effect == pytest.approx(0.05, abs=0.02)


def test_rows_of_one_customer_count_as_one():
    rng = np.random.default_rng(3)
    kept, listed = _drawn(rng, 200, 0.5, 0.1)
    one = kept_effect(kept, listed, np.full(200, 0.5), np.arange(200))
    again = kept_effect(*(np.tile(x, 5) for x in (kept, listed, np.full(200, 0.5), np.arange(200))))
    assert (again.effect, again.low, again.high) == pytest.approx((one.effect, one.low, one.high))


def test_value_interval_covers_the_truth():
    rng, covered = np.random.default_rng(4), 0
    for _ in range(500):
        kept, listed = _drawn(rng, 800, 0.7, 0.1)
        value = rng.lognormal(3, 0.7, 800)
        found = value_effect(value, kept, listed, np.full(800, 0.7), np.arange(800))
        covered += found.low <= 0.1 * np.exp(3 + 0.7**2 / 2) <= found.high
    assert covered == pytest.approx(475, abs=20)


def test_one_group_alone_has_no_effect():
    found = kept_effect(np.ones(5), np.ones(5, bool), np.full(5, 0.9), np.arange(5))
    assert np.isnan(found.effect)
    assert (found.low, found.high) == (-1, 1)


def test_power_is_what_it_says():
    """A difference of the smallest visible size is seen about 4 times in 5."""
    rng, n = np.random.default_rng(5), 800
    size = smallest_effect(0.5, n, n)
    listed = np.arange(2 * n) < n
    seen = 0
    for _ in range(600):
        kept = (rng.random(2 * n) < 0.5 - size / 2 + size * listed).astype(float)
        seen += kept_effect(kept, listed, np.full(2 * n, 0.5), np.arange(2 * n)).low > 0
    assert seen / 600 == pytest.approx(0.8, abs=0.05)
    assert rows_needed(0.5, size, 0.5) == pytest.approx(2 * n, abs=2)


def test_save_rate_is_the_posterior_of_a_plain_sampler():
    """Importance sampling from the priors, without a grid."""
    rng, prior = np.random.default_rng(6), MeasuredSaveRate(2, 8)
    s, c = rng.beta(2, 8, 400_000), rng.beta(0.5, 0.5, 400_000)
    weight = stats.binom.pmf(70, 200, c * (1 - s)) * stats.binom.pmf(45, 100, c)
    mean = np.average(s, weights=weight)
    sd = np.sqrt(np.average((s - mean) ** 2, weights=weight))
    found = save_rate(prior, kept=130, listed=200, kept_0=55, control=100)
    assert found.mean == pytest.approx(mean, abs=0.005)
    mass = found.saved + found.lost
    assert np.sqrt(found.mean * (1 - found.mean) / (mass + 1)) == pytest.approx(sd, abs=0.005)


def test_save_rate_moves_from_the_prior_to_the_truth():
    prior, means, weights = MeasuredSaveRate(2, 18), [], []
    for n in (10, 100, 1_000, 100_000):
        found = save_rate(prior, kept=0.72 * n, listed=n, kept_0=0.6 * n, control=n)
        means.append(found.mean)
        weights.append(found.prior_weight)
    assert means == sorted(means)
    assert means[-1] == pytest.approx(0.3, abs=0.01)
    assert weights == sorted(weights, reverse=True)
    assert weights[-1] < 0.02


def test_harm_brings_the_save_rate_to_nothing():
    assert save_rate(MeasuredSaveRate(2, 8), kept=500, listed=1_000, kept_0=700, control=1_000).mean < 0.02


def test_reached_agrees_with_the_plain_definition():
    rng = np.random.default_rng(7)
    who, start = rng.integers(0, 20, 300), rng.integers(100, 200, 300)
    contacted, on = rng.integers(0, 20, 60), rng.integers(90, 210, 60)
    plain = [
        any(c == w and s <= d < s + 14 for c, d in zip(contacted, on, strict=True))
        for w, s in zip(who, start, strict=True)
    ]
    assert reached(who, start, 14, contacted, on).tolist() == plain
    assert not reached(who, start, 14, contacted[:0], on[:0]).any()
