"""BG/NBD: how often customers buy and when they silently leave (Fader, Hardie and Lee 2005), by maximum likelihood.

While active a customer buys as a Poisson process with a gamma-distributed rate; after every purchase he leaves with a
beta-distributed chance. "Counting Your Customers" the Easy Way, Marketing Science 24(2), equation 6.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaln, gammaln

from configs.arrays import Floats


@dataclass(frozen=True)
class BgNbd:
    """Parameters: gamma (r, alpha) of the purchase rate, beta (a, b) of the chance to leave."""

    r: float
    alpha: float
    a: float
    b: float


def log_likelihood(p: BgNbd, x: Floats, t_x: Floats, T: Floats) -> Floats:
    """Log-likelihood of each customer.

    Parameters
    ----------
    p
        The parameters.
    x
        Repeat purchases (the first one does not count), shape (customers,).
    t_x
        Time from the first to the last purchase; 0 when x is 0.
    T
        Time from the first purchase to now, in the same unit.

    Examples
    --------
    >>> p = BgNbd(0.243, 4.414, 0.793, 2.426)
    >>> log_likelihood(p, np.array([2.0]), np.array([30.43]), np.array([38.86])).round(3)
    array([-9.459])
    """
    common = gammaln(p.r + x) - gammaln(p.r) + p.r * np.log(p.alpha)
    stays = betaln(p.a, p.b + x) - betaln(p.a, p.b) - (p.r + x) * np.log(p.alpha + T)
    repeat = np.maximum(x, 1)
    leaves = betaln(p.a + 1, p.b + repeat - 1) - betaln(p.a, p.b) - (p.r + repeat) * np.log(p.alpha + t_x)
    return np.asarray(common + np.logaddexp(stays, np.where(x > 0, leaves, -np.inf)))


def fit_bgnbd(x: Floats, t_x: Floats, T: Floats) -> BgNbd:
    """Find the parameters of highest likelihood; times should be in units that make T about 1 to 100.

    Raises
    ------
    ValueError
        When the optimiser finds no finite optimum.
    """

    def loss(logs: Floats) -> float:
        return float(-np.mean(log_likelihood(BgNbd(*np.exp(logs)), x, t_x, T)))

    found = minimize(loss, np.zeros(4), method="L-BFGS-B", bounds=[(-8.0, 8.0)] * 4, options={"maxiter": 500})
    if not np.isfinite(found.fun):
        raise ValueError(f"BG/NBD: no finite likelihood ({found.message})")
    return BgNbd(*(float(v) for v in np.exp(found.x)))
