"""Intervals of shares and of their differences, sound also for few rows and for shares near 0 or 1."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from configs.arrays import Floats

LEVEL = 0.95
Z_95 = 1.959963984540054


def wilson(hits: ArrayLike, n: ArrayLike, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Score intervals of shares (Wilson 1927); NaN without rows.

    SciPy has it for one share of whole numbers; here rows may be many shares and, weighted, no whole numbers.

    Examples
    --------
    >>> low, high = wilson([15, 31, 0], [148, 44, 0])
    >>> low.round(4).tolist(), high.round(4).tolist()
    ([0.0624, 0.5578, nan], [0.1605, 0.8184, nan])
    """
    z = float(ndtri((1 + level) / 2))
    k, n = np.asarray(hits, np.float64), np.asarray(n, np.float64)
    n = np.where(n > 0, n, np.nan)
    share = k / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)


def newcombe(hits: float, n: float, hits_0: float, n_0: float, level: float = LEVEL) -> tuple[float, float]:
    """Hybrid score interval of a difference of two shares (Newcombe 1998, method 10).

    Examples
    --------
    >>> [round(x, 4) for x in newcombe(56, 70, 48, 80)]
    [0.0524, 0.3339]
    """
    if min(n, n_0) <= 0:
        return -1.0, 1.0
    p, q = hits / n, hits_0 / n_0
    (low, low_0), (high, high_0) = (x.tolist() for x in wilson([hits, hits_0], [n, n_0], level))
    below, above = math.hypot(p - low, high_0 - q), math.hypot(high - p, q - low_0)
    return max(p - q - below, -1.0), min(p - q + above, 1.0)
