"""A blend that loses to a simple rule: the members that do not lose make the model."""

import numpy as np
import pytest

from models.backtest import tested as said_and_came
from models.backtest.best_members import blended, members_above_rules, note_of_members
from models.backtest.split import Fold

DAY, NONE = np.datetime64("2026-01-01"), np.zeros(0, np.int64)
Y = np.array([0.0, 1.0] * 50)


def sharp(strength):
    """Probabilities that lean to what comes, or away from it."""
    return 0.5 + strength * (Y - 0.5)


def snapshot(weight=None, **said):
    probability = {"base rate": sharp(0), **said}
    return said_and_came.Tested(
        Fold(DAY, DAY, DAY, NONE, NONE), Y, Y.astype(str), probability, {}, "none", weight
    )


@pytest.mark.parametrize(
    ("said", "shares"),
    [
        ({"model": sharp(0.4), "boosted": sharp(0.8)}, None),  # the model holds against the rules
        ({"model": sharp(-0.4), "boosted": sharp(0.8)}, {"boosted": 1.0}),
        ({"model": sharp(-0.4), "boosted": sharp(-0.8)}, None),  # nothing does
        (
            {"model": sharp(0.1), "boosted": sharp(0.8), "recency rule": sharp(0.4)},
            {"boosted": 1.0},
        ),  # without the rules
        ({"model": sharp(-0.4), "boosted": sharp(0.5), "linear": sharp(-0.9)}, {"boosted": 1.0}),
    ],
)
def test_which_members_make_the_model(said, shares):
    found = members_above_rules([snapshot(**said)])
    assert found == shares


def test_without_a_rule_there_is_nothing_to_lose_to():
    one = snapshot(model=sharp(-0.4), boosted=sharp(0.8))
    del one.probability["base rate"]
    assert members_above_rules([one]) is None


def test_rows_weigh_as_many_as_they_stand_for():
    """Half of the rows are told well, half badly: what counts is how many each stands for."""
    mixed = np.where(np.arange(100) < 50, sharp(0.8), sharp(-0.8))
    heavy = np.where(np.arange(100) < 50, 10.0, 1.0)
    assert members_above_rules([snapshot(heavy, model=sharp(-0.4), boosted=mixed)]) == {"boosted": 1.0}
    assert members_above_rules([snapshot(heavy[::-1], model=sharp(-0.4), boosted=mixed)]) is None


def test_a_blend_is_the_mean_of_the_log_odds():
    one = snapshot(a=np.full(100, 0.2), b=np.full(100, 0.8), c=np.full(100, 1.0))
    np.testing.assert_allclose(blended(one, {"a": 0.5, "b": 0.5}), 0.5)
    np.testing.assert_allclose(blended(one, {"a": 1.0}), 0.2)
    assert np.isfinite(blended(one, {"c": 1.0})).all()


def test_the_note_names_them():
    assert "the model is boosted alone, chosen on these very snapshots" in note_of_members({"boosted": 1.0})
    assert "the model is a and b, chosen" in note_of_members({"a": 0.5, "b": 0.5})
