"""What a customer who stays is expected to bring: the own history, shrunk to the segment by its credibility.

Three steps, so that the customers need not be in one place: `history_parts` of each customer, a `Portfolio` over
batches of these, and its `rate`, which values anybody, as numbers or as columns of a table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from configs.arrays import Floats, Ints

PARTS = ("own_", "weight_", "squares_", "freedom_")

# The segment's number of each customer of a batch, and its `history_parts`.
Batch = tuple[Ints, Mapping[str, Floats]]


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
    """The variances of all customers together, and the mean of each segment.

    Parameters
    ----------
    within, between
        Of a customer's daily spend between windows, for one day of exposure; and of the customers' true daily spend
        inside the segments, 0 when the noise explains all of it.
    half
        Days after which the own history counts half; infinite where the noise explains everything.
    middle
        Shape (segments,): daily spend to which the own one is drawn.
    mean_credibility
        How much the own history counts, on average.
    """

    within: float
    between: float
    half: float
    middle: Floats
    mean_credibility: float

    @classmethod
    def of(cls, batches: Callable[[], Iterable[Batch]], segments: int) -> Portfolio:
        """From all customers, whom it walks through twice; batches of any size give the same bits.

        Examples
        --------
        >>> parts = history_parts(np.array([[90.0, 110.0], [10.0, 20.0]]), np.full((2, 2), 10.0))
        >>> Portfolio.of(lambda: [(np.array([0, 0]), parts)], 1).middle.round(6).tolist()
        [5.75]
        """
        sums = _added(((number, _moments(*parts.values())) for number, parts in batches()), segments)
        within, between = _variances(sums)
        half = within / between if between > 0 else float("inf")
        trust = _added(
            ((n, {"trust": w, "trusted": w * o}) for n, o, w in _trusted(batches(), half)), segments
        )
        total = float(trust["trust"].sum())
        above, below = (trust["trusted"], trust["trust"]) if total > 0 else (sums["own"], sums["weight"])
        customers = float(sums["customers"].sum())
        return cls(within, between, half, means(above, below), total / max(customers, 1.0))

    def rate(self, own: Any, weight: Any, middle: Any, kept: Any) -> Any:
        """Daily spend to come, of numbers or of columns of a table.

        Parameters
        ----------
        own, weight
            Of `history_parts`.
        middle
            The mean of the customer's segment.
        kept
            Share of the purchases that was not given back.
        """
        trust = _credibility(weight, self.half)
        return trust * own + (1 - trust) * middle * kept

    @property
    def parameters(self) -> Mapping[str, float | str]:
        """To be logged."""
        return {
            "method": "credibility",
            "segments": float(len(self.middle)),
            "variance_within": self.within,
            "variance_between": self.between,
            "days_to_half_credibility": self.half,
            "mean_credibility": self.mean_credibility,
        }


def _credibility(weight: Any, half: float) -> Any:
    """How much the own history of so many days counts, 0..1."""
    if not np.isfinite(half):
        return weight * 0.0
    # Without a variance within, any history is believed; without a history, none.
    return weight / (weight + max(half, 1e-300))


def _trusted(batches: Iterable[Batch], half: float) -> Iterable[tuple[Ints, Floats, Floats]]:
    """Segment, daily spend and credibility of each customer."""
    for number, parts in batches:
        yield number, parts["own_"], _credibility(parts["weight_"], half)


def _moments(own: Floats, weight: Floats, squares: Floats, freedom: Floats) -> dict[str, Floats]:
    return {
        "squares": squares,
        "freedom": freedom,
        "weight": weight,
        "weight_2": weight**2,
        "own": weight * own,
        "own_2": weight * own**2,
        "exposed": (weight > 0).astype(np.float64),
        "customers": np.ones(len(own)),
    }


def _added(batches: Iterable[tuple[Ints, Mapping[str, Floats]]], segments: int) -> Mapping[str, Floats]:
    """Sums by segment, added customer by customer."""
    found: dict[str, Floats] = {}
    for number, columns in batches:
        for name, values in columns.items():
            np.add.at(found.setdefault(name, np.zeros(segments)), number, values)
    return found


def _variances(sums: Mapping[str, Floats]) -> tuple[float, float]:
    """Within customers, and between the customers of a segment."""
    freedom, weight, own = float(sums["freedom"].sum()), sums["weight"], sums["own"]
    within = float(sums["squares"].sum()) / freedom if freedom else 0.0
    mean = means(own, weight)
    deviation = (sums["own_2"] - 2 * mean * own + mean**2 * weight).sum()
    surplus = deviation - np.maximum(sums["exposed"] - 1, 0).sum() * within
    scale = weight.sum() - _ratio(sums["weight_2"], weight).sum()
    return within, float(max(surplus / scale, 0.0)) if scale > 0 else 0.0


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
    parts = history_parts(spend, exposure)
    own, said = parts["own_"], {"days": days, "margin": margin}
    if not shrink or len(own) == 0:
        return Worth(own * days * margin, {**said, "method": "own"})
    number = np.zeros(len(own), np.int64) if segment is None else segment
    portfolio = Portfolio.of(lambda: [(number, parts)], int(number.max()) + 1)
    rate = portfolio.rate(own, parts["weight_"], portfolio.middle[number], 1.0 if kept is None else kept)
    return Worth(rate * days * margin, {**said, **portfolio.parameters})


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.zeros_like(above, dtype=np.float64), where=below > 0)
