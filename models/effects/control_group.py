"""What contacts have changed: differences between those on the list and their control group, never without an interval.

A group is compared as it was drawn, whether or not the contact took place (intention to treat).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import betaln, ndtri, xlog1py, xlogy

from configs.arrays import Bools, Floats, Ints
from models.statistics.intervals import LEVEL, newcombe, wilson

POWER = 0.8
GRID = 400
TINY = 1e-12


@dataclass(frozen=True)
class Effect:
    """Those on the list against their control group.

    Parameters
    ----------
    listed, control
        Rows of each.
    rate, rate_control
        Share kept, or mean value kept, of each; NaN without rows.
    effect, low, high
        Difference with its 95 % interval.
    """

    listed: int
    control: int
    rate: float
    rate_control: float
    effect: float
    low: float
    high: float

    @property
    def total(self) -> tuple[float, float, float]:
        """Effect on all who were listed, with its interval: customers, or value, kept by the list."""
        return self.effect * self.listed, self.low * self.listed, self.high * self.listed


def _weights(listed: Bools, propensity: Floats) -> Floats:
    return np.asarray(1 / np.where(listed, propensity, 1 - propensity))


def kept_effect(kept: Floats, listed: Bools, propensity: Floats, customer: Ints) -> Effect:
    """Difference of the shares kept, weighted by the inverse of the chance of the group that each row got.

    Newcombe's interval on the effective numbers of rows (Kish 1965); rows of one customer count as one.

    Parameters
    ----------
    kept
        1 kept, 0 lost; shape (rows,).
    listed
        On the list, or in the control group; shape (rows,).
    propensity
        Chance of being on the list of those who would be there without a control group; shape (rows,).
    customer
        Number of the customer; shape (rows,).

    Examples
    --------
    >>> kept, listed = np.r_[np.ones(56), np.zeros(14), np.ones(48), np.zeros(32)], np.arange(150) < 70
    >>> e = kept_effect(kept, listed, np.full(150, 0.5), np.arange(150))
    >>> round(e.effect, 3), round(e.low, 4), round(e.high, 4)
    (0.2, 0.0524, 0.3339)
    """
    w = _weights(listed, propensity)
    parts = []
    for at in (listed, ~listed):
        mass = w[at].sum()
        share = float(w[at] @ kept[at] / mass) if mass else math.nan
        each = np.bincount(customer[at], w[at]) if at.any() else np.zeros(1)
        parts.append((share, float(mass * mass / max(float(each @ each), TINY))))
    (p, n), (q, n_0) = parts
    if min(n, n_0) <= 0:
        low, high = -1.0, 1.0
    else:
        low, high = newcombe(p * n, n, q * n_0, n_0)
    return Effect(int(listed.sum()), int((~listed).sum()), p, q, p - q, low, high)


def value_effect(
    value: Floats, kept: Floats, listed: Bools, propensity: Floats, customer: Ints, level: float = LEVEL
) -> Effect:
    """Difference of the mean value kept, with a normal interval that is robust to customers who come again.

    Examples
    --------
    >>> listed = np.arange(400) % 2 == 0
    >>> e = value_effect(np.full(400, 10.0), (np.arange(400) % 4 < 2) * 1.0, listed, np.full(400, 0.5), np.arange(400))
    >>> e.effect, e.low < 0 < e.high
    (0.0, True)
    """
    w, y = _weights(listed, propensity), value * kept
    means, variance = [], 0.0
    for at in (listed, ~listed):
        mass = float(w[at].sum())
        mean = float(w[at] @ y[at] / mass) if mass else math.nan
        means.append(mean)
        rest = np.bincount(customer[at], w[at] * (y[at] - mean)) if mass else np.full(1, math.inf)
        n = max(int((np.bincount(customer[at]) > 0).sum()), 1) if mass else 1
        variance += float(rest @ rest) / max(mass * mass, TINY) * n / max(n - 1, 1) if mass else math.inf
    half = float(ndtri((1 + level) / 2)) * math.sqrt(variance)
    effect = means[0] - means[1]
    return Effect(
        int(listed.sum()), int((~listed).sum()), means[0], means[1], effect, effect - half, effect + half
    )


def smallest_effect(rate: float, listed: float, control: float, power: float = POWER) -> float:
    """Difference of shares that would be seen (its 95 % interval without 0) with this power.

    Examples
    --------
    >>> round(smallest_effect(0.5, 393, 393), 3)
    0.1
    """
    if min(listed, control) <= 0:
        return math.inf
    z = float(ndtri((1 + LEVEL) / 2) + ndtri(power))
    return z * math.sqrt(max(rate * (1 - rate), TINY) * (1 / listed + 1 / control))


def rows_needed(rate: float, effect: float, control_share: float, power: float = POWER) -> int:
    """Rows, list and control group together, until a difference of shares would be seen.

    Examples
    --------
    >>> rows_needed(0.5, 0.1, 0.5)
    785
    """
    z = float(ndtri((1 + LEVEL) / 2) + ndtri(power))
    return math.ceil(z * z * rate * (1 - rate) / (effect * effect * control_share * (1 - control_share)))


@dataclass(frozen=True)
class MeasuredSaveRate:
    """Share of those who would have left whom an action keeps, as a beta distribution.

    Parameters
    ----------
    saved, lost
        Parameters of the beta distribution.
    prior_weight
        How much of the knowledge is the playbook's belief and not measurement; 1 without results.
    """

    saved: float
    lost: float
    prior_weight: float = 1.0

    @property
    def mean(self) -> float:
        """Expected save rate."""
        return self.saved / (self.saved + self.lost)


def save_rate(
    prior: MeasuredSaveRate, kept: float, listed: float, kept_0: float, control: float
) -> MeasuredSaveRate:
    """Update a save rate by those on the list against their control group.

    Those on the list leave with (1 - save rate) x the chance of the control group, about which nothing is assumed
    (Jeffreys' prior). The posterior is computed on a grid and kept as the beta distribution of equal mean and variance.
    Rates below 0 do not exist here: an action that drives customers away comes out near 0, and then costs more
    than it gains.

    Parameters
    ----------
    prior
        The playbook's belief.
    kept, listed
        Kept and all on the list.
    kept_0, control
        The same of the control group.

    Examples
    --------
    >>> prior = MeasuredSaveRate(2, 18)
    >>> found = save_rate(prior, kept=850, listed=1000, kept_0=700, control=1000)
    >>> round(found.mean, 2), found.prior_weight < 0.2
    (0.43, True)
    >>> save_rate(prior, 0, 0, 0, 0).mean == prior.mean
    True
    """
    if min(listed, control) <= 0:
        return MeasuredSaveRate(prior.saved, prior.lost)
    edges = (0.0, 1.0)
    for _ in range(3):
        s = edges[0] + (np.arange(GRID) + 0.5) / GRID * (edges[1] - edges[0])
        p = np.exp(_log_posterior(s, prior, kept, listed, kept_0, control))
        p /= p.sum()
        mean = float(p @ s)
        spread = math.sqrt(max(float(p @ (s - mean) ** 2), TINY))
        edges = (max(0.0, mean - 8 * spread), min(1.0, mean + 8 * spread))
    mass = max(mean * (1 - mean) / (spread * spread) - 1, TINY)
    weight = min(1.0, (prior.saved + prior.lost) / mass)
    return MeasuredSaveRate(mean * mass, (1 - mean) * mass, weight)


def _log_posterior(
    s: Floats, prior: MeasuredSaveRate, kept: float, listed: float, kept_0: float, control: float
) -> Floats:
    """Log posterior of save rates, the control group's chance of leaving summed out; shape (grid,)."""
    left, left_0 = listed - kept, control - kept_0
    low, high = wilson(left_0, control, level=1 - 1e-9)
    c = (low + (np.arange(GRID) + 0.5) / GRID * (high - low))[None, :]
    stays = 1 - c * (1 - s[:, None])
    both = xlogy(left, c * (1 - s[:, None])) + xlogy(kept, stays)
    both = both + xlogy(left_0 - 0.5, c) + xlog1py(kept_0 - 0.5, -c)
    top = both.max(axis=1, keepdims=True)
    summed = top[:, 0] + np.log(np.exp(both - top).sum(axis=1))
    belief = xlogy(prior.saved - 1, s) + xlog1py(prior.lost - 1, -s) - betaln(prior.saved, prior.lost)
    total = summed + belief
    return np.asarray(total - total.max())


def reached(who: Ints, start: Ints, days: int, contacted: Ints, contacted_on: Ints) -> Bools:
    """Say of each row whether one of the contacts fell into its `[start, start + days)`.

    Parameters
    ----------
    who, start
        Number of the customer and first day of each row; shape (rows,).
    days
        Length of the window.
    contacted, contacted_on
        Number of the customer and day of each contact, in any order; shape (contacts,).

    Examples
    --------
    >>> reached(np.array([0, 0, 1]), np.array([10, 11, 10]), 5, np.array([0]), np.array([10]))
    array([ True, False, False])
    """
    if not len(contacted) or not len(who):
        return np.zeros(len(who), dtype=bool)
    first = int(min(start.min(), contacted_on.min()))
    span = int(max(start.max(), contacted_on.max())) - first + days + 1
    keys = np.sort(contacted.astype(np.int64) * span + (contacted_on - first))
    at = who.astype(np.int64) * span + (start - first)
    return np.asarray(np.searchsorted(keys, at + days) > np.searchsorted(keys, at))
