"""The simple members of the blend, which are also the baselines: what a person would try first.

Each fit returns a member: a JSON document that `models.prediction.scoring` reads. The columns that a rule needs are
looked up by name in the matrix; a rule whose columns are missing is left out. The first name that exists is taken:

- recency: `recency_days` (purchases), else `usage_recency_days`, else `contact_recency_days`
- RFM: that recency, every `purchase_count_{w}d`, `spend_sum_{w}d`, `usage_count_{w}d`, and the tenure
- BG/NBD: `purchase_count_ever`, `purchase_tenure_days`, `recency_days`
- hazard by tenure: `tenure_days`, else `purchase_tenure_days`
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from configs.arrays import Floats
from models.prediction import bgnbd
from models.prediction.ridge import ridge_regressions
from models.prediction.scoring import LARGEST_Z, squash, step_values

Member = dict[str, Any]

RECENCY = ("recency_days", "usage_recency_days", "contact_recency_days")
TENURE = ("tenure_days", "purchase_tenure_days")
PURCHASES = ("purchase_count_ever", "purchase_count")
PURCHASE_TENURE = ("purchase_tenure_days", "tenure_days")
RFM = re.compile(r"(purchase_count|spend_sum|usage_count)_\d+d")
UNIT_DAYS = 7.0
BGNBD_ROWS = 6_000
HAZARD_STEPS = 20
PRIOR_ROWS = 20.0


def _first(names: Sequence[str], wanted: Sequence[str]) -> list[int]:
    return next(([names.index(name)] for name in wanted if name in names), [])


def recency_inputs(names: Sequence[str]) -> list[int]:
    """Position of the column that says how long the customer has been silent; empty when there is none.

    Examples
    --------
    >>> recency_inputs(["plan=a", "usage_recency_days"])
    [1]
    """
    return _first(names, RECENCY)


def rfm_inputs(names: Sequence[str]) -> list[int]:
    """Positions of recency, counts, sums and tenure.

    Examples
    --------
    >>> rfm_inputs(["recency_days", "spend_max", "spend_sum_30d", "tenure_days"])
    [0, 2, 3]
    """
    windows = [i for i, name in enumerate(names) if RFM.fullmatch(name)]
    return sorted({*recency_inputs(names), *windows, *_first(names, TENURE)}) if windows else []


def base_rate(y: Floats, weight: Floats | None = None) -> Member:
    """Everybody gets the churn rate of the training rows (one row of each class added)."""
    w = np.ones(len(y)) if weight is None else weight
    rate = ((w * y).sum() + 1) / (w.sum() + 2)
    return {"kind": "constant", "inputs": [], "value": float(np.log(rate / (1 - rate)))}


def logistic(
    X: Floats,
    y: Floats,
    inputs: Sequence[int],
    strength: float,
    squares: bool,
    weight: Floats | None = None,
) -> Member | None:
    """Ridge logistic regression by `logistics` at a single strength; None without inputs."""
    found = logistics(X, y, inputs, [strength], squares, weight)
    return found[0] if found else None


def logistics(
    X: Floats,
    y: Floats,
    inputs: Sequence[int],
    strengths: Sequence[float],
    squares: bool,
    weight: Floats | None = None,
) -> list[Member]:
    """Ridge logistic regressions on signed logs, standardised and clipped, with flags for unknown values.

    Parameters
    ----------
    X, y
        Encoded inputs of shape (rows, inputs) and labels.
    inputs
        Positions to use.
    strengths
        Weights of the ridge penalty, one a regression; about the number of rows that it is worth.
    squares
        Whether squared terms are added, so that a middle value may stand out.
    weight
        For how many rows each stands; None where each stands for itself.

    Returns
    -------
    list of dict
        One for each strength, each begun where the one before has ended; empty without inputs.
    """
    if not inputs:
        return []
    said: dict[str, list[float]] = {"fill": [], "mean": [], "scale": []}
    z, missing = [], []
    for column in np.asfortranarray(X[:, list(inputs)]).T:
        unknown = np.isnan(column)
        fill = 0.0 if unknown.all() else float(np.median(column[~unknown]))
        values = squash(np.where(unknown, fill, column))
        mean, scale = float(values.mean()), float(values.std())
        scale = scale if scale > 1e-9 else 1.0
        z.append(np.clip((values - mean) / scale, -LARGEST_Z, LARGEST_Z))
        missing.append(unknown.astype(np.float64))
        for name, value in zip(said, (fill, mean, scale), strict=True):
            said[name].append(value)
    flagged = [i for i, flag in enumerate(missing) if flag.mean() > 0.001]
    curved = [i for i, c in enumerate(z) if squares and len(np.unique(c[:1_000])) > 2]
    design = np.array([*z, *(z[i] ** 2 for i in curved), *(missing[i] for i in flagged)]).T
    always: Member = {"kind": "linear", "inputs": list(inputs)} | said
    # The mean of `linear_terms` over these rows.
    means = [np.array([c.mean() for c in part]) for part in (z, [c**2 for c in z], missing)]
    members = []
    for found in ridge_regressions(design, y, strengths, weight):
        slope, curve, of_flag, (intercept,) = np.split(found, np.cumsum([len(z), len(curved), len(flagged)]))
        square, flag = np.zeros(len(z)), np.zeros(len(z))
        square[curved], flag[flagged] = curve, of_flag
        centre = means[0] * slope + means[1] * square + means[2] * flag
        terms = {"slope": slope, "square": square, "missing": flag, "centre": centre}
        members.append(
            always | {"intercept": float(intercept)} | {name: term.tolist() for name, term in terms.items()}
        )
    return members


def recency_rule(X: Floats, y: Floats, names: Sequence[str], weight: Floats | None = None) -> Member | None:
    """The longer silent, the likelier gone: a logistic curve on recency alone."""
    return logistic(X, y, recency_inputs(names), 1.0, squares=False, weight=weight)


def rfm(X: Floats, y: Floats, names: Sequence[str], weight: Floats | None = None) -> Member | None:
    """Logistic regression on recency, frequency and monetary value."""
    return logistic(X, y, rfm_inputs(names), 10.0, squares=False, weight=weight)


def bgnbd_member(X: Floats, names: Sequence[str], horizon_days: int, seed: int) -> Member | None:
    """BG/NBD on purchase count, tenure and recency; it sees no labels. None without these columns."""
    inputs = [*_first(names, PURCHASES), *_first(names, PURCHASE_TENURE), *_first(names, RECENCY[:1])]
    if len(inputs) < 3:
        return None
    part = X[:, inputs]
    known = part[~np.isnan(part).any(1)]
    if not len(known):
        return None
    if len(known) > BGNBD_ROWS:
        known = known[np.random.default_rng(seed).choice(len(known), BGNBD_ROWS, replace=False)]
    x = np.maximum(known[:, 0] - 1, 0)
    T = known[:, 1] / UNIT_DAYS
    t_x = np.where(x > 0, np.maximum(T - known[:, 2] / UNIT_DAYS, 0), 0)
    fitted = bgnbd.fit_bgnbd(x, t_x, T)
    shape = {"r": fitted.r, "alpha": fitted.alpha, "a": fitted.a, "b": fitted.b}
    middle = np.median(known, axis=0).tolist()
    return {
        "kind": "bgnbd",
        "inputs": inputs,
        **shape,
        "unit": UNIT_DAYS,
        "horizon": horizon_days,
        "fill": middle,
    }


def hazard(X: Floats, y: Floats, names: Sequence[str], weight: Floats | None = None) -> Member | None:
    """Discrete-time hazard: the churn rate by tenure, in steps of equal mass, pulled towards the overall rate."""
    inputs = _first(names, TENURE)
    if not inputs:
        return None
    tenure = X[:, inputs[0]]
    known = ~np.isnan(tenure)
    if not known.any():
        return None
    quantiles = np.quantile(tenure[known], np.linspace(0, 1, HAZARD_STEPS + 1)[1:-1])
    edges = np.unique(quantiles)
    at = np.searchsorted(edges, tenure[known], side="right")
    w = np.ones(len(y)) if weight is None else weight
    rows = np.bincount(at, weights=w[known], minlength=len(edges) + 1)
    ones = np.bincount(at, weights=(w * y)[known], minlength=len(edges) + 1)
    overall = ((w * y).sum() + 1) / (w.sum() + 2)
    rate = (ones + PRIOR_ROWS * overall) / (rows + PRIOR_ROWS)
    unknown = ((w * y)[~known].sum() + PRIOR_ROWS * overall) / (w[~known].sum() + PRIOR_ROWS)
    member: Member = {
        "kind": "steps",
        "inputs": inputs,
        "edges": edges.tolist(),
        "values": np.log(rate / (1 - rate)).tolist(),
        "missing": float(np.log(unknown / (1 - unknown))),
    }
    return member | {"centre": float(step_values(member, tenure).mean())}
