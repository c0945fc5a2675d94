"""Ridge logistic regressions of many rows: a sample of the rows tells the curvature, all rows tell the slope.

Newton's method forms the second derivatives over all rows at every step, which costs rows times columns squared. They
only say how far to go, so a few rows are enough for them: their Cholesky factor gives coordinates in which the loss
curves about alike in every direction, and there L-BFGS needs a dozen looks at the rows (Nocedal and Wright, Numerical
Optimization, 2006, 7.2).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import minimize
from scipy.special import expit

from configs.arrays import Floats

ROWS_A_COLUMN = 20
FEWEST_ROWS = 2_000
# Of the slope, in coordinates in which the loss curves by 1 in every direction, as a share of a row's own.
_TOLERANCE = 2e-5


def ridge_regressions(
    design: Floats, y: Floats, strengths: Sequence[float], weight: Floats | None = None
) -> list[Floats]:
    """Minimise the log loss summed over the rows plus half of strength times the squared slopes.

    Parameters
    ----------
    design
        Inputs of about the same scale, shape (rows, columns); quickest where the numbers of a column stand side by
        side (order "F").
    y
        Labels 0 and 1, shape (rows,).
    strengths
        Above 0, one a regression; each begins where the one before has ended.
    weight
        For how many rows each stands; None where each stands for itself.

    Returns
    -------
    list of ndarray of shape (columns + 1,)
        For each strength the slopes, and then the intercept, which is not penalised.

    Examples
    --------
    >>> design, y = np.array([[-1.0], [-1.0], [1.0], [1.0]]), np.array([0.0, 1.0, 1.0, 1.0])
    >>> [np.round(found, 1).tolist() for found in ridge_regressions(design, y, [1e6, 1.0])]
    [[0.0, 1.1], [0.6, 1.2]]
    """
    rows, columns = design.shape
    w = np.ones(rows) if weight is None else weight
    # As if a row of each class were added: with one class alone there is no finite optimum to begin at.
    rate = (w @ y + 1) / (w.sum() + 2)
    found = [np.append(np.zeros(columns), np.log(rate / (1 - rate)))]
    for strength in strengths:
        found.append(_ended(design, y, w, strength, found[-1]))
    return found[1:]


def _ended(design: Floats, y: Floats, w: Floats, strength: float, begun: Floats) -> Floats:
    """Where the descent from some coefficients ends."""
    ridge = np.append(np.full(design.shape[1], strength), 0.0)
    factor = _curvature(design, w, ridge, begun)

    def moved(step: Floats) -> Floats:
        return np.asarray(begun + solve_triangular(factor, step, lower=True, trans="T"))

    def loss(step: Floats) -> tuple[float, Floats]:
        at = moved(step)
        z = design @ at[:-1] + at[-1]
        error = w * (expit(z) - y)
        slope = np.append(design.T @ error, error.sum()) + ridge * at
        value = w @ (np.logaddexp(0, z) - y * z) + 0.5 * ridge @ at**2
        return float(value), solve_triangular(factor, slope, lower=True)

    enough = {"gtol": _TOLERANCE * np.sqrt(w.sum()), "ftol": 0.0}
    return moved(minimize(loss, np.zeros(len(begun)), jac=True, method="L-BFGS-B", options=enough).x)


def _curvature(design: Floats, w: Floats, ridge: Floats, at: Floats) -> Floats:
    """Lower Cholesky factor of about the second derivatives of the loss, by rows drawn by chance."""
    rows, columns = design.shape
    count = min(rows, max(FEWEST_ROWS, ROWS_A_COLUMN * columns))
    drawn = np.random.default_rng(rows).choice(rows, count, replace=False)
    some = np.column_stack([design[drawn], np.ones(count)])
    p = expit(some @ at)
    # The last term keeps a column that is 0 in all these rows from a division by 0.
    each = w[drawn] * (p * (1 - p) * rows / count + 1e-9)
    second = (some * each[:, None]).T @ some
    second[np.diag_indices(columns + 1)] += ridge + 1e-9
    return np.asarray(cholesky(second, lower=True))
