"""What to expect of a customer by now: from the chance of leaving within the horizon to a part of it.

With a constant rate of the deciding event - an ending, or a purchase - over the horizon, a part `s` of it leaves a
contract with `(1 - p)^s` kept, and shows a purchase with `1 - p^s`.
"""

from __future__ import annotations

import numpy as np

from configs.arrays import Floats

_EDGE = 0.02
STEPS = 12
STRENGTH = np.array([1.0, 4.0, 1.0])


def kept_by(probability: Floats, share: Floats, *, contractual: bool) -> Floats:
    """Chance to be kept after a share of the horizon.

    Examples
    --------
    >>> kept_by(np.array([0.36, 0.36]), np.array([0.5, 1.0]), contractual=True).round(2)
    array([0.8 , 0.64])
    >>> kept_by(np.array([0.36, 0.36]), np.array([0.5, 1.0]), contractual=False).round(2)
    array([0.4 , 0.64])
    """
    p = np.clip(probability, _EDGE, 1 - _EDGE)
    return np.asarray((1 - p) ** share if contractual else 1 - p**share)


def shown_by(probability: Floats, share: Floats, *, contractual: bool) -> Floats:
    """Part of an effect on the chance of leaving that shows after a share of the horizon, 0..1.

    The derivative of `kept_by` by the probability.

    Examples
    --------
    >>> shown_by(np.array([0.36, 0.36]), np.array([0.5, 1.0]), contractual=True).round(2)
    array([0.62, 1.  ])
    """
    p = np.clip(probability, _EDGE, 1 - _EDGE)
    base = 1 - p if contractual else p
    return np.minimum(share * base ** (share - 1), 1.0)


def recalibrated(expected: Floats, share: Floats, kept: Floats) -> Floats:
    """The expected chances, moved to what came of all rows together, whoever was contacted.

    Logistic regression on log odds and age, with a normal prior that leaves them as they are (MAP by Newton's method).

    Parameters
    ----------
    expected, share, kept
        Of `kept_by`; the share of the horizon that has passed; 1 kept, 0 lost. Shape (rows,) each.

    Examples
    --------
    >>> y = np.r_[np.ones(900), np.zeros(100)]
    >>> bool(abs(recalibrated(np.full(1000, 0.5), np.ones(1000), y).mean() - 0.9) < 0.01)
    True
    """
    odds = np.log(expected / (1 - expected))
    D = np.column_stack([np.ones(len(odds)), odds, 1 - share])
    first = np.array([0.0, 1.0, 0.0])
    c = first.copy()
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-np.clip(D @ c, -30, 30)))
        H = (D * (p * (1 - p))[:, None]).T @ D + np.diag(STRENGTH)
        c = c + np.linalg.solve(H, D.T @ (kept - p) - STRENGTH * (c - first))
    return np.asarray(np.clip(1 / (1 + np.exp(-np.clip(D @ c, -30, 30))), _EDGE, 1 - _EDGE))
