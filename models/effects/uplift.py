"""Whom a contact helps: a model of its effect, learned from randomised history, and whether to trust it.

Several small learners are compared out of fold by Q (`models.effects.qini`). The best one's predictions are shrunk by
the slope of observed on predicted effects. The verdict is as careful as the choice: for each fold the learner and the
shrinkage are chosen on the other folds, and the model is used only when the one-sided 95 % bound of the Q of these
predictions is above that of random targeting, which is 0.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.effects import learners
from models.effects.qini import DRAWS, Floats, Trial, bootstrap, curve, q_value
from models.prediction.classifier import learn_columns
from models.prediction.scoring import encode

FOLDS = 5
ONE_SIDED = 0.05
Z_PROOF = 1.645
Z_POWER = 0.842
MIN_ARM = 200
MIN_EVENTS = 50
MAX_SLOPE = 1.25
# Resampling rows takes the folds for independent. They are not: what two folds share by chance counts twice, once as
# taught by the one and seen in the other and once the other way round. For a linear learner that doubles the variance.
FIT_NOISE = 2**0.5
MAX_SQUARED_INPUTS = 20
MAX_FIT_ROWS = 300_000
PROBABILITY = "churn_probability"
SUPPORT = (0.01, 0.99)


@dataclass(frozen=True)
class Contender:
    """How one learner did out of fold.

    Parameters
    ----------
    q
        Outcomes per 1,000 customers above random targeting, mean over the depth.
    slope
        Slope of observed on predicted effects; below 1 its predictions differ too much.
    top
        Effect in the top 10, 20 and 30 %.
    """

    q: float
    slope: float
    top: tuple[float, float, float]


@dataclass(frozen=True)
class Uplift:
    """A model of the effect and the verdict on it.

    Parameters
    ----------
    spec
        Everything from a matrix row to an effect, as JSON values.
    name
        The learner that was chosen; `none` where there are too few rows to try.
    contenders
        Learner to how it did.
    q, bound
        Q of the whole procedure out of fold, and its one-sided 95 % lower bound.
    calibration
        Slope of observed on predicted effects of the whole procedure, out of fold.
    used
        Whether decisions may use it.
    rows, missing
        Randomised rows seen, and about how many more it takes to prove it; 0 when it is proven.
    reason
        One sentence with numbers.
    """

    spec: Mapping[str, Any]
    name: str
    contenders: Mapping[str, Contender]
    q: float
    bound: float
    calibration: float
    used: bool
    rows: int
    missing: int
    reason: str

    def effect(self, frame: pd.DataFrame) -> Floats:
        """Predicted effect of the treatment on the outcome of each row, shrunk; shape (rows,)."""
        spec = self.spec
        if spec["learner"]["kind"] == "constant":
            return np.full(len(frame), float(spec["level"]))
        Z = learners.terms(spec["basis"], encode(spec["columns"], frame))
        raw = learners.effect(spec["learner"], Z)
        return np.asarray(spec["level"] + spec["slope"] * (raw - spec["centre"]))

    def supported(self, probability: Floats) -> NDArray[np.bool_]:
        """Whose chance of leaving lies within what the trial has seen; shape (rows,).

        All are supported where the trial had no column `churn_probability`.
        """
        low, high = self.spec.get("probability", (-np.inf, np.inf))
        return np.asarray((probability >= low) & (probability <= high))

    def fall(self, frame: pd.DataFrame, probability: Floats, save_rate: float) -> Floats:
        """Expected fall of the chance of leaving when contacted, for decisions; shape (rows,).

        The model speaks for customers like those whom lists have reached: no more can be saved than would leave,
        and for customers out of its range the save rate does. Without that, a model learned on customers in danger
        promises wonders for the safe ones.

        Parameters
        ----------
        frame
            The columns that the trial had.
        probability
            Chance of leaving without a contact, shape (rows,).
        save_rate
            Expected save rate, for the rows that the model does not speak for.
        """
        learned = np.minimum(self.effect(frame), probability)
        return np.where(self.supported(probability), learned, probability * save_rate)

    def to_json(self) -> str:
        """The same values always give the same text."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Uplift:
        """Read what `to_json` wrote."""
        values = json.loads(text)
        found = {n: Contender(c["q"], c["slope"], tuple(c["top"])) for n, c in values["contenders"].items()}
        return cls(**{**values, "contenders": found})


