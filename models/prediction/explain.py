"""Why a row has its score: what each matrix column adds to the log-odds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import factorial
from typing import Any

import numpy as np
import pandas as pd

from configs.arrays import Floats
from models.prediction.classifier import FittedModel
from models.prediction.scoring import bgnbd_log_odds, calibrate, encode, linear_terms, step_values

COMPARED_ROWS = 500


@dataclass(frozen=True)
class Contributions:
    """Additive parts of the calibrated log-odds.

    Parameters
    ----------
    columns
        Matrix columns that the model reads.
    base
        Log-odds of the average row that is compared with, the same for everybody.
    values
        Shape (rows, columns). `base + values.sum(axis=1)` is the log-odds of the probability.
    """

    columns: tuple[str, ...]
    base: float
    values: Floats


def contributions(
    model: FittedModel, frame: pd.DataFrame, among: pd.DataFrame | None = None
) -> Contributions:
    """Explain rows; give only those that are shown, since trees take about 2 ms a row.

    Trees: exact Shapley values along the trees (LightGBM `pred_contrib`). Linear members: the term less its training
    mean. BG/NBD: exact Shapley values against the median customer. The parts of the members are added with their
    shares. The calibrator, which never falls, stretches all parts of a row by one factor.

    Parameters
    ----------
    model
        The model that scored the rows.
    frame
        Matrix rows.
    among
        Customers to compare with, such as all of today's; at most 500 of them are explained for their mean. What they
        all share is no reason for one of them, and goes into the base: the strongest reason then stays the same
        much more often when the model is trained again. None: compared with the training rows.

    Examples
    --------
    >>> rule = {"name": "r", "kind": "steps", "inputs": [0], "edges": [5.0], "values": [-1.0, 1.0], "missing": 0.0,
    ...         "centre": 0.0, "weight": 1.0}
    >>> spec = {"columns": [{"name": "tenure_days", "kind": "number"}], "boosters": [], "members": [rule],
    ...         "calibrator": {"kind": "none"}}
    >>> contributions(FittedModel(spec, ()), pd.DataFrame({"tenure_days": [1.0, 9.0]})).values
    array([[-1.],
           [ 1.]])
    """
    found = _against_training(model, frame)
    if among is None or not len(among):
        return found
    some = among.iloc[np.unique(np.linspace(0, len(among) - 1, COMPARED_ROWS).astype(np.int64))]
    shared = _against_training(model, some).values.mean(axis=0)
    return Contributions(found.columns, found.base + float(shared.sum()), found.values - shared)


def _against_training(model: FittedModel, frame: pd.DataFrame) -> Contributions:
    columns = model.spec["columns"]
    X = encode(columns, frame)
    base, parts = 0.0, np.zeros(X.shape)
    for member in model.spec["members"]:
        start, part = _member(member, model, X)
        base += member["weight"] * start
        parts += member["weight"] * part
    raw = parts.sum(axis=1)
    calibrator = model.spec["calibrator"]
    middle = float(calibrate(calibrator, np.array([base]))[0])
    moved = calibrate(calibrator, base + raw) - middle
    small = np.abs(raw) < 1e-12
    stretch = np.where(small, 1.0, moved / np.where(small, 1.0, raw))
    return Contributions(
        tuple(c["name"] for c in columns), middle, _by_column(columns, parts) * stretch[:, None]
    )


def _by_column(columns: Sequence[dict[str, Any]], parts: Floats) -> Floats:
    """Add up the inputs of each text column."""
    owner = [i for i, c in enumerate(columns) for _ in range(len(c["levels"]) if c["kind"] == "text" else 1)]
    belongs = np.zeros((len(owner), len(columns)))
    belongs[np.arange(len(owner)), owner] = 1.0
    return np.asarray(parts @ belongs)


def _member(member: dict[str, Any], model: FittedModel, X: Floats) -> tuple[float, Floats]:
    """Base and parts, shape (rows, inputs), of one member."""
    kind, parts = member["kind"], np.zeros(X.shape)
    if kind == "constant":
        return float(member["value"]), parts
    if kind == "boosted":
        if not len(X):
            return 0.0, parts
        used = [model.boosters[i].booster for i in member["boosters"]]
        both = np.mean([b.predict(X, pred_contrib=True) for b in used], axis=0)
        base, below = _member(member["start"], model, X) if "start" in member else (0.0, parts)
        return base + float(both[0, -1]), both[:, :-1] + below
    inputs = member["inputs"]
    part = X[:, inputs]
    if kind == "linear":
        centre = np.asarray(member["centre"])
        parts[:, inputs] = linear_terms(member, part) - centre
        return float(member["intercept"] + centre.sum()), parts
    if kind == "steps":
        parts[:, inputs[0]] = step_values(member, part[:, 0]) - member["centre"]
        return float(member["centre"]), parts
    base, parts[:, inputs] = _shapley(member, part)
    return base, parts


def _shapley(member: dict[str, Any], part: Floats) -> tuple[float, Floats]:
    """Exact Shapley values of BG/NBD over its three inputs, against the median customer."""
    known = np.where(np.isnan(part), np.asarray(member["fill"]), part)
    middle = np.broadcast_to(np.asarray(member["fill"], dtype=np.float64), known.shape)
    count = known.shape[1]
    subsets = [s for size in range(count + 1) for s in combinations(range(count), size)]
    value = {}
    for subset in subsets:
        mixed = middle.copy()
        mixed[:, list(subset)] = known[:, list(subset)]
        value[subset] = bgnbd_log_odds(member, mixed)
    out = np.zeros(known.shape)
    for subset in subsets:
        for i in set(range(count)) - set(subset):
            share = factorial(len(subset)) * factorial(count - len(subset) - 1) / factorial(count)
            out[:, i] += share * (value[tuple(sorted((*subset, i)))] - value[subset])
    return (float(value[()][0]) if len(part) else 0.0), out


def importance(found: Contributions) -> dict[str, float]:
    """Mean absolute contribution of each column, the largest first.

    Examples
    --------
    >>> importance(Contributions(("a", "b"), 0.0, np.array([[1.0, -3.0], [1.0, 3.0]])))
    {'b': 3.0, 'a': 1.0}
    """
    mean = np.abs(found.values).mean(axis=0) if len(found.values) else np.zeros(len(found.columns))
    order = np.argsort(-mean, kind="stable")
    return {found.columns[i]: float(mean[i]) for i in order}
