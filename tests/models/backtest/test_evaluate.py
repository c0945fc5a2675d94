"""A row that stands for several counts like so many rows, in every figure and every fit that uses weights."""

import numpy as np
import pandas as pd
import pytest

from models.backtest.compare import paired
from models.backtest.evaluate import measure, slices
from models.prediction import members
from models.prediction.blend import FoldForecast, learn_weights
from models.prediction.calibration import fit_platt

RNG = np.random.default_rng(5)
N = 300
Z = RNG.normal(0, 1, N)
Y = (RNG.random(N) < 1 / (1 + np.exp(-Z))).astype(float)
P = 1 / (1 + np.exp(-0.6 * Z))
TIMES = RNG.integers(1, 4, N)
MANY = np.repeat(np.arange(N), TIMES)
WEIGHT = TIMES.astype(float)


def test_every_metric_counts_a_row_as_often_as_it_stands_for_rows():
    weighed, repeated = measure(Y, P, 30, WEIGHT), measure(Y[MANY], P[MANY], 30)
    assert weighed.pop("rows") == N
    assert repeated.pop("rows") == len(MANY)
    # Bins of equal mass cut through a heavy row where they would cut between light ones.
    assert weighed.pop("ece") == pytest.approx(repeated.pop("ece"), abs=0.02)
    assert weighed == pytest.approx(repeated)
    assert weighed["log_loss"] != pytest.approx(measure(Y, P, 30)["log_loss"], rel=1e-4)


def test_slices_and_differences_are_weighed():
    frame = pd.DataFrame({"plan": pd.Categorical(np.where(Z > 0, "a", "b"))})
    one, other = slices(frame, Y, P, weight=WEIGHT), slices(frame.iloc[MANY], Y[MANY], P[MANY])
    assert {s.name: s.gap for s in one} == pytest.approx({s.name: s.gap for s in other})
    who = np.arange(N).astype(str)
    weighed = paired(Y, P, np.full(N, 0.5), who, seed=1, list_size=30, weight=WEIGHT)
    repeated = paired(Y[MANY], P[MANY], np.full(len(MANY), 0.5), who[MANY], seed=1, list_size=30)
    assert (weighed.log_loss, weighed.auc) == pytest.approx((repeated.log_loss, repeated.auc))
    assert weighed.log_loss_interval == pytest.approx(repeated.log_loss_interval)


def test_members_shares_and_calibrators_are_weighed():
    X = np.column_stack([Z, np.exp(Z)])
    assert members.base_rate(Y, WEIGHT)["value"] == pytest.approx(members.base_rate(Y[MANY])["value"])
    names = ["other", "tenure_days"]
    heavy = members.hazard(X, Y, names, np.full(N, 3.0))["values"]
    assert heavy == pytest.approx(members.hazard(np.repeat(X, 3, axis=0), np.repeat(Y, 3), names)["values"])
    fitted, expected = (
        members.logistic(*arguments)["slope"]
        for arguments in (
            (X, Y, [0, 1], 5.0, False, np.full(N, 3.0)),
            (np.repeat(X, 3, axis=0), np.repeat(Y, 3), [0, 1], 5.0, False),
        )
    )
    assert fitted == pytest.approx(expected, rel=1e-4)
    weighed, again = fit_platt(Z, Y, WEIGHT), fit_platt(Z[MANY], Y[MANY])
    assert [weighed[k] for k in ("slope", "intercept")] == pytest.approx(
        [again[k] for k in ("slope", "intercept")], rel=1e-3
    )
    scores = {"boosted": 0.5 * Z, "linear": Z**2 - 1, "base rate": np.zeros(N)}
    day = np.datetime64("2026-01-01")
    who = np.arange(N).astype(str)
    once = FoldForecast(day, scores, Y, WEIGHT, who)
    repeated = FoldForecast(day, {n: s[MANY] for n, s in scores.items()}, Y[MANY], customer=who[MANY])
    assert learn_weights([once] * 2, scores) == pytest.approx(learn_weights([repeated] * 2, scores), abs=1e-3)