def fit_uplift(trial: Trial, seed: int = 0, folds: int = FOLDS, draws: int = DRAWS) -> Uplift:
    """Compare the learners, choose, shrink, and judge.

    Parameters
    ----------
    trial
        Randomised rows, each unit once.
    seed
        Of the folds and the bootstrap.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x, w = rng.normal(size=4000), rng.integers(0, 2, 4000).astype(float)
    >>> y = (rng.random(4000) < 0.3 + 0.2 * w * (x > 0)).astype(float)
    >>> found = fit_uplift(Trial(pd.DataFrame({"x": x}), w, y, np.full(4000, 0.5)), draws=200)
    >>> low, high = found.effect(pd.DataFrame({"x": [-1.5, 1.5]}))
    >>> found.used, bool(high - low > 0.1)
    (True, True)
    """
    if too_few := _too_few(trial):
        return too_few
    columns = learn_columns(trial.X)
    X = encode(columns, trial.X)
    fold = np.random.default_rng(seed).permutation(len(trial)) % folds
    said, seen = _out_of_fold(X, trial, fold)
    nested = _nested(said, seen, trial, fold)
    some = _some(np.arange(len(trial)), seed)
    found = {name: _contender(p, seen, trial) for name, p in said.items()}
    best = max(found, key=lambda n: found[n].q)
    basis = _basis(X[some])
    document = learners.LEARNERS[best](learners.terms(basis, X[some]), trial.rows(some))
    spec: dict[str, Any] = {
        "columns": [dict(c) for c in columns],
        "basis": basis,
        "learner": document,
        "level": float(seen.mean()),
        "centre": float(learners.effect(document, learners.terms(basis, X)).mean()),
        "slope": _kept(said[best], seen),
    }
    if PROBABILITY in trial.X:
        spec["probability"] = np.nanquantile(trial.X[PROBABILITY].to_numpy(np.float64), SUPPORT).tolist()
    return _judged(spec, best, found, nested, seen, trial, seed, draws)


def _too_few(trial: Trial) -> Uplift | None:
    """A verdict without a try where an arm has hardly any rows."""
    counts = {arm: trial.treated == value for arm, value in (("contacted", 1), ("control", 0))}
    need = 0
    for at in counts.values():
        n = int(at.sum())
        need = max(need, MIN_ARM - n)
        if learners.binary(trial.outcome) and n:
            rare = min(trial.outcome[at].mean(), 1 - trial.outcome[at].mean())
            need = max(need, int(np.ceil((MIN_EVENTS - rare * n) / max(rare, 1 / n))))
    if need <= 0:
        return None
    share = min(max(float(at.mean()), 0.01) for at in counts.values()) if len(trial) else 0.5
    missing = int(np.ceil(need / share))
    said = ", ".join(f"{int(at.sum()):,} {arm}" for arm, at in counts.items())
    level = trial.average() if all(at.any() for at in counts.values()) else 0.0
    reason = f"not used: too few randomised rows to learn from ({said}); about {missing:,} more are needed before a try"
    spec = {"learner": {"kind": "constant"}, "level": level}
    return Uplift(spec, "none", {}, 0.0, 0.0, 0.0, False, len(trial), missing, reason)


def _some(rows: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """At most `MAX_FIT_ROWS` of them by chance: small learners gain nothing from more, and memory is bounded."""
    if len(rows) <= MAX_FIT_ROWS:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, MAX_FIT_ROWS, replace=False))


def _basis(X: Floats) -> dict[str, Any]:
    return learners.learn_basis(X, squares=X.shape[1] <= MAX_SQUARED_INPUTS)


