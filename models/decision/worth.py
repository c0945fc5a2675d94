"""What an expected amount counts in a decision."""

from __future__ import annotations

import numpy as np

from configs.arrays import Floats


def typical_amount(amount: Floats) -> float:
    """Median of the positive amounts; 1 when there are none.

    Examples
    --------
    >>> typical_amount(np.array([0.0, 10.0, 30.0, 5000.0]))
    30.0
    """
    positive = amount[amount > 0]
    return float(np.median(positive)) if len(positive) else 1.0


def concave(amount: Floats, typical: float) -> Floats:
    """Amounts with the large ones drawn in: nearly in proportion below the typical one, hardly rising far above it.

    `typical x log2(1 + amount / typical)`: the typical amount stays, twice of it counts 1.6 times, a thousand times
    of it ten times. Whoever brings a thousand times as much may well not next year, and a single guess must not
    decide about a whole list.

    Parameters
    ----------
    amount
        Shape (n,), not negative.
    typical
        Above 0.

    Examples
    --------
    >>> concave(np.array([0.0, 25.0, 50.0, 100.0, 50_000.0]), typical=50.0).round().tolist()
    [0.0, 29.0, 50.0, 79.0, 498.0]
    """
    return np.asarray(typical * np.log1p(amount / typical) / np.log(2.0))
