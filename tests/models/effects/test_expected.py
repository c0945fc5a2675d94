"""What to expect of a customer by now."""

import numpy as np
import pytest

from models.effects.expected import kept_by, recalibrated, shown_by

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
