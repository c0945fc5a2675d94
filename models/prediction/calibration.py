"""How log-odds are corrected, learned on predictions out of time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.optimize import minimize

from configs.arrays import Floats
from models.prediction.blend import FoldForecast, blend, mean_loss
from models.prediction.scoring import SURE_LOGIT, calibrate

Calibrator = dict[str, Any]

UNCALIBRATED: Calibrator = {"kind": "none"}
CALIBRATION_CHURNERS = 100
NEEDED_GAIN = 0.0005
FEWEST_FOLDS = 3


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
        error = 1 / (1 + np.exp(-np.clip(z, -SURE_LOGIT, SURE_LOGIT))) - y
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
    # A fold of fewer rows may lack a member: it tells nothing of this blend.
    ordered = sorted((o for o in forecasts if weights.keys() <= o.scores.keys()), key=lambda o: o.at)
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
