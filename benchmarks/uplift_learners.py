"""Learners of the effect of a contact. Each fit returns a JSON document that `effect` reads.

The linear ones set their own shrinkage: the penalties of main effects and of interactions are two variances, estimated
by the evidence (MacKay 1992, "Bayesian interpolation"; Laplace approximation for the logistic link), so that an effect
that the data do not show to differ between customers does not differ. Nothing is left to tune.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.uplift_qini import Trial
from configs.arrays import Floats, Ints
from models.prediction.scoring import LARGEST_Z, squash

Document = Mapping[str, Any]
Learner = Callable[[Floats, Trial], dict[str, Any]]

ROUNDS = 30
STEEP = 30.0
LEAP = 5.0
EDGE = 0.005
TINY = 1e-9
MIN_SIDE = 50
CUTS = 16


def learn_basis(X: Floats, squares: bool = True) -> dict[str, Any]:
    """How encoded inputs become terms: filled, signed log, standardised, clipped; squares, and flags of unknowns.

    Parameters
    ----------
    X
        Encoded inputs, shape (rows, inputs); NaN is unknown.
    """
    missing = np.isnan(X)
    fill = [float(np.median(c[~m])) if not m.all() else 0.0 for c, m in zip(X.T, missing.T, strict=True)]
    levels = [len(np.unique(c[~m])) for c, m in zip(X.T, missing.T, strict=True)]
    z = squash(np.where(missing, fill, X))
    # Beyond what the trial has seen nothing grows further: customers unlike those on the lists are the rule.
    low, high = np.quantile(z, [EDGE, 1 - EDGE], axis=0) if z.size else np.zeros((2, X.shape[1]))
    # A yes or no stays as it is: to blow up a rare one would make it as important as a common one.
    scale = (
        np.where((np.array(levels) > 2) & (z.std(0) > 1e-9), z.std(0), 1.0) if z.size else np.ones(X.shape[1])
    )
    basis: dict[str, Any] = {
        "fill": fill,
        "low": low.tolist(),
        "high": high.tolist(),
        "mean": z.mean(0).tolist(),
        "scale": scale.tolist(),
        "squares": [i for i, n in enumerate(levels) if squares and n > 5],
        "flags": np.flatnonzero(missing.mean(0) > 0.001).tolist(),
    }
    return basis | {"centre": _terms(basis, X).mean(0).tolist()}


def terms(basis: Document, X: Floats) -> Floats:
    """Centred terms of encoded inputs, shape (rows, terms)."""
    return np.asarray(_terms(basis, X) - basis["centre"])


def _terms(basis: Document, X: Floats) -> Floats:
    missing = np.isnan(X)
    z = np.clip(squash(np.where(missing, basis["fill"], X)), basis["low"], basis["high"])
    z = (z - basis["mean"]) / basis["scale"]
    z = np.clip(z, -LARGEST_Z, LARGEST_Z)
    return np.hstack([z, z[:, basis["squares"]] ** 2 / 2, missing[:, basis["flags"]].astype(np.float64)])


def binary(y: Floats) -> bool:
    """Say whether an outcome is yes or no.

    Examples
    --------
    >>> binary(np.array([0.0, 1.0])), binary(np.array([0.0, 12.5]))
    (True, False)
    """
    return bool(np.isin(y, (0.0, 1.0)).all())


def mean_of(link: str, eta: Floats) -> Floats:
    """Expected outcome of a linear predictor."""
    return np.asarray(1 / (1 + np.exp(-np.clip(eta, -STEEP, STEEP)))) if link == "logit" else eta


def shrunk(D: Floats, y: Floats, weight: Floats, groups: Sequence[int], link: str) -> Floats:
    """Fit a ridge whose penalties, one a group of columns, come from the evidence.

    Parameters
    ----------
    D, y, weight
        Design of shape (rows, columns), outcome and row weights of mean 1.
    groups
        Group of each column; -1 is free of a penalty.
    link
        `logit` or `identity`.

    Returns
    -------
    ndarray of shape (columns,)

    Examples
    --------
    >>> x = np.linspace(-1, 1, 200)
    >>> D = np.column_stack([np.ones(200), x])
    >>> shrunk(D, 1 + 2 * x, np.ones(200), [-1, 0], "identity").round(2)
    array([1., 2.])
    """
    group = np.asarray(groups)
    alpha = np.ones(max(int(group.max()), 0) + 1)
    coefficient, gram = np.zeros(D.shape[1]), None
    noise = 1.0
    if link == "identity":
        gram = (D * weight[:, None]).T @ D
        noise = max(float(np.average((y - np.average(y, weights=weight)) ** 2, weights=weight)), TINY)
    for _ in range(ROUNDS):
        mean = mean_of(link, D @ coefficient)
        curved = (D * (weight * mean * (1 - mean))[:, None]).T @ D if gram is None else gram
        penalty = np.where(group < 0, TINY, alpha[group])
        H = curved / noise + np.diag(penalty)
        step = np.linalg.solve(H, D.T @ (weight * (y - mean)) / noise - penalty * coefficient)
        largest = float(np.abs(step).max())
        coefficient = coefficient + step * (min(1.0, LEAP / max(largest, TINY)) if gram is None else 1.0)
        before, alpha = alpha, _evidence(alpha, group, coefficient, np.diag(np.linalg.inv(H)))
        if gram is not None:
            noise = max(float(np.average((y - D @ coefficient) ** 2, weights=weight)), TINY)
        if largest < 1e-4 and np.abs(np.log(alpha / before)).max() < 0.05:
            break
    return coefficient


def _evidence(alpha: Floats, group: Ints, coefficient: Floats, spread: Floats) -> Floats:
    """MacKay's step: penalty of a group = well-determined coefficients in it / their sum of squares."""
    found = alpha.copy()
    for g in range(len(alpha)):
        held = group == g
        known = held.sum() - alpha[g] * spread[held].sum()
        found[g] = np.clip(max(known, 1e-6) / max(coefficient[held] @ coefficient[held], TINY), 1e-6, 1e9)
    return found


