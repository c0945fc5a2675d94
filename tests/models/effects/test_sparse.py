"""Which columns change an effect."""

import numpy as np
import pytest

from models.effects.sparse import SPREADS, SingleEffects


def learned(X, y, rounds=60):
    weights = np.full(X.shape[1], 0.5 / X.shape[1])
    found = SingleEffects.prior(weights)
    for _ in range(rounds):
        found = found.updated(X.T @ X, X.T @ y, weights)
    return found


def test_one_column_of_many_is_found_and_the_others_are_left():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4_000, 40))
    found = learned(X, 0.15 * X[:, 7] + rng.normal(size=4_000))
    assert found.coefficient[7] == pytest.approx(0.15, abs=0.05)
    assert np.abs(np.delete(found.coefficient, 7)).max() < 0.01


def test_where_no_column_helps_none_is_used():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(4_000, 40))
    assert np.abs(learned(X, rng.normal(size=4_000)).coefficient).max() < 0.02


def test_columns_that_say_the_same_share_the_chance():
    rng = np.random.default_rng(2)
    x = rng.normal(size=4_000)
    X = np.column_stack([x, x, rng.normal(size=4_000)])
    found = learned(X, 0.2 * x + rng.normal(size=4_000))
    assert found.coefficient[0] == pytest.approx(found.coefficient[1], rel=1e-6)
    assert found.coefficient[:2].sum() == pytest.approx(0.2, abs=0.05)


def test_one_effect_is_the_posterior_by_bayes_rule():
    """One effect, two columns: by the evidence of each column and of none, written out."""
    rng = np.random.default_rng(3)
    X, weights = rng.normal(size=(200, 2)), np.array([0.3, 0.2])
    y = 0.1 * X[:, 0] + rng.normal(size=200)
    found = SingleEffects.prior(weights).updated(X.T @ X, X.T @ y, weights)
    spread = SPREADS[0] ** 2

    def evidence(column):
        cov = np.eye(200) + spread * np.outer(X[:, column], X[:, column])
        return np.exp(-0.5 * (y @ np.linalg.solve(cov, y) - y @ y) - 0.5 * np.linalg.slogdet(cov)[1])

    parts = np.array([0.3 * evidence(0), 0.2 * evidence(1), 0.5])
    assert found.chance[0] == pytest.approx(parts[:2] / parts.sum(), rel=1e-6)


def test_mean_and_variance_are_those_of_the_draws():
    rng = np.random.default_rng(4)
    X = rng.normal(size=(1_000, 5))
    found = learned(X, 0.1 * X[:, 1] + rng.normal(size=1_000))
    draws = np.stack([found.draw(rng) for _ in range(8_000)])
    few = X[:4]
    assert draws.mean(axis=0) == pytest.approx(found.coefficient, abs=0.005)
    assert (draws @ few.T).var(axis=0) == pytest.approx(found.variance_of(few), rel=0.15)
