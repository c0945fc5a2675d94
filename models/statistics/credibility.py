"""What a customer who stays is expected to bring: the own history, shrunk to the segment by its credibility."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Worth:
    """Expected margin.

    Parameters
    ----------
    amount
        Shape (n,), in the money of the sources.
    parameters
        How it was computed, to be logged.
    """

    amount: Floats
    parameters: Mapping[str, float | str]


def expected_margin(
    spend: Floats,
    exposure: Floats,
    *,
    days: float,
    margin: float,
    segment: Ints | None = None,
    shrink: bool = True,
) -> Worth:
    """Expected margin of the coming days, if the customer stays.

    The daily spend is the customer's own, drawn to the mean of the segment the more, the shorter the history and
    the more it varies from window to window: Z = w / (w + s^2/a) with the exposure w, the variance within customers
    s^2 and the variance between them a (Buehlmann and Straub 1970, Glaubwuerdigkeit fuer Schadensaetze).

    Parameters
    ----------
    spend
        Shape (n, windows): spend in each of some windows of the past that do not overlap.
    exposure
        Shape (n, windows): days of each window in which the customer was one; 0 where none.
    days
        The value of so many days to come.
    margin
        Share of the spend that is earned.
    segment
        Shape (n,): number of each customer's segment; one segment when None.
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
    weight = exposure.sum(axis=1)
    own = _ratio(np.where(exposure > 0, spend, 0.0).sum(axis=1), weight)
    said: dict[str, float | str] = {"days": days, "margin": margin}
    if not shrink or len(own) == 0:
        return Worth(own * days * margin, {**said, "method": "own"})
    number = np.zeros(len(own), np.int64) if segment is None else segment
    within = _within(spend, exposure, own)
    between = _between(own, weight, number, within)
    half = within / between if between > 0 else np.inf
    credibility = _ratio(weight, weight + half) if np.isfinite(half) else np.zeros(len(own))
    trust = credibility if credibility.any() else weight
    rate = credibility * own + (1 - credibility) * _means(own, trust, number)[number]
    return Worth(
        rate * days * margin,
        {
            **said,
            "method": "credibility",
            "segments": float(number.max() + 1),
            "variance_within": within,
            "variance_between": between,
            "days_to_half_credibility": half,
            "mean_credibility": float(credibility.mean()),
        },
    )


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.zeros_like(above, dtype=np.float64), where=below > 0)


def _sums(segment: Ints, amount: NDArray[Any]) -> Floats:
    return np.asarray(np.bincount(segment, amount), np.float64)


def _within(spend: Floats, exposure: Floats, own: Floats) -> float:
    """Variance of a customer's daily spend between windows, for one day of exposure."""
    squares = (exposure * (_ratio(spend, exposure) - own[:, None]) ** 2).sum()
    freedom = np.maximum((exposure > 0).sum(axis=1) - 1, 0).sum()
    return float(squares / freedom) if freedom else 0.0


def _between(own: Floats, weight: Floats, segment: Ints, within: float) -> float:
    """Variance of the customers' true daily spend inside the segments; 0 when the noise explains all of it."""
    total = _sums(segment, weight)
    deviation = own - _means(own, weight, segment)[segment]
    customers = _sums(segment, weight > 0)
    surplus = (weight * deviation**2).sum() - np.maximum(customers - 1, 0).sum() * within
    scale = total.sum() - _ratio(_sums(segment, weight**2), total).sum()
    return float(max(surplus / scale, 0.0)) if scale > 0 else 0.0


def _means(own: Floats, weight: Floats, segment: Ints) -> Floats:
    """Weighted mean of each segment; that of all where a segment has no weight."""
    total = _sums(segment, weight)
    everyone = float((own * weight).sum() / weight.sum()) if weight.sum() > 0 else 0.0
    return np.where(total > 0, _ratio(_sums(segment, own * weight), total), everyone)
