"""The decision simulator, small: the measured effect is the true one, and the policy beats risk ranking."""

import numpy as np
import pytest

from benchmarks import policy


@pytest.mark.slow
def test_the_interval_covers_the_true_effect():
    covered, pairs = policy.coverage(20, customers=1_500, capacity=40, with_uplift=False)
    assert covered >= 17
    assert pairs[:, 0].mean() == pytest.approx(pairs[:, 1].mean(), abs=0.03)


@pytest.mark.slow
def test_the_policy_keeps_more_than_risk_ranking_and_less_than_the_oracle():
    gains = {
        name: np.mean([policy.live(name, policy.world(s, 3_000), 75, s).gain for s in range(2)])
        for name in ("nobody", "random", "risk", "product", "oracle")
    }
    assert gains["nobody"] == 0
    assert gains["random"] < gains["risk"] < gains["product"] < gains["oracle"]


def test_a_year_is_the_same_for_the_same_seed():
    first, again = (policy.live("risk", policy.world(3, 300), 10, 3) for _ in range(2))
    assert (first.gain, first.contacts) == (again.gain, again.contacts)
