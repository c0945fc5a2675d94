"""What to expect of a customer by now: from the chance of leaving within the horizon to a part of it.

With a constant rate of the deciding event - an ending, or a purchase - over the horizon, a part `s` of it leaves a
contract with `(1 - p)^s` kept, and shows a purchase with `1 - p^s`.

Without a contract most of those whom a contact holds back, or drives away, buy once more within the horizon: its
outcome shows little of what a contact does. What a customer's silence by now says shows more, and with less chance in
it, the longer ago the list is: `alive`, `expected_alive` and `shown_in_silence`.
"""

from __future__ import annotations

import numpy as np

from configs.arrays import Floats

_EDGE = 0.02
STEPS = 12
STRENGTH = np.array([1.0, 4.0, 1.0])
# How often a horizon customers are thought to leave in silence. What is expected is learned from the rows, so the value
# matters little: it says when a silence begins to speak.
LEAVES = 0.1
# Of the regression for what is expected: rows that its first guess, no change, weighs as much as.
_ROWS = np.array([1.0, 4.0, 4.0, 4.0, 4.0, 4.0])


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


def alive(probability: Floats, there: Floats, silence: Floats) -> Floats:
    """Chance that a customer is still there after a silence, by the own rate of buying.

    `1 / (1 + l / (b + l) (exp((b + l) t) - 1))` with `b` purchases and `l` departures a horizon (Schmittlein, Morrison
    and Colombo 1987, "Counting your customers", equation 11, for known rates). The rate of buying is that by which
    nobody who is there would buy within the horizon with the chance that the list had stated.

    Parameters
    ----------
    probability, there
        When the list was made: chance of no purchase within the horizon, and of not having left. Shape (rows,).
    silence
        Horizons since the last purchase; shape (rows,).

    Examples
    --------
    >>> alive(np.array([0.1, 0.1, 0.7]), np.ones(3), np.array([0.2, 2.0, 2.0])).round(2)
    array([0.97, 0.17, 0.75])
    """
    stays_away = (probability - (1 - there)) / np.maximum(there, _EDGE)
    buys = -np.log(np.clip(stays_away, _EDGE, 1 - _EDGE))
    both = buys + LEAVES
    return np.asarray(1 / (1 + LEAVES / both * np.expm1(np.minimum(both * silence, 50.0))))


def shown_in_silence(probability: Floats, share: Floats) -> Floats:
    """Part of an effect on who leaves that `alive` shows after so many horizons, 0..1.

    Who leaves because of a contact, or stays, does so about a horizon after it, and it shows once a purchase is
    overdue: the distribution of the sum of two exponential times, with rates of 1 and of `-log(p)` a horizon.

    Examples
    --------
    >>> shown_in_silence(np.array([0.15, 0.15, 0.15]), np.array([0.5, 1.0, 3.0])).round(2)
    array([0.15, 0.39, 0.9 ])
    """
    buys = -np.log(np.clip(probability, _EDGE, 1 - _EDGE))
    buys = np.where(
        np.abs(buys - 1) < 1e-3, 1.001, buys
    )  # the formula divides by the difference of the rates
    return np.asarray(1 - (buys * np.exp(-share) - np.exp(-buys * share)) / (buys - 1))


def expected_alive(later: Floats, there: Floats, probability: Floats, share: Floats) -> tuple[Floats, Floats]:
    """What `alive` is expected to be by now of each row, whoever was contacted, and its variance.

    Ridge regression on the rows themselves, by what was known when the list was made and by the time since. The
    variance goes with `m (1 - m)`, scaled to what was found.

    Parameters
    ----------
    later
        Of `alive`; shape (rows,).
    there, probability
        As for `alive`.
    share
        Horizons since the list.

    Returns
    -------
    tuple
        Expectation in (0, 1), and variance above 0; shape (rows,) each.

    Examples
    --------
    >>> there, later = np.full(500, 0.9), np.r_[np.full(400, 0.95), np.full(100, 0.2)]
    >>> mean, variance = expected_alive(later, there, np.full(500, 0.3), np.ones(500))
    >>> mean[0].round(2), variance[0].round(2)
    (np.float64(0.8), np.float64(0.09))
    """
    D = np.column_stack([np.ones(len(there)), there, probability, share, share * there, share * probability])
    change = np.linalg.solve(D.T @ D + np.diag(_ROWS), D.T @ (later - there))
    mean = np.clip(there + D @ change, _EDGE, 1 - _EDGE)
    spread = mean * (1 - mean)
    # As if five rows more had been found to scatter as much as a yes or no does.
    scale = (float(((later - mean) ** 2).sum()) + 5 * spread.mean()) / (
        float(spread.sum()) + 5 * spread.mean()
    )
    return mean, spread * scale
