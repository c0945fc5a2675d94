"""Intervals of shares and of their differences, sound also for few rows and for shares near 0 or 1."""

from __future__ import annotations

import math

from scipy.special import ndtri

LEVEL = 0.95


def wilson(hits: float, n: float, level: float = LEVEL) -> tuple[float, float]:
    """Score interval of a share (Wilson 1927); (0, 1) without rows.

    Examples
    --------
    >>> [round(x, 4) for x in wilson(15, 148)]
    [0.0624, 0.1605]
    """
    if n <= 0:
        return 0.0, 1.0
    z = float(ndtri((1 + level) / 2))
    p = hits / n
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = ((middle + sign * half) / (1 + z * z / n) for sign in (-1, 1))
    return max(low, 0.0), min(high, 1.0)


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
    (low, high), (low_0, high_0) = wilson(hits, n, level), wilson(hits_0, n_0, level)
    below, above = math.hypot(p - low, high_0 - q), math.hypot(high - p, q - low_0)
    return max(p - q - below, -1.0), min(p - q + above, 1.0)
