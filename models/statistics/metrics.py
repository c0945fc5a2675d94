"""How good probabilities are: ranking, calibration and money, with intervals.

Every metric takes `y` (0/1), `p` (probability, or any score for the ranking metrics) and optional row weights; the
bootstrap draws whole customers by giving their rows new weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import isotonic_regression
from scipy.special import betainc

from configs.arrays import Floats

Metric = Callable[[Floats, Floats, Floats | None], float]

SMALLEST = float(np.finfo(np.float64).eps)
ECE_BINS = 15


def _weights(y: Floats, weight: Floats | None) -> Floats:
    return np.ones(len(y)) if weight is None else weight


def auc(y: Floats, p: Floats, weight: Floats | None = None) -> float:
    """Area under the ROC curve: chance that a churned row stands above a kept one, ties half.

    Returns NaN when there is only one class.

    Examples
    --------
    >>> auc(np.array([0, 0, 1, 1.0]), np.array([0.1, 0.4, 0.4, 0.8]))
    0.875
    """
    return float(auc_many(y, p, _weights(y, weight)[None, :])[0])


def auc_many(y: Floats, p: Floats, weights: Floats) -> Floats:
    """AUC for many weightings at once; `weights` has shape (draws, rows)."""
    order = np.argsort(p, kind="stable")
    ordered = p[order]
    starts = (
        np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(p) else np.zeros(0, dtype=np.int64)
    )
    w = weights[:, order]
    ones = np.add.reduceat(w * y[order], starts, axis=1)
    zeros = np.add.reduceat(w * (1 - y[order]), starts, axis=1)
    below = np.cumsum(zeros, axis=1) - zeros
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((ones * (below + zeros / 2)).sum(1) / (ones.sum(1) * zeros.sum(1)))


def average_precision(y: Floats, p: Floats, weight: Floats | None = None) -> float:
    """Mean precision over the churned rows from the top of the ranking down; NaN without any.

    Examples
    --------
    >>> round(average_precision(np.array([0, 0, 1, 1.0]), np.array([0.1, 0.4, 0.35, 0.8])), 4)
    0.8333
    """
    from sklearn.metrics import average_precision_score

    if not (y * _weights(y, weight)).any():
        return float("nan")
    return float(average_precision_score(y, p, sample_weight=weight))


def row_log_loss(y: Floats, p: Floats) -> Floats:
    """Log loss of each row in nats, shape (rows,): what `log_loss` is the mean of."""
    q = np.clip(p, SMALLEST, 1 - SMALLEST)
    return np.asarray(-(y * np.log(q) + (1 - y) * np.log1p(-q)))


def log_loss(y: Floats, p: Floats, weight: Floats | None = None) -> float:
    """Mean log loss in nats.

    Examples
    --------
    >>> round(log_loss(np.array([1.0, 0.0]), np.array([0.5, 0.5])), 4)
    0.6931
    """
    from sklearn.metrics import log_loss as mean_log_loss

    return float(mean_log_loss(y, p, sample_weight=weight, labels=[0, 1]))


def brier(y: Floats, p: Floats, weight: Floats | None = None) -> float:
    """Mean squared error of the probability.

    Examples
    --------
    >>> brier(np.array([1.0, 0.0]), np.array([0.5, 0.5]))
    0.25
    """
    from sklearn.metrics import brier_score_loss

    return float(brier_score_loss(y, p, sample_weight=weight))


def calibration_bins(y: Floats, p: Floats, weight: Floats | None = None, bins: int = ECE_BINS) -> Floats:
    """Mean prediction, observed rate and mass of bins of equal mass; shape (bins that have rows, 3)."""
    w = _weights(y, weight)
    order = np.argsort(p, kind="stable")
    share = (np.cumsum(w[order]) - w[order] / 2) / w.sum()
    at = np.minimum((share * bins).astype(np.int64), bins - 1)
    mass, said, seen = (
        np.bincount(at, weights=v, minlength=bins) for v in (w[order], (w * p)[order], (w * y)[order])
    )
    full = mass > 0
    return np.column_stack([said[full] / mass[full], seen[full] / mass[full], mass[full] / w.sum()])


def ece(y: Floats, p: Floats, weight: Floats | None = None) -> float:
    """Expected calibration error over 15 bins of equal mass.

    Examples
    --------
    >>> ece(np.array([1.0, 0.0]), np.array([0.75, 0.25]))
    0.25
    """
    table = calibration_bins(y, p, weight)
    return float(np.sum(table[:, 2] * np.abs(table[:, 0] - table[:, 1])))


def recall_at(y: Floats, p: Floats, share: float, weight: Floats | None = None) -> float:
    """Share of the churned rows that stand in the top `share` of the ranking; a tie at the edge counts in part.

    Examples
    --------
    >>> recall_at(np.array([1.0, 1.0, 0.0, 0.0]), np.array([0.9, 0.2, 0.8, 0.1]), 0.5)
    0.5
    """
    w = _weights(y, weight)
    order = np.argsort(-p, kind="stable")
    last = np.r_[np.flatnonzero(np.diff(p[order])), len(p) - 1]
    hits = np.r_[0.0, np.cumsum((w * y)[order])[last]]
    seen = np.r_[0.0, np.cumsum(w[order])[last]]
    return float(np.interp(share * seen[-1], seen, hits) / hits[-1]) if hits[-1] > 0 else float("nan")


def lift_at(y: Floats, p: Floats, share: float, weight: Floats | None = None) -> float:
    """How many times more churners than by chance stand in the top `share`.

    Examples
    --------
    >>> lift_at(np.array([1.0, 0.0, 0.0, 0.0]), np.array([0.9, 0.2, 0.3, 0.1]), 0.25)
    4.0
    """
    return recall_at(y, p, share, weight) / share


@dataclass(frozen=True)
class CampaignEconomics:
    """What a contact costs and a kept customer is worth; defaults as in Verbraken, Verbeke and Baesens (2013).

    Parameters
    ----------
    value
        Lifetime value of a customer.
    offer
        Cost of the offer when it is taken.
    contact
        Cost of one contact.
    alpha, beta
        Beta distribution of the share of would-be churners who accept and stay.
    """

    value: float = 200.0
    offer: float = 10.0
    contact: float = 1.0
    alpha: float = 6.0
    beta: float = 14.0


def empc(y: Floats, p: Floats, weight: Floats | None = None, money: CampaignEconomics | None = None) -> float:
    """Expected maximum profit per customer of a campaign with the best cut for every acceptance rate.

    Verbraken, Verbeke and Baesens 2013, "A novel profit maximizing metric for measuring classification performance
    of customer churn prediction models": the integral over the Beta density, in closed form over the ROC hull.

    Examples
    --------
    >>> empc(np.array([1.0, 0.0]), np.array([0.9, 0.1])) > empc(np.array([1.0, 0.0]), np.array([0.1, 0.9]))
    True
    """
    m = money or CampaignEconomics()
    w = _weights(y, weight)
    kept_seen, churn_seen = _roc_hull(y, p, w)
    pi1 = float((w * y).sum() / w.sum())
    pi0 = 1 - pi1
    delta, phi = m.offer / m.value, m.contact / m.value
    d_churn, d_kept = np.diff(churn_seen), np.diff(kept_seen)
    with np.errstate(divide="ignore", invalid="ignore"):
        cut = ((delta + phi) * pi0 * d_kept + phi * pi1 * d_churn) / (pi1 * (1 - delta) * d_churn)
    cut = np.clip(np.nan_to_num(cut, nan=1.0, posinf=1.0), 0, 1)
    edges = np.r_[0.0, np.maximum.accumulate(cut), 1.0]
    mass = np.diff(betainc(m.alpha, m.beta, edges))
    mean = m.alpha / (m.alpha + m.beta) * np.diff(betainc(m.alpha + 1, m.beta, edges))
    gain = m.value * (1 - delta) * pi1 * churn_seen * mean
    cost = m.value * (phi * pi1 * churn_seen + (delta + phi) * pi0 * kept_seen) * mass
    return float(np.sum(gain - cost))


def _roc_hull(y: Floats, p: Floats, w: Floats) -> tuple[Floats, Floats]:
    """Upper hull of the ROC curve: share of the kept and of the churned that are contacted, from (0, 0) to (1, 1)."""
    order = np.argsort(-p[w > 0], kind="stable")
    ranked, mass = p[w > 0][order], w[w > 0][order]
    churned = mass * y[w > 0][order]
    first = np.flatnonzero(np.diff(ranked, prepend=np.inf))
    mass, churned = np.add.reduceat(mass, first), np.add.reduceat(churned, first)
    # Pieces of the hull are the blocks in which rates that rise along the ranking are pooled (Fawcett and
    # Niculescu-Mizil 2007).
    corner = isotonic_regression(churned / mass, weights=mass, increasing=False).blocks
    churn, kept = (np.r_[0.0, np.cumsum(part)][corner] for part in (churned, mass - churned))
    return kept / max(kept[-1], SMALLEST), churn / max(churn[-1], SMALLEST)


def profit_at(
    y: Floats, p: Floats, share: float, weight: Floats | None = None, money: CampaignEconomics | None = None
) -> float:
    """Expected profit per contacted customer when the top `share` is contacted.

    Examples
    --------
    >>> profit_at(np.array([1.0, 0.0]), np.array([0.9, 0.1]), 0.5)
    56.0
    """
    m = money or CampaignEconomics()
    base = float(np.average(y, weights=_weights(y, weight)))
    churners = recall_at(y, p, share, weight) * base / share
    accept = m.alpha / (m.alpha + m.beta)
    return churners * (accept * (m.value - m.offer) - m.contact) - (1 - churners) * (m.offer + m.contact)
