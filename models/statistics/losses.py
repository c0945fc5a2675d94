"""How many of some customers are lost, when each is by a chance of its own: expectation and interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from configs.errors import DataError

EXACT_UP_TO = 2_000


@dataclass(frozen=True)
class Losses:
    """How many of some customers are lost: a sum of independent draws with different probabilities.

    Parameters
    ----------
    customers
        How many there are.
    expected, variance
        Sums of p and of p (1 - p).
    each
        Shape (customers,): p of each; None where there are too many to be brought here.
    """

    customers: int
    expected: float
    variance: float
    each: npt.NDArray[np.float64] | None = None

    @classmethod
    def of(cls, probabilities: npt.ArrayLike) -> Losses:
        """Of the probability of each customer.

        Raises
        ------
        DataError
            Without customers, or when a probability is not in 0..1.

        Examples
        --------
        >>> Losses.of([0.5, 1.0]).expected
        1.5
        """
        p = np.asarray(probabilities, float)
        if p.size == 0 or not np.all((p >= 0) & (p <= 1)):
            wrong = int(np.sum(~((p >= 0) & (p <= 1))))
            raise DataError(
                f"{p.size} customers, {wrong} without a probability in 0..1: no rate can be forecast"
            )
        return cls(p.size, float(p.sum()), float((p * (1 - p)).sum()), p)

    @classmethod
    def together(cls, parts: Sequence[Losses]) -> Losses:
        """Of the customers of all parts.

        Examples
        --------
        >>> Losses.together([Losses.of([0.5, 1.0]), Losses.of([0.25])]).each.tolist()
        [0.5, 1.0, 0.25]
        """
        customers = sum(part.customers for part in parts)
        known = [part.each for part in parts if part.each is not None]
        few = customers <= EXACT_UP_TO and len(known) == len(parts)
        return cls(
            customers,
            sum(part.expected for part in parts),
            sum(part.variance for part in parts),
            np.concatenate(known) if few else None,
        )

    def interval(self, level: float = 0.95, error: float = 0.0) -> tuple[float, float]:
        """The fewest and the most who are lost, with so much confidence.

        The number lost is Poisson-binomial. The interval is exact for up to 2,000 customers and normal above, where
        both agree. It holds chance alone; `error`, a standard error of the mean probability, widens it.

        Examples
        --------
        >>> Losses.of([0.1, 0.2, 0.3, 0.4]).interval()
        (0.0, 3.0)
        """
        if self.each is not None and self.customers <= EXACT_UP_TO and error == 0:
            reached = np.cumsum(poisson_binomial(self.each))
            tails = ((1 - level) / 2, (1 + level) / 2)
            fewest, most = (float(np.searchsorted(reached, tail - 1e-12)) for tail in tails)
            return fewest, most
        spread = (self.variance + (error * self.customers) ** 2) ** 0.5
        half = float(stats.norm.ppf((1 + level) / 2)) * spread
        return max(self.expected - half, 0.0), min(self.expected + half, float(self.customers))


def poisson_binomial(p: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Chances of 0, 1, ..., n hits in n independent draws with different probabilities.

    SciPy's distribution computes the same, but its quantiles stop at 61 draws.

    Examples
    --------
    >>> poisson_binomial(np.array([0.5, 0.5])).tolist()
    [0.25, 0.5, 0.25]
    """
    chances = np.zeros(p.size + 1)
    chances[0] = 1.0
    for k, one in enumerate(p, start=1):
        chances[1 : k + 1] = chances[1 : k + 1] * (1 - one) + chances[:k] * one
        chances[0] *= 1 - one
    return chances
