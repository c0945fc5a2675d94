"""What a customer who stays is expected to bring: the own history, shrunk to the segment by its credibility.

Three steps, so that the customers need not be in one place: `history_parts` of each customer, sums of these over the
segments, and from the sums a `Portfolio`, which values anybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from configs.arrays import Floats, Ints

PARTS = ("own_", "weight_", "squares_", "freedom_")


@dataclass(frozen=True)
class Worth:
    """Expected margin.

    Parameters
    ----------
    amount
        Shape (n,), in the money of the sources; never negative.
    parameters
        How it was computed, to be logged.
    """

    amount: Floats
    parameters: Mapping[str, float | str]


def history_parts(spend: Floats, exposure: Floats) -> dict[str, Floats]:
    """Of each customer: daily spend, days of exposure, squares of the deviations between windows, their freedom.

    More given back than spent in all windows together counts as nothing spent: nobody will bring a negative amount.

    Parameters
    ----------
    spend, exposure
        Shape (n, windows), as in `expected_margin`.

    Examples
    --------
    >>> parts = history_parts(np.array([[90.0, -30.0], [10.0, -50.0]]), np.full((2, 2), 10.0))
    >>> parts["own_"].tolist(), parts["squares_"].tolist()
    ([3.0, 0.0], [720.0, 180.0])
    """
    weight = exposure.sum(axis=1)
    own = _ratio(np.where(exposure > 0, spend, 0.0).sum(axis=1), weight)
    squares = (exposure * (_ratio(spend, exposure) - own[:, None]) ** 2).sum(axis=1)
    freedom = np.maximum((exposure > 0).sum(axis=1) - 1, 0).astype(np.float64)
    return dict(zip(PARTS, (np.maximum(own, 0.0), weight, squares, freedom), strict=True))


@dataclass(frozen=True)
class Portfolio:
    """The variances of all customers together.

    Parameters
    ----------
    within, between
        Of a customer's daily spend between windows, for one day of exposure; and of the customers' true daily spend
        inside the segments, 0 when the noise explains all of it.
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


def expected_margin(
    spend: Floats,
    exposure: Floats,
    *,
    days: float,
    margin: float,
    segment: Ints | None = None,
    kept: Floats | None = None,
    shrink: bool = True,
) -> Worth:
    """Expected margin of the coming days, if the customer stays.

    The daily spend is the customer's own, drawn to the mean of the segment the more, the shorter the history and
    the more it varies from window to window: Z = w / (w + s^2/a) with the exposure w, the variance within customers
    s^2 and the variance between them a (Buehlmann and Straub 1970, Glaubwuerdigkeit fuer Schadensaetze).

    Parameters
    ----------
    spend
        Shape (n, windows): net spend in each of some windows of the past that do not overlap; negative where more
        was given back than bought.
    exposure
        Shape (n, windows): days of each window in which the customer was one; 0 where none.
    days
        The value of so many days to come.
    margin
        Share of the spend that is earned.
    segment
        Shape (n,): number of each customer's segment; one segment when None.
    kept
        Shape (n,): share of the own purchases that was not given back; the mean of the segment counts in this share
        only, so that whoever gives everything back is worth nothing. 1 when None.
    shrink
        False: the own mean alone; a customer without exposure is then worth nothing.

    Examples
    --------
    The second customer came ten days ago and has bought once:

    >>> spend = np.array([[900.0, 950.0], [200.0, 0.0], [300.0, 420.0], [100.0, 150.0]])
    >>> exposure = np.array([[90.0, 90.0], [10.0, 0.0], [90.0, 90.0], [90.0, 90.0]])
    >>> expected_margin(spend, exposure, days=30, margin=1).amount.round().tolist()
    [308.0, 558.0, 121.0, 43.0]
    >>> expected_margin(spend, exposure, days=30, margin=1, shrink=False).amount.round().tolist()
    [308.0, 600.0, 120.0, 42.0]
    """
    own, weight, squares, freedom = history_parts(spend, exposure).values()
    said: dict[str, float | str] = {"days": days, "margin": margin}
    if not shrink or len(own) == 0:
        return Worth(own * days * margin, {**said, "method": "own"})
    number = np.zeros(len(own), np.int64) if segment is None else segment

    def by_segment(values: Floats) -> Floats:
        return np.bincount(number, values).astype(np.float64)

    each = {
        "squares": squares,
        "freedom": freedom,
        "weight": weight,
        "weight_2": weight**2,
        "own": weight * own,
        "own_2": weight * own**2,
        "exposed": (weight > 0).astype(np.float64),
    }
    portfolio = Portfolio.of(pd.DataFrame({name: by_segment(values) for name, values in each.items()}))
    credibility = np.asarray(portfolio.credibility(weight), np.float64)
    trust = credibility if credibility.any() else weight
    middle = means(by_segment(trust * own), by_segment(trust))[number]
    rate = credibility * own + (1 - credibility) * middle * (1.0 if kept is None else kept)
    told = portfolio.parameters(int(number.max()) + 1, float(credibility.mean()))
    return Worth(rate * days * margin, {**said, **told})


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.zeros_like(above, dtype=np.float64), where=below > 0)
