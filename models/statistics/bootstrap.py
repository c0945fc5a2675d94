"""The bootstrap over customers: all rows of one are drawn together."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from configs.arrays import Floats

DRAWS = 400
CELLS = 8_000_000


def customer_draws(
    customer: NDArray[np.str_], draws: int, seed: int, weight: Floats | None = None
) -> Iterator[Floats]:
    """Yield bootstrap weights of rows in blocks of shape (some draws, rows): whole customers are drawn.

    A row that stands for several, by `weight`, does so in every draw.
    """
    ids, position = np.unique(customer, return_inverse=True)
    rng = np.random.default_rng(seed)
    block = max(1, min(draws, CELLS // max(len(customer), 1)))
    for start in range(0, draws, block):
        size = min(block, draws - start)
        counts = rng.multinomial(len(ids), np.full(len(ids), 1 / len(ids)), size=size)
        drawn = counts[:, position].astype(np.float64)
        yield drawn if weight is None else drawn * weight


def mean_interval(
    values: Floats, customer: NDArray[np.str_], seed: int, weight: Floats | None = None
) -> tuple[float, float, float]:
    """Mean of the rows' values, and its 95 % interval over customers.

    Parameters
    ----------
    values, customer
        Shape (rows,).
    weight
        For how many rows each stands; None where each stands for itself.

    Examples
    --------
    >>> mean_interval(np.full(10, 0.5), np.arange(10).astype(str), seed=7)
    (0.5, 0.5, 0.5)
    """
    draws = customer_draws(customer, DRAWS, seed, weight)
    low, high = np.quantile(np.concatenate([w @ values / w.sum(1) for w in draws]), [0.025, 0.975])
    return float(np.average(values, weights=weight)), float(low), float(high)
