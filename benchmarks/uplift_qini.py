"""How good a ranking by effect is: what targeting its top gains over targeting the same number by chance.

`Q` is the mean over the targeted depth of 1000 x (depth x effect in the targeted - depth x average effect): outcomes
per 1,000 customers above random targeting (Radcliffe 2007, "Using control groups to target on predicted lift").
Effects are differences of means weighted by the inverse of the chance of the arm that a row got (Hajek 1971).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from configs.arrays import Floats
from models.statistics.bootstrap import CELLS, DRAWS

DEPTHS = np.arange(1, 101) / 100
PER = 1000.0
BINS = 200
# Poisson(1) by look-up: several times as fast as drawing it.
_POISSON = np.searchsorted(
    np.cumsum([np.exp(-1) / math.factorial(k) for k in range(9)]), (np.arange(1 << 16) + 0.5) / (1 << 16)
).astype(np.float32)


@dataclass(frozen=True)
class Trial:
    """Rows of a randomised test.

    Parameters
    ----------
    X
        What was known before the treatment; float and `category` columns.
    treated
        1 treated, 0 not; shape (rows,).
    outcome
        What is wanted, more is better: 1 kept and 0 lost, or an amount; shape (rows,).
    propensity
        Chance of being treated that the row had, between 0 and 1 exclusive; shape (rows,).

    Examples
    --------
    >>> t = Trial(pd.DataFrame({"a": [1.0, 2.0]}), np.array([1.0, 0.0]), np.array([1.0, 0.0]), np.full(2, 0.5))
    >>> len(t), t.average()
    (2, 1.0)
    """

    X: pd.DataFrame
    treated: Floats
    outcome: Floats
    propensity: Floats

    def __len__(self) -> int:
        return len(self.outcome)

    def rows(self, keep: NDArray[np.int64]) -> Trial:
        """Select rows by position."""
        return Trial(self.X.iloc[keep], self.treated[keep], self.outcome[keep], self.propensity[keep])

    @property
    def weight(self) -> Floats:
        """Inverse of the chance of the arm that each row got, with mean 1 within each arm; shape (rows,)."""
        raw = np.where(self.treated == 1, 1 / self.propensity, 1 / (1 - self.propensity))
        arm = np.where(self.treated == 1, raw[self.treated == 1].mean(), raw[self.treated == 0].mean())
        return np.asarray(raw / arm)

    def average(self) -> float:
        """Average effect."""
        mean = [
            np.average(self.outcome[self.treated == arm], weights=self.weight[self.treated == arm])
            for arm in (0, 1)
        ]
        return float(mean[1] - mean[0])


@dataclass(frozen=True)
class Curve:
    """Targeting by a ranking, at `DEPTHS`.

    Parameters
    ----------
    excess
        1000 x (depth x effect in the targeted - depth x average effect); shape (draws, depths).
    average
        Average effect; shape (draws,).
    """

    excess: Floats
    average: Floats

    @property
    def q(self) -> Floats:
        """Mean excess over the depths, shape (draws,)."""
        return np.asarray(self.excess.mean(axis=1))

    def top(self, depth: float) -> Floats:
        """Effect in the top `depth` of the ranking, shape (draws,)."""
        at = int(np.argmin(np.abs(DEPTHS - depth)))
        return np.asarray(self.excess[:, at] / (PER * DEPTHS[at]) + self.average)


def q_value(score: Floats, trial: Trial) -> float:
    """Q of a ranking; rows that tie count in part.

    Examples
    --------
    >>> X, w = pd.DataFrame(index=range(4)), np.array([1.0, 0.0, 1.0, 0.0])
    >>> t = Trial(X, w, np.array([1.0, 0.0, 0.0, 0.0]), np.full(4, 0.5))
    >>> q_value(np.array([2.0, 2.0, 1.0, 1.0]), t) > 0 > q_value(np.array([1.0, 1.0, 2.0, 2.0]), t)
    True
    """
    return float(curve(score, trial).q[0])


def curve(score: Floats, trial: Trial) -> Curve:
    """The curve of a ranking, higher scores targeted first."""
    order = np.argsort(-score, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(score[order]) != 0])
    return _curve(_sums(trial)[:, order], starts, np.ones((1, len(trial))))


def bootstrap(score: Floats, trial: Trial, seed: int, draws: int = DRAWS) -> Curve:
    """Curves of resampled rows (Poisson bootstrap). The same seed draws the same rows for every ranking."""
    order = np.argsort(-score, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(score[order]) != 0])
    if len(starts) > BINS:
        edges = (np.arange(BINS) * len(trial)) // BINS
        starts = np.unique(starts[np.searchsorted(starts, edges, side="right") - 1])
    sums, rng = _sums(trial)[:, order], np.random.default_rng(seed)
    chunk = max(1, CELLS // max(len(trial), 1))
    parts = [
        _curve(
            sums,
            starts,
            _POISSON[rng.integers(0, 1 << 16, (min(chunk, draws - i), len(trial)), np.uint16)][:, order],
        )
        for i in range(0, draws, chunk)
    ]
    return Curve(np.concatenate([p.excess for p in parts]), np.concatenate([p.average for p in parts]))


def _sums(trial: Trial) -> Floats:
    """Per row: mass, weight and weighted outcome when treated, the same when not; shape (5, rows)."""
    on, off = trial.treated / trial.propensity, (1 - trial.treated) / (1 - trial.propensity)
    return np.stack([np.ones(len(trial)), on, on * trial.outcome, off, off * trial.outcome])


def _curve(sums: Floats, starts: NDArray[np.int64], weights: Floats) -> Curve:
    """`sums` and `weights` in the order of the ranking, `starts` of the groups that tie."""
    steps = np.stack(
        [np.add.reduceat(weights * row, starts, axis=1) for row in sums.astype(weights.dtype)], axis=1
    )
    total = np.concatenate(
        [np.zeros((*steps.shape[:2], 1)), np.cumsum(steps, axis=2, dtype=np.float64)], axis=2
    )
    at = np.stack([[np.interp(DEPTHS * d[0, -1], d[0], row) for row in d[1:]] for d in total])
    with np.errstate(invalid="ignore", divide="ignore"):
        effect = at[:, 1] / at[:, 0] - at[:, 3] / at[:, 2]
    average = effect[:, -1]
    excess = PER * DEPTHS * (effect - average[:, None])
    return Curve(np.nan_to_num(excess, nan=0.0, posinf=0.0, neginf=0.0), average)
