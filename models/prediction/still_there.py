"""Who is still a customer in fact: without a contract, people leave in silence.

The chance is learned from who came back: of customers at old snapshots, how often those with the same silence, number
of purchases and rhythm bought again within a window much longer than the horizon. It needs no assumption about rates of
leaving, under which one-time buyers would count as alive for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from configs.arrays import Floats

SILENCE, COUNT, TENURE = "recency_days", "purchase_count_ever", "purchase_tenure_days"
NEEDED = (SILENCE, COUNT, TENURE)
_LONGEST = 360
_MIN_ROWS = 100
_MOST_ROWS = 200_000
PENALTY = 1.0


def window_days(history_days: int, horizon_days: int) -> int:
    """Days in which somebody who is still there is expected back: half of the history, a year at most.

    Examples
    --------
    >>> window_days(400, 60), window_days(100, 60), window_days(2_000, 60)
    (200, 60, 360)
    """
    return int(np.clip(history_days // 2, horizon_days, max(_LONGEST, horizon_days)))


def fit_still_there(frame: pd.DataFrame, came_back: Floats, days: int) -> dict[str, Any] | None:
    """Learn from old snapshots.

    Parameters
    ----------
    frame
        Columns `NEEDED` of the matrix.
    came_back
        1 bought again within `days`, 0 did not; shape (rows,).

    Returns
    -------
    dict or None
        Plain numbers for `chance`; None with too few rows, or when all or none came back.
    """
    from sklearn.linear_model import LogisticRegression

    if len(frame) > _MOST_ROWS:
        some = np.random.default_rng(0).choice(len(frame), _MOST_ROWS, replace=False)
        frame, came_back = frame.iloc[some], came_back[some]
    if len(frame) < _MIN_ROWS or came_back.min() == came_back.max():
        return None
    terms = _terms(frame)
    mean, scale = terms.mean(axis=0), np.maximum(terms.std(axis=0), 1e-6)
    model = LogisticRegression(C=PENALTY, max_iter=500).fit((terms - mean) / scale, came_back)
    return {
        "days": days,
        "rows": len(frame),
        "mean": mean.tolist(),
        "scale": scale.tolist(),
        "level": float(model.intercept_[0]),
        "weights": model.coef_[0].tolist(),
    }


def chance(spec: Mapping[str, Any], frame: pd.DataFrame) -> Floats:
    """Chance that each customer is still there; shape (rows,).

    Examples
    --------
    Everybody whose silence is short comes back, nobody else does:

    >>> silence = np.linspace(1, 200, 400)
    >>> frame = pd.DataFrame({"recency_days": silence, "purchase_count_ever": 5.0, "purchase_tenure_days": 400.0})
    >>> spec = fit_still_there(frame, (silence < 60) * 1.0, days=180)
    >>> chance(spec, frame.iloc[[0, 399]]).round(1).tolist()
    [1.0, 0.0]
    """
    z = (_terms(frame) - np.array(spec["mean"])) / np.array(spec["scale"])
    return np.asarray(1 / (1 + np.exp(-np.clip(z @ np.array(spec["weights"]) + spec["level"], -30, 30))))


def _terms(frame: pd.DataFrame) -> Floats:
    """Logarithms of silence, number, age and silence in usual gaps, with their squares and products."""
    silence, count, tenure = (
        np.nan_to_num(frame[name].to_numpy(np.float64), nan=0.0).clip(0) for name in NEEDED
    )
    gap = np.maximum(tenure - silence, 1.0) / np.maximum(count - 1, 1.0)
    once = (count < 2).astype(np.float64)
    plain = np.column_stack(
        [
            np.log1p(silence),
            np.log1p(count),
            np.log1p(tenure),
            np.where(once > 0, 0.0, np.log1p(silence / gap)),
            once,
        ]
    )
    i, j = np.triu_indices(4)
    return np.hstack([plain, plain[:, i] * plain[:, j]])
