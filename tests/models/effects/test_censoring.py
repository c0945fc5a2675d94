import numpy as np
import pytest

from models.effects.censoring import MOST, without_contact


def test_those_left_alone_stand_for_those_who_were_listed():
    row = np.array([0, 1, 2, 2, 3, 3, 4])
    listed = np.array([True, False, False, False, False, True, False])
    chance = np.array([0.5, 0.5, 0.5, 0.8, 0.5, 0.9, 0.0])
    found = without_contact(6, row, listed, chance)
    assert found.weight.tolist() == pytest.approx([0, 2, 10, 0, 1, 1])
    assert (found.censored, found.weighted, found.without_equals, found.capped) == (2, 2, 0, 0)


def test_whoever_was_surely_listed_has_nobody_to_stand_for_them():
    found = without_contact(2, np.array([0, 1]), np.array([True, True]), np.array([1.0, 0.5]))
    assert found.weight.tolist() == [0, 0]
    assert found.without_equals == 1


def test_no_row_stands_for_more_than_twenty():
    found = without_contact(1, np.array([0]), np.array([False]), np.array([0.99]))
    assert found.weight.tolist() == [MOST] == [20.0]
    assert found.capped == 1


def test_no_list_no_weights():
    none = np.zeros(0)
    found = without_contact(3, none.astype(int), none.astype(bool), none)
    assert found.weight.tolist() == [1, 1, 1]
    assert found.censored == found.weighted == 0


def test_the_weighted_mean_is_that_of_a_world_without_contacts():
    """Those in danger are chosen more often and saved by it; the draws know only what the records show."""
    rng = np.random.default_rng(1)
    n = 40_000
    danger = rng.choice([0.1, 0.5], n)
    would_leave = rng.random(n) < danger
    row, listed, chance, saved = [], [], [], np.zeros(n, bool)
    for night in range(3):
        chosen = np.flatnonzero(rng.random(n) < 0.6 * danger)
        e = np.where(danger[chosen] > 0.3, 0.8, 0.5) - 0.1 * night
        drawn = rng.random(len(chosen)) < e
        saved[chosen[drawn]] = True
        for kept, new in ((row, chosen), (listed, drawn), (chance, e)):
            kept.append(new)
    churned = would_leave & ~saved
    found = without_contact(n, *map(np.concatenate, (row, listed, chance)))
    assert churned.mean() < 0.75 * would_leave.mean()
    assert churned[found.weight > 0].mean() < 0.95 * would_leave.mean()
    assert np.average(churned, weights=found.weight) == pytest.approx(would_leave.mean(), abs=0.015)
    assert found.weight.sum() == pytest.approx(n, rel=0.03)
