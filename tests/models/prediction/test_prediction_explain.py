"""Why a row has its score: parts that add up, and Shapley values against their definition."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from models.prediction.boosted import Settings
from models.prediction.calibration import UNCALIBRATED
from models.prediction.classifier import FittedModel, fit_members
from models.prediction.explain import Contributions, _shapley, contributions, importance
from models.prediction.scoring import bgnbd_log_odds
from tests.models.model_data import random_sample

WEIGHTS = {"boosted": 0.2, "linear + trees": 0.2, "linear": 0.3, "bg/nbd": 0.2, "recency rule": 0.1}
CALIBRATORS = [
    UNCALIBRATED,
    {"kind": "linear", "slope": 0.7, "intercept": -0.4},
    {"kind": "beta", "a": 0.8, "b": 1.3, "c": 0.1},
]


@pytest.fixture(scope="module")
def sample():
    return random_sample()


@pytest.fixture(scope="module")
def parts(sample):
    return fit_members(sample, Settings(horizon_days=30, trees=30), seeds=2)


@pytest.fixture(scope="module", params=CALIBRATORS, ids=lambda c: c["kind"])
def model(request, parts):
    return FittedModel.assemble(parts, WEIGHTS, request.param)


def test_contributions_add_up_to_the_log_odds(model, sample):
    rows = sample.X.head(50)
    found = contributions(model, rows)
    np.testing.assert_allclose(found.base + found.values.sum(axis=1), model.log_odds(rows), atol=1e-9)
    assert list(found.columns) == list(sample.X.columns)
    assert contributions(model, rows.head(0)).values.shape == (0, 7)


def test_against_the_customers_of_today_they_still_add_up_and_are_nothing_on_average(model, sample):
    rows = sample.X.head(50)
    found = contributions(model, rows, among=sample.X)
    np.testing.assert_allclose(found.base + found.values.sum(axis=1), model.log_odds(rows), atol=1e-9)
    everybody = contributions(model, rows, among=rows)
    np.testing.assert_allclose(everybody.values.mean(axis=0), 0, atol=1e-9)


def test_the_first_reason_is_mostly_the_same_when_trained_on_other_customers(sample):
    half = pd.Series(sample.customer).astype("int64").to_numpy() % 2 == 0
    fits = [
        fit_members(sample.rows(side), Settings(horizon_days=30, trees=40), seeds=1) for side in (half, ~half)
    ]
    found = [
        contributions(
            FittedModel.assemble(f, {"boosted": 0.5, "linear": 0.5}, UNCALIBRATED),
            sample.X.head(300),
            sample.X,
        )
        for f in fits
    ]
    first = [f.values.argmax(axis=1) for f in found]
    assert np.mean(first[0] == first[1]) > 0.75


def test_silence_explains_more_than_noise(model, sample):
    found = contributions(model, sample.X.head(200))
    size = dict(zip(found.columns, np.abs(found.values).mean(axis=0), strict=True))
    assert size["recency_days"] > 3 * size["noise"]


BGNBD = {"r": 0.5, "alpha": 4.0, "a": 0.8, "b": 2.5, "unit": 7.0, "horizon": 60, "fill": [3.0, 200.0, 40.0]}


def test_shapley_values_are_the_mean_over_all_orders_in_which_the_inputs_may_become_known():
    rows = np.array([[1.0, 100.0, 100.0], [9.0, 300.0, 5.0], [np.nan, 50.0, 20.0]])
    base, found = _shapley(BGNBD, rows)
    known = np.where(np.isnan(rows), BGNBD["fill"], rows)
    expected = np.zeros(rows.shape)
    for order in permutations(range(3)):
        mixed = np.tile(BGNBD["fill"], (len(rows), 1))
        before = bgnbd_log_odds(BGNBD, mixed)
        for i in order:
            mixed[:, i] = known[:, i]
            after = bgnbd_log_odds(BGNBD, mixed)
            expected[:, i] += (after - before) / 6
            before = after
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert base == bgnbd_log_odds(BGNBD, np.array([BGNBD["fill"]]))[0]
    assert found[2, 0] == 0  # the median stands for what is unknown
    np.testing.assert_allclose(base + found.sum(axis=1), bgnbd_log_odds(BGNBD, rows))


def ruled(*members, columns, calibrator=UNCALIBRATED):
    return FittedModel({"columns": columns, "boosters": [], "members": members, "calibrator": calibrator}, ())


PLAN = [{"name": "plan", "kind": "text", "levels": ["a", "b"]}, {"name": "age", "kind": "number"}]


def linear(weight, **more):
    terms = {
        "fill": [0.0] * 3,
        "mean": [0.0] * 3,
        "scale": [1.0] * 3,
        "square": [0.0] * 3,
        "missing": [0.0] * 3,
    }
    member = {"name": "l", "kind": "linear", "inputs": [0, 1, 2], "weight": weight, "intercept": 0.5}
    return member | terms | {"slope": [1.0, -1.0, 2.0], "centre": [0.25, -0.25, 1.0]} | more


def test_the_levels_of_a_text_are_one_reason():
    """log1p(1) is what a level adds; less the centre of both levels, which is 0 together."""
    found = contributions(
        ruled(linear(1.0), columns=PLAN), pd.DataFrame({"plan": ["a", "b"], "age": [0.0, np.e - 1]})
    )
    assert found.columns == ("plan", "age")
    np.testing.assert_allclose(found.values, [[np.log(2), -1.0], [-np.log(2), 1.0]])
    assert found.base == pytest.approx(0.5 + 1.0)


def test_members_count_by_their_shares():
    constant = {"name": "c", "kind": "constant", "inputs": [], "value": 4.0, "weight": 0.5}
    frame = pd.DataFrame({"plan": ["a"], "age": [0.0]})
    found = contributions(ruled(linear(0.25), constant, columns=PLAN), frame)
    assert found.base == pytest.approx(0.25 * 1.5 + 2.0)
    np.testing.assert_allclose(found.values, [[0.25 * np.log(2), -0.25]])


def test_the_calibrator_stretches_all_parts_of_a_row_alike():
    frame = pd.DataFrame({"plan": ["a", "b", "z"], "age": [0.0, 7.0, 2.0]})
    plain = contributions(ruled(linear(1.0), columns=PLAN), frame)
    beta = contributions(ruled(linear(1.0), columns=PLAN, calibrator=CALIBRATORS[2]), frame)
    ratios = beta.values[:2] / plain.values[:2]
    np.testing.assert_allclose(ratios[:, 0], ratios[:, 1])
    assert abs(ratios[0, 0] - ratios[1, 0]) > 0.01
    straight = contributions(ruled(linear(1.0), columns=PLAN, calibrator=CALIBRATORS[1]), frame)
    np.testing.assert_allclose(straight.values, 0.7 * plain.values, atol=1e-12)


def test_at_most_so_many_customers_are_explained_for_their_mean_spread_over_all():
    """Of 10,000 in ascending order 500 are looked at, from the first to the last: their mean is near the middle."""
    rule = {"name": "r", "kind": "steps", "inputs": [0], "edges": list(range(1, 10_000)),
            "values": list(range(10_000)), "missing": 0.0, "centre": 0.0, "weight": 1.0}  # fmt: skip
    among = pd.DataFrame({"age": np.arange(10_000.0)})
    model = ruled(rule, columns=[{"name": "age", "kind": "number"}])
    found = contributions(model, among.tail(1), among)
    picked = np.unique(np.linspace(0, 9_999, 500).astype(int)).mean()
    assert found.base == pytest.approx(picked, rel=1e-12)
    assert found.values[0, 0] == pytest.approx(9_999 - picked)
    nobody = contributions(model, among.tail(1), among.head(0))
    assert nobody.values[0, 0] == 9_999


def test_importance_of_nobody_is_nothing_and_ties_keep_the_order_of_the_columns():
    assert importance(Contributions(("b", "a"), 0.0, np.zeros((0, 2)))) == {"b": 0.0, "a": 0.0}
    found = importance(Contributions(("c", "b", "a"), 0.0, np.array([[1.0, 1.0, -2.0]])))
    assert list(found) == ["a", "c", "b"]
