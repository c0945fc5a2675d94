from dataclasses import replace

import lightgbm as lgb
import numpy as np
import pytest

from models.prediction.boosted import TREE_MINORITY, Settings, binned, boost

SETTINGS = Settings(horizon_days=30, trees=12)
RNG = np.random.default_rng(3)


def grown(churners, rows, seed=7):
    """Of each small tree the number of rows that it was grown on, and the root's cut."""
    X, y = RNG.normal(size=(rows, 3)), np.arange(rows) < churners
    X[:, 0] += y
    settings = replace(SETTINGS, seed=seed)
    (fit,) = boost(binned(X, y.astype(float), rows, settings), settings, seeds=1)
    trees = lgb.Booster(model_str=fit()[0]).dump_model()["tree_info"]
    return [tree["tree_structure"]["internal_count"] for tree in trees]


def test_a_tree_of_few_of_the_rarer_class_is_grown_on_all_rows():
    assert set(grown(churners=2_000, rows=40_000)) == {40_000}


@pytest.mark.parametrize("churners", [20_000, 40_000])
def test_a_tree_of_many_is_grown_on_so_many_rows_as_hold_enough_of_the_rarer_class(churners):
    rows = 60_000
    expected = rows * TREE_MINORITY / min(churners, rows - churners)
    assert grown(churners, rows) == pytest.approx([expected] * SETTINGS.trees, rel=0.02)


def test_every_seed_draws_its_own_rows():
    X, y = RNG.normal(size=(40_000, 3)), RNG.random(40_000) < 0.5
    one, other = boost(binned(X, y.astype(float), 40_000, SETTINGS), SETTINGS, seeds=2)
    roots = [
        lgb.Booster(model_str=fit()[0]).dump_model()["tree_info"][0]["tree_structure"]["internal_value"]
        for fit in (one, other)
    ]
    assert roots[0] != roots[1]
