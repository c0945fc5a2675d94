"""How much each member counts, and how log-odds are corrected: both learned on predictions out of time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize

from configs.arrays import Floats
from models.prediction.scoring import SURE, calibrate

Calibrator = dict[str, Any]

UNCALIBRATED: Calibrator = {"kind": "none"}
FAVOURED = ("boosted", "linear + trees")
PULL = 0.05
SURELY = 2.0
DROP = 0.02
ALONE = 0.95
CALIBRATION_CHURNERS = 100
NEEDED_GAIN = 0.0005
FEWEST_FOLDS = 3


@dataclass(frozen=True)
class FoldForecast:
    """Predictions of one fold on its test snapshot.

    Parameters
    ----------
    at
        The snapshot.
    scores
        Member name to log-odds, shape (rows,).
    y
        Labels.
    weight
        For how many rows each stands; None where each stands for itself.
    """

    at: np.datetime64
    scores: dict[str, Floats]
    y: Floats
    weight: Floats | None = None


def mean_loss(y: Floats, z: Floats, weight: Floats | None = None) -> float:
    """Mean log loss of log-odds.

    Examples
    --------
    >>> round(mean_loss(np.array([1.0, 0.0]), np.zeros(2)), 4)
    0.6931
    """
    return float(np.average(np.logaddexp(0, z) - y * z, weights=weight))


def learn_weights(forecasts: Sequence[FoldForecast]) -> dict[str, float]:
    """Find the convex blend of log-odds with the lowest mean log loss over the folds.

    The problem is convex, so its optimum is unique; it drops members that do not help. A pull towards equal shares of
    the two members with trees keeps it steady: without it shares follow the last drift of the churn rate. Only the
    base rate may take any share, for on small data it is the cure of learning too much. A simple rule that alone is
    better than this blend by more than two standard errors is taken alone. Shares below 2 % go, one above 95 % takes
    all.

    Examples
    --------
    >>> y = np.array([0.0, 1.0] * 50)
    >>> good, bad = 4 * y - 2, np.zeros(100)
    >>> learn_weights([FoldForecast(np.datetime64("2026-01-01"), {"boosted": good, "base rate": bad}, y)])
    {'boosted': 1.0}
    """
    names = [n for n in forecasts[0].scores if all(n in o.scores for o in forecasts)]
    prior = np.array([1.0 if n in FAVOURED else 0.0 for n in names])
    prior = prior / prior.sum() if prior.sum() else np.full(len(names), 1 / len(names))
    free = np.diag([0.0 if n == "base rate" else 1.0 for n in names])
    free += np.outer(prior, [n == "base rate" for n in names])
    stacks = [(np.column_stack([o.scores[n] for n in names]), o.y, _shares(o)) for o in forecasts]

    def loss(w: Floats) -> tuple[float, Floats]:
        away = free @ w - prior
        value, slope = PULL * float(np.sum(away**2)), 2 * PULL * free.T @ away
        for Z, y, share in stacks:
            z = Z @ w
            value += mean_loss(y, z, share) / len(stacks)
            slope = slope + Z.T @ (share * (1 / (1 + np.exp(-z)) - y)) / len(stacks)
        return value, slope

    total = {"type": "eq", "fun": lambda w: w.sum() - 1, "jac": np.ones_like}
    found = minimize(loss, prior, jac=True, method="SLSQP", bounds=[(0, 1)] * len(names), constraints=total)
    shares = found.x if np.isfinite(found.fun) else prior
    rules = {n: _gain(n, forecasts, [Z @ shares for Z, _, _ in stacks]) for n in names if n not in FAVOURED}
    best = max(rules, key=lambda n: rules[n], default=None)
    if best is not None and rules[best] > SURELY:
        return {best: 1.0}
    return tidy({n: float(w) for n, w in zip(names, shares, strict=True)})


def _gain(name: str, forecasts: Sequence[FoldForecast], blended: Sequence[Floats]) -> float:
    """By how many standard errors the loss of a member alone is below that of the blend."""
    losses = [
        (np.logaddexp(0, z) - o.y * z) - (np.logaddexp(0, o.scores[name]) - o.y * o.scores[name])
        for o, z in zip(forecasts, blended, strict=True)
    ]
    shares = [_shares(o) for o in forecasts]
    means = [float(s @ d) for s, d in zip(shares, losses, strict=True)]
    spread = sum(float(s**2 @ (d - m) ** 2) for s, d, m in zip(shares, losses, means, strict=True))
    return float(np.mean(means) / max(np.sqrt(spread) / len(losses), 1e-12))


def _shares(forecast: FoldForecast) -> Floats:
    """The weights of a fold's rows, with the sum 1."""
    weight = np.ones(len(forecast.y)) if forecast.weight is None else forecast.weight
    return weight / weight.sum()


