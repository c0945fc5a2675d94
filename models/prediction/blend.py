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
    """

    at: np.datetime64
    scores: dict[str, Floats]
    y: Floats


def mean_loss(y: Floats, z: Floats) -> float:
    """Mean log loss of log-odds.

    Examples
    --------
    >>> round(mean_loss(np.array([1.0, 0.0]), np.zeros(2)), 4)
    0.6931
    """
    return float(np.mean(np.logaddexp(0, z) - y * z))


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
    stacks = [(np.column_stack([o.scores[n] for n in names]), o.y) for o in forecasts]

    def loss(w: Floats) -> tuple[float, Floats]:
        away = free @ w - prior
        value, slope = PULL * float(np.sum(away**2)), 2 * PULL * free.T @ away
        for Z, y in stacks:
            z = Z @ w
            value += mean_loss(y, z) / len(stacks)
            slope = slope + Z.T @ (1 / (1 + np.exp(-z)) - y) / (len(y) * len(stacks))
        return value, slope

    total = {"type": "eq", "fun": lambda w: w.sum() - 1, "jac": np.ones_like}
    found = minimize(loss, prior, jac=True, method="SLSQP", bounds=[(0, 1)] * len(names), constraints=total)
    shares = found.x if np.isfinite(found.fun) else prior
    rules = {n: _gain(n, forecasts, [Z @ shares for Z, _ in stacks]) for n in names if n not in FAVOURED}
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
    error = np.sqrt(sum(np.var(d) / len(d) for d in losses)) / len(losses)
    return float(np.mean([d.mean() for d in losses]) / max(error, 1e-12))


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


def fit_shift(z: Floats, y: Floats) -> Calibrator:
    """Move all log-odds by one amount."""
    return _fit_linear(z, y, slope=False, intercept=True)


def fit_temperature(z: Floats, y: Floats) -> Calibrator:
    """Stretch or shrink all log-odds."""
    return _fit_linear(z, y, slope=True, intercept=False)


def fit_platt(z: Floats, y: Floats) -> Calibrator:
    """Stretch and move."""
    return _fit_linear(z, y, slope=True, intercept=True)


def _fit_linear(z: Floats, y: Floats, *, slope: bool, intercept: bool) -> Calibrator:
    bounds = [(0.05, 5.0) if slope else (1.0, 1.0), (-4.0, 4.0) if intercept else (0.0, 0.0)]
    a, b = _fitted([z, np.ones_like(z)], y, [1.0, 0.0], bounds)
    return {"kind": "linear", "slope": a, "intercept": b}


def _fitted(
    terms: Sequence[Floats], y: Floats, start: Sequence[float], bounds: Sequence[tuple[float, float]]
) -> list[float]:
    """Coefficients of the terms with the lowest log loss, within bounds."""

    def loss(p: Floats) -> tuple[float, Floats]:
        z = sum(w * term for w, term in zip(p, terms, strict=True))
        error = 1 / (1 + np.exp(-np.clip(z, -SURE, SURE))) - y
        return mean_loss(y, z), np.array([np.mean(error * term) for term in terms])

    return [float(x) for x in minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x]


def fit_beta(z: Floats, y: Floats) -> Calibrator:
    """Bend both ends on their own (Kull, Silva Filho and Flach 2017)."""
    terms = [-np.logaddexp(0, -z), np.logaddexp(0, z), np.ones_like(z)]
    a, b, c = _fitted(terms, y, [1.0, 1.0, 0.0], [(0.05, 5.0), (0.05, 5.0), (-4.0, 4.0)])
    return {"kind": "beta", "a": a, "b": b, "c": c}


CALIBRATORS: dict[str, Callable[[Floats, Floats], Calibrator]] = {
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
    return _choose([(blend(o.scores, weights), o.y) for o in ordered], known)


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
    return _choose([(blend(o.scores, weights), o.y) for o in forecasts], others)


def _choose(folds: Sequence[tuple[Floats, Floats]], known: Sequence[Sequence[int]]) -> tuple[str, Calibrator]:
    """The candidate that, learned on the folds known at each fold, helps there; then learned on all."""
    best, chosen = NEEDED_GAIN, "none"
    for name, fit in CALIBRATORS.items():
        gains = []
        for (z, y), before in zip(folds, known, strict=True):
            if not before or not _carries(np.concatenate([folds[j][1] for j in before])):
                continue
            learned = fit(
                np.concatenate([folds[j][0] for j in before]), np.concatenate([folds[j][1] for j in before])
            )
            gains.append(mean_loss(y, z) - mean_loss(y, calibrate(learned, z)))
        if len(gains) < FEWEST_FOLDS:
            continue
        if np.mean(gains) > best and np.mean(np.array(gains) > 0) >= 0.75:
            best, chosen = float(np.mean(gains)), name
    if chosen == "none":
        return chosen, UNCALIBRATED
    pooled = [np.concatenate([fold[i] for fold in folds]) for i in (0, 1)]
    return chosen, CALIBRATORS[chosen](*pooled)


def _carries(y: Floats) -> bool:
    return bool(min(y.sum(), len(y) - y.sum()) >= CALIBRATION_CHURNERS)
