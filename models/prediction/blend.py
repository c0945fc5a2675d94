"""How much each member counts, learned on predictions out of time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from configs.arrays import Floats
from models.prediction.boosted import FADING, FAVOURED, LARGE, OPTIONAL

BASE_RATE = "base rate"
PULL = 0.05
# Standard errors that show a gain: of a dozen candidates the best looks better by two through luck alone.
SURELY = 2.5
PROOF_CHURNERS = 50
DROP = 0.02
ALONE = 0.95


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

    Others are the small trees and the large or the fading ones alike, the large ones alone, a rule alone, and the
    convex blend of log-odds with the lowest loss, which is learned on the other folds wherever it is judged. Proven is
    a gain of 2.5 standard errors of the paired difference, on 50 churned and 50 kept rows at least; of those that are,
    the one with the lowest mean loss is taken. The folds that count are those of `telling`.

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
    forecasts = telling(forecasts, names)
    known = [n for n in names if all(n in o.scores for o in forecasts)]
    usual = equal_shares(known)
    if not _tells(forecasts):
        return _tidy(usual)
    # Where the churn rate turns, fading trees are as wrong as they were right before: an equal share is what they get
    # unless the usual shares are worse than knowing nothing.
    free = [n for n in known if n != FADING or _base_rate_proven(forecasts, usual)]
    small = [n for n in known if n in FAVOURED]
    candidates = [{n: 1.0} for n in free if n not in FAVOURED]
    candidates += [_with_small(small, n) for n in OPTIONAL if n in known]
    best, chosen = 0.0, usual
    for shares in candidates:
        gain, error = _gain(forecasts, usual, [shares] * len(forecasts))
        if gain > max(best, SURELY * error):
            best, chosen = gain, shares
    if len(forecasts) > 1:
        others = [[o for o in forecasts if o is not left_out] for left_out in forecasts]
        gain, error = _gain(forecasts, usual, [_lowest_loss(part, free) for part in others])
        if gain > max(best, SURELY * error):
            chosen = _lowest_loss(forecasts, free)
    return _tidy(chosen)


def telling(forecasts: Sequence[FoldForecast], names: Iterable[str]) -> Sequence[FoldForecast]:
    """Choose the folds that shares are learned on: all, or those of the newest snapshot where it proves a change.

    A change is proven where the base rate is better than the usual shares on the newest snapshot: the mean over older
    ones would hide it.

    Examples
    --------
    >>> y, days = np.array([0.0, 1.0] * 50), np.array(["2026-02-01", "2026-01-01"], dtype="datetime64[D]")
    >>> wrong, right = ({"base rate": 0 * y, "boosted": z} for z in (2 - 4 * y, 4 * y - 2))
    >>> folds = [FoldForecast(day, said, y) for day, said in zip(days, (wrong, right))]
    >>> len(telling(folds, wrong)), len(telling(folds[1:], right))
    (1, 1)
    """
    newest = [o for o in forecasts if o.at == max(other.at for other in forecasts)]
    usual = equal_shares(n for n in names if all(n in o.scores for o in newest))
    return newest if _tells(newest) and _base_rate_proven(newest, usual) else forecasts


def promising(forecasts: Sequence[FoldForecast]) -> list[str]:
    """Choose which of the members that have to prove themselves are worth a fit on newer rows.

    Fading trees always are: what they are for comes with the newest snapshot. Large trees are where they, alone or
    beside the small ones, lower the loss by one standard error; a share asks for 2.5. With too few rows to tell, all
    are.

    Examples
    --------
    >>> y = np.array([0.0, 1.0] * 50)
    >>> said = {"boosted": 2 * y - 1, "linear + trees": 2 * y - 1, "large trees": np.zeros(100)}
    >>> promising([FoldForecast(np.datetime64("2026-01-01"), said, y)])
    ['fading trees']
    """
    names = [n for n in OPTIONAL if n == FADING or all(n in o.scores for o in forecasts)]
    if not _tells(forecasts) or LARGE not in names:
        return names
    usual = equal_shares(n for n in FAVOURED if all(n in o.scores for o in forecasts))
    for shares in ({LARGE: 1.0}, _with_small(usual, LARGE)):
        gain, error = _gain(forecasts, usual, [shares] * len(forecasts))
        if gain > error:
            return names
    return [FADING]


def _with_small(small: Iterable[str], name: str) -> dict[str, float]:
    """Equal shares of the small trees and one more member."""
    together = [*small, name]
    return dict.fromkeys(together, 1 / len(together))


def _tells(forecasts: Sequence[FoldForecast]) -> bool:
    """Whether there are enough of both classes to prove anything."""
    y = np.concatenate([o.y for o in forecasts]) if forecasts else np.zeros(0)
    return bool(min(y.sum(), len(y) - y.sum()) >= PROOF_CHURNERS)


def _base_rate_proven(forecasts: Sequence[FoldForecast], usual: dict[str, float]) -> bool:
    """Whether the churn rate alone is proven better than the usual shares."""
    if not all(BASE_RATE in o.scores for o in forecasts):
        return False
    gain, error = _gain(forecasts, usual, [{BASE_RATE: 1.0}] * len(forecasts))
    return gain > SURELY * error


def _lowest_loss(forecasts: Sequence[FoldForecast], names: Sequence[str]) -> dict[str, float]:
    """The convex blend with the lowest mean loss over the folds, pulled towards the usual shares.

    The problem is convex, so its optimum is unique. The pull keeps it steady: without it shares follow the last drift
    of the churn rate. Only the base rate may take any share: it is the cure of learning too much on small data.
    """
    usual = equal_shares(names)
    prior = np.array([usual.get(n, 0.0) for n in names])
    free = np.diag([0.0 if n == BASE_RATE else 1.0 for n in names])
    free += np.outer(prior, [n == BASE_RATE for n in names])
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