def tidy(weights: dict[str, float]) -> dict[str, float]:
    """Round shares: small ones go, an overwhelming one takes all.

    Examples
    --------
    >>> tidy({"boosted": 0.97, "linear": 0.03}), tidy({"boosted": 0.7, "linear": 0.29, "base rate": 0.01})
    ({'boosted': 1.0}, {'boosted': 0.7071, 'linear': 0.2929})
    """
    best = max(weights, key=lambda n: weights[n])
    if weights[best] >= ALONE:
        return {best: 1.0}
    kept = {n: w for n, w in weights.items() if w >= DROP}
    return {n: round(w / sum(kept.values()), 4) for n, w in kept.items()}


def blend(scores: dict[str, Floats], weights: dict[str, float]) -> Floats:
    """Weighted sum of log-odds."""
    return np.asarray(sum(w * scores[n] for n, w in weights.items()))


def fit_shift(z: Floats, y: Floats, weight: Floats | None = None) -> Calibrator:
    """Move all log-odds by one amount."""
    return _fit_linear(z, y, weight, slope=False, intercept=True)


def fit_temperature(z: Floats, y: Floats, weight: Floats | None = None) -> Calibrator:
    """Stretch or shrink all log-odds."""
    return _fit_linear(z, y, weight, slope=True, intercept=False)


def fit_platt(z: Floats, y: Floats, weight: Floats | None = None) -> Calibrator:
    """Stretch and move."""
    return _fit_linear(z, y, weight, slope=True, intercept=True)


def _fit_linear(z: Floats, y: Floats, weight: Floats | None, *, slope: bool, intercept: bool) -> Calibrator:
    bounds = [(0.05, 5.0) if slope else (1.0, 1.0), (-4.0, 4.0) if intercept else (0.0, 0.0)]
    a, b = _fitted([z, np.ones_like(z)], y, weight, [1.0, 0.0], bounds)
    return {"kind": "linear", "slope": a, "intercept": b}


def _fitted(
    terms: Sequence[Floats],
    y: Floats,
    weight: Floats | None,
    start: Sequence[float],
    bounds: Sequence[tuple[float, float]],
) -> list[float]:
    """Coefficients of the terms with the lowest log loss, within bounds."""

    def loss(p: Floats) -> tuple[float, Floats]:
        z = sum(w * term for w, term in zip(p, terms, strict=True))
        error = 1 / (1 + np.exp(-np.clip(z, -SURE, SURE))) - y
        return mean_loss(y, z, weight), np.array([np.average(error * term, weights=weight) for term in terms])

    return [float(x) for x in minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x]


def fit_beta(z: Floats, y: Floats, weight: Floats | None = None) -> Calibrator:
    """Bend both ends on their own (Kull, Silva Filho and Flach 2017)."""
    terms = [-np.logaddexp(0, -z), np.logaddexp(0, z), np.ones_like(z)]
    a, b, c = _fitted(terms, y, weight, [1.0, 1.0, 0.0], [(0.05, 5.0), (0.05, 5.0), (-4.0, 4.0)])
    return {"kind": "beta", "a": a, "b": b, "c": c}


