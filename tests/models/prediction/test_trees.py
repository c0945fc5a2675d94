"""Trees that score many rows at once say what LightGBM says, to the last bit."""

import lightgbm as lgb
import numpy as np
import pytest

from models.prediction import trees
from models.prediction.trees import Forest

INPUTS, INTERVALS = 6, 9


def rows(seed: int, count: int, unknown: float) -> np.ndarray:
    """Numbers with ties, negative ones, a column of few values, and the number of an interval last."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(count, INPUTS)).astype(np.float32).astype(np.float64)
    X[:, 0], X[:, 1] = np.round(X[:, 0]), np.maximum(X[:, 1], 0)
    X[rng.random(X.shape) < unknown] = np.nan
    X[:, -1] = rng.integers(0, INTERVALS, count)
    return X


def booster(leaves: int, unknown: float, *, random: bool = True, **more) -> lgb.Booster:
    X = rows(1, 4_000, unknown)
    known = np.nan_to_num(X)
    y = (known[:, 0] * known[:, 2] + known[:, 3] + known[:, -1] / 4 > 1).astype(float)
    settings = {"objective": "binary", "num_leaves": leaves, "min_data_in_leaf": 5, "extra_trees": random}
    settings |= {"verbose": -1, "num_threads": 1, "deterministic": True}
    return lgb.train(settings, lgb.Dataset(X, y, **more), 12)


@pytest.mark.parametrize("leaves", [2, 7, 9, 31, 120])
@pytest.mark.parametrize("known_in_training", [True, False])
def test_the_bits_are_those_of_lightgbm(leaves, known_in_training, monkeypatch):
    fitted = booster(leaves, 0.0 if known_in_training else 0.2)
    # Not whole blocks; unknown values too where the training had none.
    monkeypatch.setattr(trees, "_ROWS", 700)
    X = rows(2, 3_001, 0.3)
    wanted = fitted.predict(X, raw_score=True)
    assert len(np.unique(wanted)) > leaves
    forest = Forest(fitted.model_to_string())
    for numbers in (X, np.asfortranarray(X)):
        for threads in (1, 2):
            np.testing.assert_array_equal(forest.predict(numbers, num_threads=threads), wanted)
    np.testing.assert_array_equal(forest.predict(X[:10]), wanted[:10])
    assert forest.predict(X[:0]).shape == (0,)


@pytest.mark.parametrize("leaves", [7, 31])
def test_each_value_of_a_column_says_what_rows_with_it_say(leaves, monkeypatch):
    monkeypatch.setattr(trees, "_ROWS", 700)
    fitted, X = booster(leaves, 0.2), rows(2, 1_501, 0.3)
    found = Forest(fitted.model_to_string()).predict_each(X, INPUTS - 1, range(INTERVALS))
    assert len(np.unique(found, axis=0)) > 1
    for value in range(INTERVALS):
        X[:, -1] = value
        np.testing.assert_array_equal(found[value], fitted.predict(X, raw_score=True))


def test_trees_without_a_split(monkeypatch):
    X = rows(1, 2_000, 0.0)
    settings = {"objective": "binary", "verbose": -1, "min_data_in_leaf": 2_000}
    fitted = lgb.train(settings, lgb.Dataset(X, (X[:, 0] > 1).astype(float)), 3)
    assert (Forest(fitted.model_to_string()).predict(X) == fitted.predict(X, raw_score=True)).all()


def test_a_split_by_category_is_refused():
    fitted = booster(31, 0.0, random=False, categorical_feature=[INPUTS - 1])
    with pytest.raises(ValueError, match="is not known here"):
        Forest(fitted.model_to_string()).predict(rows(2, 2_000, 0.0))
