"""What to expect of a customer by now."""

import numpy as np
import pytest

from models.effects.expected import (
    LEAVES,
    alive,
    expected_alive,
    kept_by,
    recalibrated,
    shown_by,
    shown_in_silence,
)

P = np.linspace(0.05, 0.95, 19)


@pytest.mark.parametrize("contractual", [True, False])
def test_at_the_horizon_it_is_the_chance_itself(contractual):
    assert kept_by(P, np.ones(19), contractual=contractual) == pytest.approx(1 - P)
    assert shown_by(P, np.ones(19), contractual=contractual) == pytest.approx(1.0)


def test_contracts_end_and_purchases_come_one_after_the_other():
    days = np.array([0.1, 0.5, 0.9])
    p = np.full(3, 0.4)
    assert (np.diff(kept_by(p, days, contractual=True)) < 0).all()
    assert (np.diff(kept_by(p, days, contractual=False)) > 0).all()


@pytest.mark.parametrize("contractual", [True, False])
def test_what_shows_is_the_slope(contractual):
    for share in (0.2, 0.6, 0.9):
        s, step = np.full(19, share), 1e-6
        up, down = (kept_by(P + d, s, contractual=contractual) for d in (step, -step))
        slope = (down - up) / (2 * step)
        assert shown_by(P, s, contractual=contractual) == pytest.approx(np.minimum(slope, 1), abs=1e-5)


def test_what_came_of_all_moves_the_level_and_few_rows_hardly():
    rng = np.random.default_rng(0)
    kept = (rng.random(4_000) < 0.9) * 1.0
    assert recalibrated(np.full(4_000, 0.5), np.ones(4_000), kept).mean() == pytest.approx(0.9, abs=0.01)
    few = recalibrated(np.full(3, 0.5), np.ones(3), np.ones(3))
    assert 0.5 < few.mean() < 0.85


def test_right_chances_stay():
    rng = np.random.default_rng(1)
    p = rng.uniform(0.1, 0.9, 5_000)
    found = recalibrated(p, np.ones(5_000), (rng.random(5_000) < p) * 1.0)
    assert np.abs(found - p).mean() < 0.02


def silences(n, seed=0):
    """Customers who buy and leave at constant rates over two horizons: who is left, and how long each was silent."""
    rng = np.random.default_rng(seed)
    p = rng.uniform(0.05, 0.6, n)
    left_at = rng.exponential(1 / LEAVES, n)
    end = np.minimum(left_at, 2.0)
    # Of a Poisson process seen backwards from the end, the last purchase is an exponential time ago.
    last = np.maximum(end - rng.exponential(-1 / np.log(p), n), 0.0)
    return p, left_at > 2, 2 - last


def test_of_those_with_a_chance_so_many_are_still_there():
    p, there, silence = silences(40_000)
    found = alive(p, np.ones(len(p)), silence)
    for low, high in ((0.0, 0.3), (0.3, 0.7), (0.7, 0.9), (0.9, 1.0)):
        at = (found > low) & (found <= high)
        assert there[at].mean() == pytest.approx(found[at].mean(), abs=0.03)


def test_a_silence_speaks_against_those_who_buy_often():
    silence = np.linspace(0, 3, 20)
    often, seldom = (alive(np.full(20, p), np.ones(20), silence) for p in (0.05, 0.6))
    assert (np.diff(often) < 0).all()
    assert (np.diff(seldom) < 0).all()
    assert (often <= seldom).all()
    # Of somebody who may well have gone before, the chance was not all due to a slow rhythm.
    assert alive(np.array([0.6]), np.array([0.5]), np.ones(1)) < alive(
        np.array([0.6]), np.ones(1), np.ones(1)
    )


def test_more_shows_with_time_and_sooner_of_those_who_buy_often():
    share = np.linspace(0, 6, 30)
    for p in (0.05, np.exp(-1), 0.7):
        shown = shown_in_silence(np.full(30, p), share)
        assert shown[0] == pytest.approx(0)
        assert (np.diff(shown) > 0).all()
        assert shown[-1] > 0.85 or p > 0.5
    assert shown_in_silence(np.array([0.05]), np.ones(1)) > shown_in_silence(np.array([0.6]), np.ones(1))


def test_what_a_contact_prevents_stands_in_the_residuals_at_its_size():
    """Half keep a tenth of themselves more, by chance: what was expected knows nothing of it."""
    rng = np.random.default_rng(3)
    n = 20_000
    p, there, share = rng.uniform(0.1, 0.6, n), rng.uniform(0.5, 1.0, n), rng.uniform(0.2, 3, n)
    listed = rng.random(n) < 0.5
    truth = there * (1 - 0.2 * p * share)
    later = np.clip(truth + 0.1 * listed + rng.normal(0, 0.05, n), 0, 1)
    mean, variance = expected_alive(later, there, p, share)
    left = later - mean
    assert left[listed].mean() - left[~listed].mean() == pytest.approx(0.1, abs=0.01)
    assert variance.mean() == pytest.approx((left**2).mean(), rel=0.05)
    few = expected_alive(later[:2], there[:2], p[:2], share[:2])[0]
    assert few == pytest.approx(there[:2], abs=0.3)
