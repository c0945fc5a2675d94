"""From a matrix row to a probability, from text and JSON only.

This file stands alone: NumPy and pandas, nothing of this project. The tracking server keeps a copy of it
inside every logged model, so that the model loads where the project is not installed; `FittedModel` runs the same
lines here. Therefore it must not import from `models` or `configs`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from configs.arrays import Floats

Spec = Mapping[str, Any]

MODEL_FILE = "model.json"
LARGEST_Z = 4.0
_ROWS_IN_CACHE = 4_096
SURE_LOGIT = 14.0


def read_folder(folder: str | Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Read `model.json` and the boosters that it names.

    Parameters
    ----------
    folder
        Where the files are.

    Returns
    -------
    spec, boosters
        The JSON document, and one LightGBM model text for each name in `spec["boosters"]`.
    """
    place = Path(folder)
    spec = json.loads((place / MODEL_FILE).read_text(encoding="utf-8"))
    return spec, tuple((place / name).read_text(encoding="utf-8") for name in spec["boosters"])


def input_names(columns: Sequence[Spec]) -> list[str]:
    """Name the encoded inputs: a number keeps its name, a text gets one `name=level` for each known level.

    Examples
    --------
    >>> input_names([{"name": "age", "kind": "number"}, {"name": "plan", "kind": "text", "levels": ["a", "b"]}])
    ['age', 'plan=a', 'plan=b']
    """
    return [
        name
        for column in columns
        for name in (
            [column["name"]]
            if column["kind"] == "number"
            else [f"{column['name']}={level}" for level in column["levels"]]
        )
    ]


def encode(columns: Sequence[Spec], frame: pd.DataFrame, order: Literal["C", "F"] = "C") -> Floats:
    """Turn matrix columns into numbers.

    Parameters
    ----------
    columns
        `{"name", "kind": "number"}` or `{"name", "kind": "text", "levels"}`.
    frame
        Holds these columns in any order. One that is absent counts as unknown in every row.
    order
        Whether the numbers of a row (C) or those of a column (F) stand side by side in memory.

    Returns
    -------
    ndarray of shape (rows, inputs)
        NaN is unknown. An unknown or rare level is 0 in all inputs of its text.

    Examples
    --------
    >>> encode([{"name": "plan", "kind": "text", "levels": ["a"]}], pd.DataFrame({"plan": ["a", "z", None]}))
    array([[1.],
           [0.],
           [0.]])
    """
    found = np.empty((len(frame), len(input_names(columns))), order=order)
    place = 0
    for column in columns:
        if column["kind"] == "number":
            part = _numbers(frame, column["name"])[:, None]
        else:
            part = _levels(frame, column["name"], column["levels"])
        found[:, place : place + part.shape[1]] = part
        place += part.shape[1]
    return found


def _numbers(frame: pd.DataFrame, name: str) -> Floats:
    if name not in frame.columns:
        return np.full(len(frame), np.nan)
    column = frame[name]
    if not pd.api.types.is_numeric_dtype(column):
        # Today's export may hold one word among the numbers.
        column = pd.to_numeric(column.astype("object"), errors="coerce")
    values: Floats = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(values), values, np.nan)


def _levels(frame: pd.DataFrame, name: str, levels: Sequence[str]) -> Floats:
    out = np.zeros((len(frame), len(levels)))
    if name in frame.columns and levels:
        column = frame[name]
        if pd.api.types.is_numeric_dtype(column):
            # Today's export may hold numbers only.
            column = column.map(lambda value: f"{value:g}")
        code = pd.Index(levels, dtype="object").get_indexer(column.astype("object"))
        known = code >= 0
        out[np.flatnonzero(known), code[known]] = 1.0
    return out


def squash(values: Floats) -> Floats:
    """Signed log1p: counts, sums and days on one footing.

    Examples
    --------
    >>> squash(np.array([0.0, np.e - 1, 1 - np.e]))
    array([ 0.,  1., -1.])
    """
    return np.asarray(np.sign(values) * np.log1p(np.abs(values)))


def linear_terms(member: Spec, X: Floats) -> Floats:
    """Return what each input adds to the score of a linear member, shape (rows, inputs)."""
    missing = np.isnan(X)
    z = (squash(np.where(missing, np.asarray(member["fill"]), X)) - member["mean"]) / member["scale"]
    z = np.clip(z, -LARGEST_Z, LARGEST_Z)
    return np.asarray(
        z * member["slope"] + z * z * member["square"] + missing * np.asarray(member["missing"])
    )


