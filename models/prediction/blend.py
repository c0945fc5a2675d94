"""How much each member counts, and how log-odds are corrected: both learned on predictions out of time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from configs.arrays import Floats
from models.prediction.boosted import FAVOURED, LARGE, TREES
from models.prediction.scoring import SURE_LOGIT, calibrate

Calibrator = dict[str, Any]

UNCALIBRATED: Calibrator = {"kind": "none"}
PULL = 0.05
# Standard errors that show a gain: of a dozen candidates the best looks better by two through luck alone.
SURELY = 2.5
PROOF_CHURNERS = 50
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
    customer
        Whose rows they are: those of one customer say much the same. None where each row is another's.
    """

    at: np.datetime64
    scores: dict[str, Floats]
    y: Floats
    weight: Floats | None = None
    customer: NDArray[np.str_] | None = None


def mean_loss(y: Floats, z: Floats, weight: Floats | None = None) -> float:
    """Mean log loss of log-odds.

    Examples
    --------
    >>> round(mean_loss(np.array([1.0, 0.0]), np.zeros(2)), 4)
    0.6931
    """
    return float(np.average(np.logaddexp(0, z) - y * z, weights=weight))


def equal_shares(names: Iterable[str]) -> dict[str, float]:
    """Equal shares of the small trees, which nothing needs to prove; of all members where there are none.

    Examples
    --------
    >>> equal_shares(["base rate", "boosted", "linear + trees", "large trees"])
    {'boosted': 0.5, 'linear + trees': 0.5}
    """
    every = list(names)
    chosen = [n for n in every if n in FAVOURED] or every
    return dict.fromkeys(chosen, 1 / len(chosen))


def learn_weights(forecasts: Sequence[FoldForecast], names: Iterable[str]) -> dict[str, float]:
    """Take equal shares of the small trees, unless the folds prove that others are better.

    Others are all trees alike, the large ones alone, a rule alone, and the convex blend of log-odds with the lowest
    loss, which is learned on the other folds wherever it is judged. Proven is a gain of 2.5 standard errors of the
    paired difference, on 50 churned and 50 kept rows at least; of those that are, the one with the lowest mean loss is
    taken.

    Parameters
    ----------
    forecasts
        Folds whose fits had about as many rows as the model that the shares are for; there may be none.
    names
        Members of that model.

    Examples
    --------
    >>> y = np.array([0.0, 1.0] * 50)
    >>> day, good, bad = np.datetime64("2026-01-01"), 4 * y - 2, np.zeros(100)
    >>> learn_weights([FoldForecast(day, {"boosted": bad, "rfm": good}, y)], ["boosted", "rfm"])
    {'rfm': 1.0}
    """
    known = [n for n in names if all(n in o.scores for o in forecasts)]
    usual = equal_shares(known)
    y = np.concatenate([o.y for o in forecasts]) if forecasts else np.zeros(0)
    if min(y.sum(), len(y) - y.sum()) < PROOF_CHURNERS:
        return _tidy(usual)
    candidates = [{n: 1.0} for n in known if n not in FAVOURED]
    if LARGE in known:
        trees = [n for n in known if n in TREES]
        candidates.append(dict.fromkeys(trees, 1 / len(trees)))
    best, chosen = 0.0, usual
    for shares in candidates:
        gain, error = _gain(forecasts, usual, [shares] * len(forecasts))
        if gain > max(best, SURELY * error):
            best, chosen = gain, shares
    if len(forecasts) > 1:
        others = [[o for o in forecasts if o is not left_out] for left_out in forecasts]
        gain, error = _gain(forecasts, usual, [_lowest_loss(part, known) for part in others])
        if gain > max(best, SURELY * error):
            chosen = _lowest_loss(forecasts, known)
    return _tidy(chosen)


def _lowest_loss(forecasts: Sequence[FoldForecast], names: Sequence[str]) -> dict[str, float]:
    """The convex blend with the lowest mean loss over the folds, pulled towards the usual shares.

    The problem is convex, so its optimum is unique. The pull keeps it steady: without it shares follow the last drift
    of the churn rate. Only the base rate may take any share: it is the cure of learning too much on small data.
    """
    usual = equal_shares(names)
    prior = np.array([usual.get(n, 0.0) for n in names])
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
    return dict(zip(names, map(float, found.x if np.isfinite(found.fun) else prior), strict=True))


def _gain(
    forecasts: Sequence[FoldForecast], usual: dict[str, float], shares: Sequence[dict[str, float]]
) -> tuple[float, float]:
    """Fall of the mean loss by other shares, of each fold its own, and the standard error over customers."""
    parts, owners = [], []
    for o, other in zip(forecasts, shares, strict=True):
        before, after = blend(o.scores, usual), blend(o.scores, other)
        fall = np.logaddexp(0, before) - np.logaddexp(0, after) - o.y * (before - after)
        share = _shares(o) / len(forecasts)
        parts.append(np.column_stack([share * fall, share]))
        owners.append(np.arange(len(o.y)).astype(str) if o.customer is None else o.customer)
    if not parts:
        return 0.0, 0.0
    values = np.concatenate(parts)
    gain = float(values[:, 0].sum())
    _, owner = np.unique(np.concatenate(owners), return_inverse=True)
    away = np.bincount(owner, weights=values[:, 0] - gain * values[:, 1])
    return gain, float(np.sqrt(np.sum(away**2)))


def _shares(forecast: FoldForecast) -> Floats:
    """The weights of a fold's rows, with the sum 1."""
    weight = np.ones(len(forecast.y)) if forecast.weight is None else forecast.weight
    return weight / weight.sum()


def _tidy(weights: dict[str, float]) -> dict[str, float]:
    """Round shares: small ones go, an overwhelming one takes all.

    Examples
    --------
    >>> _tidy({"boosted": 0.97, "linear": 0.03}), _tidy({"boosted": 0.7, "linear": 0.29, "base rate": 0.01})
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
