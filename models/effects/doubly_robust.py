"""What contacts brought that chance gave or withheld, for any part of them: the doubly robust estimate."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from configs.arrays import Floats
from models.effects.sequence import MIN_ROWS
from models.statistics.intervals import LEVEL


@dataclass(frozen=True)
class Brought:
    """Mean of what a contact brought.

    Parameters
    ----------
    rows, customers
        Randomised rows that the estimate rests on, and the customers they are of.
    mean, low, high
        With the 95 % interval for somebody who looks once; all NaN where there are too few rows to say.
    """

    rows: int
    customers: int
    mean: float = math.nan
    low: float = math.nan
    high: float = math.nan

    @property
    def said(self) -> bool:
        """Whether there are rows enough to say anything."""
        return not math.isnan(self.mean)


def brought(
    treated: Floats,
    propensity: Floats,
    residual: Floats,
    effect: Floats,
    value: Floats,
    cost: Floats,
    unit: NDArray[np.int64],
) -> Brought:
    """Value kept by a contact less its cost, over randomised rows.

    Of each row the predicted effect is corrected by how far its outcome was from what the prediction says (Robins,
    Rotnitzky and Zhao 1994). The chances of a contact are known, so the mean is right even where the predictions are
    not. Rows count by `e (1 - e)`: a row that was nearly sure to be contacted tells little (Li, Morgan and Zaslavsky
    2018, "Balancing covariates via propensity score weighting").

    Parameters
    ----------
    treated, propensity
        Whether each row was contacted, and the chance of that, between 0 and 1 exclusive; shape (rows,).
    residual
        Outcome (1 kept) less what was expected whatever chance decides.
    effect
        Predicted rise of the chance to be kept, by a model that has not seen the row.
    value, cost
        What keeping the customer is worth, and what the contact costs.
    unit
        Number of the customer: rows of one may move together.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> w, n = rng.integers(0, 2, 4000) * 1.0, np.ones(4000)
    >>> kept = (rng.random(4000) < 0.5 + 0.2 * w) * 1.0
    >>> found = brought(w, n / 2, kept - 0.6, 0 * n, 100 * n, 5 * n, np.arange(4000))
    >>> found.rows, found.low < 15 < found.high
    (4000, True)
    """
    rows, customers = len(treated), len(np.unique(unit))
    off = treated - propensity
    if min(rows, customers) < MIN_ROWS or not 0 < treated.sum() < rows:
        return Brought(rows, customers)
    weight = propensity * (1 - propensity)
    prevented = effect + off / weight * (residual - off * effect)
    each = prevented * value - cost
    mean = float(weight @ each / weight.sum())
    by_customer = np.bincount(np.unique(unit, return_inverse=True)[1], weight * (each - mean))
    half = float(ndtri((1 + LEVEL) / 2)) * math.sqrt(float(by_customer @ by_customer)) / float(weight.sum())
    return Brought(rows, customers, mean, mean - half, mean + half)
