"""One row on its way through the model, by hand: members, shares, calibrator."""

from math import exp

import numpy as np
import pandas as pd
import pytest

from models.prediction.classifier import FittedModel
from models.prediction.steps import scoring_steps

RULE = {"name": "rule", "kind": "steps", "inputs": [0], "edges": [5.0], "values": [-1.0, 3.0], "missing": 0.5}
LEVEL = {"name": "level", "kind": "constant", "inputs": [], "value": -2.0}


class Tree:
    """Stands for a booster: says a number for every row."""

    def __init__(self, value):
        self.value = value

    def predict(self, X, raw_score, num_threads=1):
        assert raw_score
        return np.full(len(X), self.value)


class WithTrees(FittedModel):
    """A model whose boosters say 1, 2 and 6."""

    boosters = (Tree(1.0), Tree(2.0), Tree(6.0))


def model(*members, calibrator=None, kind=FittedModel):
    columns = [{"name": "age", "kind": "number"}]
    return kind(
        {
            "columns": columns,
            "boosters": [],
            "members": members,
            "calibrator": calibrator or {"kind": "none"},
        },
        (),
    )


def test_each_member_is_told_with_its_share_in_the_models_order():
    steps = scoring_steps(
        model(LEVEL | {"weight": 0.75}, RULE | {"weight": 0.25}), pd.DataFrame({"age": [9.0]})
    )
    assert [(m.name, m.share, m.log_odds, m.boosters) for m in steps.members] == [
        ("level", 0.75, -2.0, ()),
        ("rule", 0.25, 3.0, ()),
    ]
    assert (steps.blended, steps.calibrator, steps.calibrated) == (-0.75, "none", -0.75)
    assert steps.probability == pytest.approx(1 / (1 + exp(0.75)))


def test_of_trees_each_booster_is_told_and_the_member_is_their_mean_on_its_start():
    trees = {
        "name": "trees",
        "kind": "boosted",
        "boosters": [0, 2],
        "inputs": [0],
        "start": LEVEL,
        "weight": 1.0,
    }
    (member,) = scoring_steps(model(trees, kind=WithTrees), pd.DataFrame({"age": [1.0]})).members
    assert member.boosters == (1.0, 6.0)
    assert member.log_odds == 3.5 - 2.0


def test_the_calibrator_comes_last_and_nothing_is_certain():
    steep = {"kind": "linear", "slope": 100.0, "intercept": 7.0}
    steps = scoring_steps(model(RULE | {"weight": 1.0}, calibrator=steep), pd.DataFrame({"age": [None]}))
    assert (steps.blended, steps.calibrator, steps.calibrated) == (0.5, "linear", 57.0)
    assert steps.probability == pytest.approx(1 / (1 + exp(-14)), rel=1e-12)


def test_a_column_that_the_row_lacks_is_unknown():
    steps = scoring_steps(model(RULE | {"weight": 1.0}), pd.DataFrame({"other": [9.0]}))
    assert steps.members[0].log_odds == 0.5