def s_learner(Z: Floats, trial: Trial) -> dict[str, Any]:
    """One model for both arms: main effects, the treatment, and shrunk interactions with it."""
    link, t = _link(trial), trial.treated - trial.propensity.mean()
    D = np.hstack([np.ones((len(Z), 1)), t[:, None], Z, Z * t[:, None]])
    c = shrunk(D, trial.outcome, trial.weight, [-1, -1, *[0] * Z.shape[1], *[1] * Z.shape[1]], link)
    main, inter = np.r_[c[0], c[2 : 2 + Z.shape[1]]], np.r_[c[1], c[2 + Z.shape[1] :]]
    e = float(trial.propensity.mean())
    return _pair(link, main - e * inter, main + (1 - e) * inter)


def t_learner(Z: Floats, trial: Trial) -> dict[str, Any]:
    """One model for each arm."""
    link, fits = _link(trial), []
    for at in (trial.treated == 0, trial.treated == 1):
        fits.append(
            shrunk(with_one(Z[at]), trial.outcome[at], trial.weight[at], [-1, *[0] * Z.shape[1]], link)
        )
    return _pair(link, fits[0], fits[1])


def dr_learner(Z: Floats, trial: Trial) -> dict[str, Any]:
    """Ridge on doubly robust effects of the rows; what they are compared with is learned on the other half."""
    half = np.arange(len(Z)) % 2
    target = np.zeros(len(Z))
    for part in (0, 1):
        fit, use = np.flatnonzero(half != part), np.flatnonzero(half == part)
        target[use] = row_effects(t_learner(Z[fit], trial.rows(fit)), Z[use], trial.rows(use))
    D = with_one(Z)
    c = shrunk(D, target, np.ones(len(Z)), [-1, *[0] * Z.shape[1]], "identity")
    return _pair("identity", np.zeros(len(c)), c)


def response_learner(Z: Floats, trial: Trial) -> dict[str, Any]:
    """The effect in proportion to the outcome that is predicted under treatment; the data say which way."""
    at, link = trial.treated == 1, _link(trial)
    said = shrunk(with_one(Z[at]), trial.outcome[at], trial.weight[at], [-1, *[0] * Z.shape[1]], link)
    p, t = mean_of(link, with_one(Z) @ said), trial.treated - trial.propensity.mean()
    middle = float(p.mean())
    D = np.column_stack([np.ones(len(Z)), p - middle, t, t * (p - middle)])
    a = shrunk(D, trial.outcome, trial.weight, [-1] * 4, "identity")
    return {
        "kind": "response",
        "link": link,
        "linear": said.tolist(),
        "level": float(a[2] - a[3] * middle),
        "slope": float(a[3]),
    }


