"""Chances of losses against SciPy."""

import numpy as np
from scipy import stats

from models.statistics.losses import poisson_binomial


def test_chances_equal_scipy():
    p = np.random.default_rng(0).random(40)
    np.testing.assert_allclose(poisson_binomial(p), stats.poisson_binom.pmf(np.arange(41), p), atol=1e-12)
