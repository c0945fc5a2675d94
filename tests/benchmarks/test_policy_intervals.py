"""The ledger of the interval benchmark is what it says, and the intervals hold on a few companies."""

import numpy as np

from benchmarks.policy_intervals import HORIZON, claims, covers, ledger


def test_nobody_is_drawn_again_before_the_outcome_is_known():
    found = ledger(3, null=False)
    for who in np.unique(found.who)[:50]:
        assert (np.diff(found.night[found.who == who]) >= HORIZON).all()


def test_without_an_effect_the_listed_are_kept_like_the_others():
    found = ledger(5, null=True)
    assert not found.effect.any()
    assert abs(found.listed.mean() - found.chance.mean()) < 0.03


def test_the_truth_is_held_and_nothing_claimed_where_there_is_nothing():
    assert np.mean([covers(seed)[0] for seed in range(10)]) >= 0.9
    assert not any(claims(seed)[:2] != (False, False) for seed in range(2))
