"""What keeping each customer is worth, from sums over all of them: for customers who are not in one place.

The same figures as of `models.statistics.credibility.expected_margin`, in three steps: `parts` of each customer,
wherever the customer is; sums of these over the segments; and from the sums what `Portfolio` needs to value anybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.outreach.valuation import history

Floats = NDArray[np.float64]
PARTS = ("own_", "weight_", "squares_", "freedom_")


def parts(customers: pd.DataFrame, days: int) -> dict[str, Floats]:
    """Of each customer: daily spend, days of exposure, squares of the deviations between windows, their freedom."""
    spend, exposure = history(customers, days)
    weight = exposure.sum(axis=1)
    own = _ratio(np.where(exposure > 0, spend, 0.0).sum(axis=1), weight)
    squares = (exposure * (_ratio(spend, exposure) - own[:, None]) ** 2).sum(axis=1)
    freedom = np.maximum((exposure > 0).sum(axis=1) - 1, 0).astype(np.float64)
    return dict(zip(PARTS, (own, weight, squares, freedom), strict=True))


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.zeros_like(above, dtype=np.float64), where=below > 0)


@dataclass(frozen=True)
class Portfolio:
    """The variances of all customers together.

    Parameters
    ----------
    within, between
        Of a customer's daily spend between windows, and of the customers' true daily spend.
    half
        Days after which the own history counts half; infinite where the noise explains everything.
    """

    within: float
    between: float
    half: float

    @classmethod
    def of(cls, sums: pd.DataFrame) -> Portfolio:
        """From sums by segment.

        Parameters
        ----------
        sums
            A row a segment: `squares`, `freedom`, `weight`, `weight_2` (of squares), `own` and `own_2` (weighted sums
            of the daily spend and of its square), `exposed` (customers with any weight).
        """
        freedom = float(sums["freedom"].sum())
        within = float(sums["squares"].sum()) / freedom if freedom else 0.0
        weight, own = (sums[name].to_numpy(np.float64) for name in ("weight", "own"))
        mean = means(own, weight)
        deviation = (sums["own_2"].to_numpy(np.float64) - 2 * mean * own + mean**2 * weight).sum()
        surplus = deviation - np.maximum(sums["exposed"].to_numpy(np.float64) - 1, 0).sum() * within
        scale = weight.sum() - _ratio(sums["weight_2"].to_numpy(np.float64), weight).sum()
        between = float(max(surplus / scale, 0.0)) if scale > 0 else 0.0
        return cls(within, between, within / between if between > 0 else float("inf"))

    def credibility(self, weight: Any) -> Any:
        """How much the own history of so many days counts, 0..1; of numbers or of a cluster's column."""
        if not np.isfinite(self.half):
            return weight * 0.0
        # Without a variance within, any history is believed; without a history, none.
        return weight / (weight + max(self.half, 1e-300))

    def parameters(self, segments: int, credibility: float) -> Mapping[str, float | str]:
        """To be logged."""
        return {
            "method": "credibility",
            "segments": float(segments),
            "variance_within": self.within,
            "variance_between": self.between,
            "days_to_half_credibility": self.half,
            "mean_credibility": credibility,
        }


def means(own: Floats, weight: Floats) -> Floats:
    """Mean of each segment from its weighted sum; that of all where a segment has no weight.

    Examples
    --------
    >>> means(np.array([6.0, 0.0]), np.array([2.0, 0.0])).tolist()
    [3.0, 3.0]
    """
    everyone = float(own.sum() / weight.sum()) if weight.sum() > 0 else 0.0
    return np.where(weight > 0, _ratio(own, weight), everyone)