def bgnbd_log_odds(member: Spec, X: Floats) -> Floats:
    """Log-odds of no purchase in the horizon by BG/NBD; X holds purchases, tenure and recency in days.

    P(no purchase) = 1 - P(alive) (1 - ((alpha + T) / (alpha + T + horizon))^(r + x)), by Fader, Hardie and Lee 2005
    (P(alive): Fader, Hardie and Lee 2008). The member's rate parameters are in `unit` days.
    """
    r, alpha, a, b = (member[k] for k in ("r", "alpha", "a", "b"))
    filled = np.where(np.isnan(X), np.asarray(member["fill"]), X)
    x = np.maximum(filled[:, 0] - 1, 0)
    T = np.maximum(filled[:, 1], 0) / member["unit"]
    t_x = np.where(x > 0, np.maximum(T - np.maximum(filled[:, 2], 0) / member["unit"], 0), 0)
    left = np.where(x > 0, a / (b + np.maximum(x, 1) - 1) * ((alpha + T) / (alpha + t_x)) ** (r + x), 0)
    silent = ((alpha + T) / (alpha + T + member["horizon"] / member["unit"])) ** (r + x)
    buys = (1 - silent) / (1 + left)
    return np.asarray(np.clip(np.log1p(-buys + 1e-12) - np.log(buys + 1e-12), -SURE_LOGIT, SURE_LOGIT))


def step_values(member: Spec, values: Floats) -> Floats:
    """Look up the value of a step function: `values[i]` between `edges[i-1]` and `edges[i]`."""
    steps = np.asarray(member["values"], dtype=np.float64)
    at = steps[np.searchsorted(np.asarray(member["edges"], dtype=np.float64), values, side="right")]
    return np.where(np.isnan(values), member["missing"], at)


def member_score(member: Spec, boosters: Sequence[Any], X: Floats, threads: int = 1) -> Floats:
    """Score every row in log-odds by one member.

    Parameters
    ----------
    member
        `kind` is one of constant, linear, steps, bgnbd, boosted; `inputs` are positions in `X`.
    boosters
        Of the whole model, LightGBM's or what predicts as they do; a boosted member names its own by position, and may
        name a member as the `start` that its trees correct.
    X
        Encoded inputs, shape (rows, inputs).

    Examples
    --------
    >>> member_score({"kind": "constant", "value": -1.5}, [], np.zeros((2, 3)))
    array([-1.5, -1.5])
    """
    kind = member["kind"]
    if kind == "constant":
        return np.full(len(X), float(member["value"]))
    if kind == "boosted":
        used = [boosters[i] for i in member["boosters"]]
        scores = [b.predict(X, raw_score=True, num_threads=threads) for b in used]
        start = member_score(member["start"], boosters, X) if "start" in member else 0.0
        return np.asarray(np.mean(scores, axis=0) + start)
    if kind == "linear":
        # So few rows at a time that what is made of them stays in the processor's cache.
        blocks = [X[i : i + _ROWS_IN_CACHE] for i in range(0, max(len(X), 1), _ROWS_IN_CACHE)]
        parts = (np.ascontiguousarray(block)[:, member["inputs"]] for block in blocks)
        sums = [linear_terms(member, part).sum(axis=1) for part in parts]
        return np.asarray(member["intercept"] + np.concatenate(sums))
    part = X[:, member["inputs"]]
    if kind == "bgnbd":
        return bgnbd_log_odds(member, part)
    return step_values(member, part[:, 0])


def calibrate(calibrator: Spec, z: Floats) -> Floats:
    """Correct log-odds by a function that never falls.

    Parameters
    ----------
    calibrator
        `{"kind": "none"}`, `{"kind": "linear", "slope", "intercept"}` (shift, temperature, Platt), or
        `{"kind": "beta", "a", "b", "c"}` (Kull, Silva Filho and Flach 2017).

    Examples
    --------
    >>> calibrate({"kind": "linear", "slope": 0.5, "intercept": 1.0}, np.array([-2.0, 2.0]))
    array([0., 2.])
    """
    if calibrator["kind"] == "linear":
        return np.asarray(calibrator["slope"] * z + calibrator["intercept"])
    if calibrator["kind"] == "beta":
        return np.asarray(
            -calibrator["a"] * np.logaddexp(0, -z) + calibrator["b"] * np.logaddexp(0, z) + calibrator["c"]
        )
    return z


def log_odds(
    spec: Spec,
    boosters: Sequence[Any],
    frame: pd.DataFrame,
    calibrated: bool = True,
    threads: int = 1,
) -> Floats:
    """Blend the members on every row of a frame; shape (rows,)."""
    # Members look at a column at a time.
    X = encode(spec["columns"], frame, "F")
    z = np.zeros(len(X))
    for member in spec["members"]:
        z = z + member["weight"] * member_score(member, boosters, X, threads)
    return calibrate(spec["calibrator"], z) if calibrated else z


def probability(spec: Spec, boosters: Sequence[Any], frame: pd.DataFrame, threads: int = 1) -> Floats:
    """Churn probability of every row of a frame; shape (rows,), between 0 and 1 exclusive."""
    z = log_odds(spec, boosters, frame, threads=threads)
    return np.asarray(1 / (1 + np.exp(-np.clip(z, -SURE_LOGIT, SURE_LOGIT))))
