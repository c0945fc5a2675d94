"""How good the top of a ranking is, which is all that a list sees: lift, calibration and value captured there."""

from __future__ import annotations

import numpy as np

from configs.arrays import Floats

FIGURES = ("lift", "gap", "value")
TENTH = 0.1


def in_top(p: Floats, share: float, weights: Floats) -> Floats:
    """How much of each row stands in the top `share`, for many weightings at once; a tie at the edge counts in part.

    Parameters
    ----------
    p
        Probabilities, shape (rows,).
    share
        0..1.
    weights
        Shape (draws, rows).

    Returns
    -------
    ndarray of shape (draws, rows)
        Between 0 and the weight.

    Examples
    --------
    >>> in_top(np.array([0.2, 0.9, 0.5, 0.5]), 0.5, np.ones((1, 4)))
    array([[0. , 1. , 0.5, 0.5]])
    """
    _, tie = np.unique(-p, return_inverse=True)
    order = np.argsort(tie, kind="stable")
    starts = np.flatnonzero(np.diff(tie[order], prepend=-1))
    mass = np.add.reduceat(weights[:, order], starts, axis=1)
    room = share * mass.sum(1, keepdims=True) - (np.cumsum(mass, axis=1) - mass)
    taken = np.clip(room, 0, mass) / np.maximum(mass, 1e-300)
    return np.asarray(weights * taken[:, tie])


def top_figures(
    y: Floats, p: Floats, share: float, weights: Floats, value: Floats | None = None
) -> dict[str, Floats]:
    """Figures of the top `share`, for many weightings at once; each has shape (draws,).

    Parameters
    ----------
    y, p
        Labels (0/1) and probabilities, shape (rows,).
    share
        0..1.
    weights
        Shape (draws, rows).
    value
        What each customer is worth, shape (rows,); None where all are worth the same.

    Returns
    -------
    dict
        lift: times as many churners as among all; gap: mean probability less the churn rate there; value: share of
        the value of all churners that stands there. NaN without churners.

    Examples
    --------
    >>> y, p = np.array([1.0, 0.0, 1.0, 0.0]), np.array([0.9, 0.3, 0.2, 0.1])
    >>> found = top_figures(y, p, 0.25, np.ones((1, 4)), np.array([30.0, 1.0, 10.0, 1.0]))
    >>> [round(float(found[name][0]), 2) for name in FIGURES]
    [2.0, -0.1, 0.75]
    """
    top = in_top(p, share, weights)
    held = top.sum(1)
    worth = y if value is None else y * value
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "lift": (top @ y / held) / (weights @ y / weights.sum(1)),
            "gap": top @ (p - y) / held,
            "value": top @ worth / (weights @ worth),
        }


def overlap_of_top(one: Floats, other: Floats, size: int) -> float:
    """Share of the `size` highest of one ranking that are among the `size` highest of another, shape (rows,) each.

    Examples
    --------
    >>> overlap_of_top(np.array([0.1, 0.9, 0.5]), np.array([0.2, 0.8, 0.1]), 2)
    0.5
    """
    size = min(size, len(one))
    if size == 0:
        return 1.0
    tops = [set(np.argsort(-p, kind="stable")[:size].tolist()) for p in (one, other)]
    return len(tops[0] & tops[1]) / size


def rank_correlation(one: Floats, other: Floats) -> float:
    """Spearman's correlation; 1 where a ranking has no order.

    Examples
    --------
    >>> round(rank_correlation(np.array([0.1, 0.2, 0.3]), np.array([0.3, 0.2, 0.1])), 6)
    -1.0
    """
    from scipy.stats import rankdata

    ranks = [rankdata(p) for p in (one, other)]
    if min(float(np.ptp(r)) for r in ranks) == 0:
        return 1.0
    return float(np.corrcoef(*ranks)[0, 1])