def split_learner(Z: Floats, trial: Trial) -> dict[str, Any]:
    """The rule `term above cut` that parts the effects most clearly; both sides shrunk to the average."""
    on, off = trial.treated / trial.propensity, (1 - trial.treated) / (1 - trial.propensity)
    sums = np.stack([np.ones(len(Z)), on, on * trial.outcome, off, off * trial.outcome])
    noise = float(np.var(trial.outcome) * np.mean(1 / (trial.propensity * (1 - trial.propensity))))
    found = [_best_cut(Z[:, i], sums, noise) for i in range(Z.shape[1])]
    i = int(np.argmax([clear for clear, *_ in found])) if found else 0
    clear, cut, low, high = found[i] if found else (0.0, 0.0, 0.0, 0.0)
    kept, middle = max(0.0, 1 - 1 / max(clear, TINY)), trial.average()
    sides = {"low": middle + kept * (low - middle), "high": middle + kept * (high - middle)}
    return {"kind": "split", "term": i, "cut": cut, **sides}


def _best_cut(z: Floats, sums: Floats, noise: float) -> tuple[float, float, float, float]:
    """Squared z-score of the difference, cut, and effects below and above, of the clearest cut of one term."""
    cuts = np.unique(np.quantile(z, np.arange(1, CUTS) / CUTS))
    side = np.searchsorted(cuts, z, side="left")
    below = np.cumsum([np.bincount(side, row, len(cuts) + 1) for row in sums], axis=1)[:, :-1]
    above = sums.sum(1)[:, None] - below
    with np.errstate(invalid="ignore", divide="ignore"):
        low, high = (x[2] / x[1] - x[4] / x[3] for x in (below, above))
        clear = (high - low) ** 2 / (noise * (1 / below[0] + 1 / above[0]))
    clear = np.where((np.minimum(below[0], above[0]) >= MIN_SIDE) & np.isfinite(clear), clear, 0.0)
    j = int(np.argmax(clear))
    return (
        float(clear[j]),
        float(cuts[j]),
        float(low[j] if clear[j] else 0),
        float(high[j] if clear[j] else 0),
    )


LEARNERS: dict[str, Learner] = {
    "s-learner": s_learner,
    "t-learner": t_learner,
    "dr-learner": dr_learner,
    "response": response_learner,
    "one split": split_learner,
}


def with_one(Z: Floats) -> Floats:
    """Terms with a constant column before them."""
    return np.hstack([np.ones((len(Z), 1)), Z])


def _link(trial: Trial) -> str:
    return "logit" if binary(trial.outcome) else "identity"


def _pair(link: str, control: Floats, treated: Floats) -> dict[str, Any]:
    return {"kind": "pair", "link": link, "control": control.tolist(), "treated": treated.tolist()}


def arms(document: Document, Z: Floats) -> tuple[Floats, Floats]:
    """Expected outcome without and with the treatment, of a `pair`; shape (rows,) each."""
    one, link = with_one(Z), document["link"]
    control, treated = (mean_of(link, one @ np.asarray(document[arm])) for arm in ("control", "treated"))
    return control, treated


def effect(document: Document, Z: Floats) -> Floats:
    """Effect that a learner predicts for each row of terms, shape (rows,)."""
    if document["kind"] == "split":
        above = Z[:, document["term"]] > document["cut"]
        return np.where(above, float(document["high"]), float(document["low"]))
    if document["kind"] == "response":
        said = mean_of(document["link"], with_one(Z) @ np.asarray(document["linear"]))
        return np.asarray(document["level"] + document["slope"] * said)
    if document["kind"] == "constant":
        return np.full(len(Z), float(document["value"]))
    control, treated = arms(document, Z)
    return treated - control


def row_effects(document: Document, Z: Floats, trial: Trial) -> Floats:
    """Unbiased, noisy effects of single rows: doubly robust (Robins, Rotnitzky and Zhao 1994); shape (rows,).

    `document` is a `pair` that was fitted on other rows.
    """
    control, treated = arms(document, Z)
    on, off = trial.treated / trial.propensity, (1 - trial.treated) / (1 - trial.propensity)
    return np.asarray(treated - control + on * (trial.outcome - treated) - off * (trial.outcome - control))