def _out_of_fold(X: Floats, trial: Trial, fold: NDArray[np.int64]) -> tuple[dict[str, Floats], Floats]:
    """Predicted effects by learner, and the unbiased noisy effects of the rows; shape (rows,) each."""
    said = {name: np.zeros(len(trial)) for name in learners.LEARNERS}
    seen = np.zeros(len(trial))
    for k in range(int(fold.max()) + 1):
        fit, use = _some(np.flatnonzero(fold != k), k), np.flatnonzero(fold == k)
        basis, rows = _basis(X[fit]), trial.rows(fit)
        Z, Z_use = learners.terms(basis, X[fit]), learners.terms(basis, X[use])
        documents = {name: learn(Z, rows) for name, learn in learners.LEARNERS.items()}
        for name, document in documents.items():
            said[name][use] = learners.effect(document, Z_use)
        seen[use] = learners.row_effects(documents["t-learner"], Z_use, trial.rows(use))
    return {name: _level(p, fold) for name, p in said.items()}, seen


def _level(said: Floats, fold: NDArray[np.int64]) -> Floats:
    """The same mean in every fold: a fold's own is learned on the others, and so stands against what is seen in it."""
    mean = np.bincount(fold, said) / np.bincount(fold)
    return np.asarray(said - mean[fold] + said.mean())


def _nested(said: Mapping[str, Floats], seen: Floats, trial: Trial, fold: NDArray[np.int64]) -> Floats:
    """What the whole procedure says of each row when learner and shrinkage are chosen without the row's fold."""
    out = np.zeros(len(trial))
    for k in range(int(fold.max()) + 1):
        rest, use = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        others = trial.rows(rest)
        best = max(said, key=lambda n: q_value(said[n][rest], others))
        p = said[best]
        out[use] = _kept(p[rest], seen[rest]) * (p[use] - p.mean())
    return _level(out, fold) + seen.mean()


def _slope(said: Floats, seen: Floats) -> float:
    """Slope of observed on predicted effects; 0 where the predictions do not differ."""
    x = said - said.mean()
    mass = float(x @ x)
    return float(x @ seen) / mass if mass > 1e-12 * len(x) else 0.0


def _contender(said: Floats, seen: Floats, trial: Trial) -> Contender:
    by_depth = curve(said, trial)
    ten, twenty, thirty = (float(by_depth.top(depth)[0]) for depth in (0.1, 0.2, 0.3))
    return Contender(float(by_depth.q[0]), _slope(said, seen), (ten, twenty, thirty))


def _kept(said: Floats, seen: Floats) -> float:
    """Share of the predicted differences that is kept: the slope, but never against the ranking."""
    return float(np.clip(_slope(said, seen), 0.0, MAX_SLOPE))


def _judged(
    spec: Mapping[str, Any],
    best: str,
    found: Mapping[str, Contender],
    nested: Floats,
    seen: Floats,
    trial: Trial,
    seed: int,
    draws: int,
) -> Uplift:
    q, drawn = q_value(nested, trial), bootstrap(nested, trial, seed, draws).q
    error = FIT_NOISE * max(float(drawn.std()), 1e-9)
    bound = q - FIT_NOISE * (float(drawn.mean()) - float(np.quantile(drawn, ONE_SIDED)))
    used = bound > 0
    # A Q within its own error says little of how many rows it takes: the largest that is likely gives the least.
    clear = q > error
    hoped = q if clear else max(q, 0.0) + error
    need = len(trial) * ((Z_PROOF + Z_POWER) * error / hoped) ** 2
    missing = 0 if used else max(int(round(min(need, 1e9) - len(trial), -2)), 100)
    said = f"Q {q:.1f} per 1,000 above random, at least {bound:.1f} with 95 % certainty ({best}, {len(trial):,} rows)"
    least = "about" if clear else "at least"
    reason = (
        f"used: {said}" if used else f"not used: {said}; {least} {missing:,} more randomised rows are needed"
    )
    return Uplift(spec, best, found, q, bound, _slope(nested, seen), used, len(trial), missing, reason)