CALIBRATORS: dict[str, Callable[[Floats, Floats, Floats | None], Calibrator]] = {
    "shift": fit_shift,
    "temperature": fit_temperature,
    "Platt": fit_platt,
    "beta": fit_beta,
}


def learn_calibrator(
    forecasts: Sequence[FoldForecast], weights: dict[str, float], window: np.timedelta64
) -> tuple[str, Calibrator]:
    """Choose a correction that helped on later folds than it was learned on, else none.

    Parameters
    ----------
    forecasts
        Folds, any order.
    weights
        Of the blend.
    window
        Gap plus horizon: a fold's labels are known that long after its snapshot.

    Returns
    -------
    name, calibrator
        Each candidate is learned again and again on the folds known at a fold and judged on that fold. It must lower
        the mean log loss by 0.0005 and help on three folds of four, on at least three folds that lie a whole window
        apart: folds closer than that share their labels, and agree also when the base rate drifts.

    Examples
    --------
    >>> learn_calibrator([], {"boosted": 1.0}, np.timedelta64(60, "D"))
    ('none', {'kind': 'none'})
    """
    ordered = sorted(forecasts, key=lambda o: o.at)
    known = [[j for j, o in enumerate(ordered) if o.at + window <= other.at] for other in ordered]
    judged = [o.at for o, before in zip(ordered, known, strict=True) if before]
    if not judged or judged[-1] - judged[0] < window:
        return "none", UNCALIBRATED
    return _choose([_blended(o, weights) for o in ordered], known)


def learn_calibrator_across(
    forecasts: Sequence[FoldForecast], weights: dict[str, float]
) -> tuple[str, Calibrator]:
    """The same for folds of customers instead of dates: learned on all other folds, judged on each.

    Examples
    --------
    >>> learn_calibrator_across([], {"boosted": 1.0})
    ('none', {'kind': 'none'})
    """
    everything = range(len(forecasts))
    others = [[j for j in everything if j != i] for i in everything]
    return _choose([_blended(o, weights) for o in forecasts], others)


_Fold = tuple[Floats, Floats, Floats | None]


def _blended(forecast: FoldForecast, weights: dict[str, float]) -> _Fold:
    """Log-odds, labels and weights."""
    return blend(forecast.scores, weights), forecast.y, forecast.weight


def _choose(folds: Sequence[_Fold], known: Sequence[Sequence[int]]) -> tuple[str, Calibrator]:
    """The candidate that, learned on the folds known at each fold, helps there; then learned on all."""
    best, chosen = NEEDED_GAIN, "none"
    for name, fit in CALIBRATORS.items():
        gains = []
        for (z, y, w), before in zip(folds, known, strict=True):
            if not before or not _carries(np.concatenate([folds[j][1] for j in before])):
                continue
            learned = fit(*_pooled([folds[j] for j in before]))
            gains.append(mean_loss(y, z, w) - mean_loss(y, calibrate(learned, z), w))
        if len(gains) < FEWEST_FOLDS:
            continue
        if np.mean(gains) > best and np.mean(np.array(gains) > 0) >= 0.75:
            best, chosen = float(np.mean(gains)), name
    if chosen == "none":
        return chosen, UNCALIBRATED
    return chosen, CALIBRATORS[chosen](*_pooled(folds))


def _pooled(folds: Sequence[_Fold]) -> _Fold:
    weights = [weight for _, _, weight in folds if weight is not None]
    z, y = (np.concatenate([fold[i] for fold in folds]) for i in (0, 1))
    return z, y, np.concatenate(weights) if weights else None


def _carries(y: Floats) -> bool:
    return bool(min(y.sum(), len(y) - y.sum()) >= CALIBRATION_CHURNERS)
