"""Intervals that stay valid however often one looks: confidence sequences for the mean of a running experiment.

For a sum `S` with variance `V`, `exp(l S - l^2 V / 2)` is a martingale that starts at 1. A fixed mixture of it over
several `l` of both signs is one too, and by Ville's inequality it ever reaches `1 / alpha` with a chance of at most
`alpha` (Robbins 1970, "Statistical methods related to the law of the iterated logarithm"; for estimated variances
Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2024, "Time-uniform central limit theory"). All sums that stay below
form the interval. The mixture is narrowest at the number of rows that a year is expected to bring.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtri

from configs.arrays import Floats
from models.statistics.intervals import LEVEL

# Signals for which the mixture is made, as multiples of the one that is narrowest at the target, and their weights.
SIGNALS = np.array([4.0, 2.0, 1.0, 0.5, 0.25])
WEIGHTS = np.array([0.08, 0.12, 0.6, 0.12, 0.08])
# Before so many rows the normal approximation of a sum is not to be trusted, and nothing is claimed; that is of rows
# that are listed or left alone with the same chance, and of others it takes more.
MIN_ROWS = 50


@dataclass(frozen=True)
class Bounds:
    """An estimate with the interval that survives looking every night, and the one for a single look.

    Parameters
    ----------
    rows
        Rows that were randomised.
    estimate
        Mean effect; NaN without rows.
    low, high
        Confidence sequence: with 95 % chance it holds the truth at all looks together.
    fixed_low, fixed_high
        Normal interval for somebody who looks once.
    """

    rows: int
    estimate: float
    low: float
    high: float
    fixed_low: float
    fixed_high: float

    @property
    def helps(self) -> bool:
        """Whether the effect is proven to be above zero."""
        return self.low > 0

    @property
    def harms(self) -> bool:
        """Whether the effect is proven to be below zero."""
        return self.high < 0


NOTHING = Bounds(0, math.nan, -1.0, 1.0, -1.0, 1.0)


def half_width(share: float, level: float = LEVEL) -> float:
    """Half the width of the sequence for a sum with variance `share`, in standard errors of that sum.

    Parameters
    ----------
    share
        Information so far as a multiple of that of the target, above 0.

    Examples
    --------
    At the target it is 1.47 times as wide as the interval for a single look:

    >>> round(half_width(1.0) / 1.96, 2)
    1.47
    >>> half_width(0.1) > half_width(1.0)
    True
    """
    alpha = 1 - level
    signals = SIGNALS * math.sqrt(2 * math.log(2 / alpha))
    logs = np.log(WEIGHTS) - signals**2 * share / 2 - math.log(2)

    def above(z: float) -> float:
        x = z * math.sqrt(share) * signals
        return float(np.logaddexp.reduce(logs + np.logaddexp(x, -x)) + math.log(alpha))

    return float(brentq(above, 0.0, 100.0))


def bounds(
    scores: Floats, information: float, unit: NDArray[np.int64], target_rows: float, variance: float = 0.0
) -> Bounds:
    """Bounds of a mean effect from the scores of randomised rows.

    The effect of rows with residual outcome r, treated (w = 1) with the known chance e, is estimated by
    `sum (w - e) r / sum e (1 - e)`: rows count by how much their draw tells.

    Parameters
    ----------
    scores
        `(w - e) r` of each row; shape (rows,).
    information
        `sum e (1 - e)` over the rows.
    unit
        Number of the customer; shape (rows,). Rows of one customer may move together.
    target_rows
        Rows at which the sequence shall be narrowest; must not depend on the outcomes.
    variance
        At least so much is that of the sum of the scores, `sum e (1 - e) r^2`: where one arm has few rows, theirs may
        happen to be all alike.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> w, y = rng.integers(0, 2, 4000), rng.random(4000)
    >>> found = bounds((w - 0.5) * (y + 0.2 * w - 0.6), 1000.0, np.arange(4000), 4000)
    >>> found.helps, bool(found.low < 0.2 < found.high), found.low < found.fixed_low
    (True, True, True)
    """
    n = len(scores)
    if n < 2 or information <= 0:
        return NOTHING
    estimate = float(scores.sum()) / information
    # Under no effect scores have mean 0; what the effect itself adds is taken out of the spread.
    each = np.bincount(unit, scores)
    counts = np.bincount(unit)
    centred = each - scores.mean() * counts
    error = math.sqrt(max(float(centred @ centred), variance, 1e-12)) / information
    once = float(ndtri((1 + LEVEL) / 2)) * error
    if 4 * information < MIN_ROWS:
        return Bounds(n, estimate, -1.0, 1.0, estimate - once, estimate + once)
    half = half_width(n / max(target_rows, MIN_ROWS)) * error
    return Bounds(n, estimate, estimate - half, estimate + half, estimate - once, estimate + once)
