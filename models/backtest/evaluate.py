"""One table of metrics for one set of predictions, with customer-bootstrap intervals and the worst slice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from configs.arrays import Floats
from models.statistics.bootstrap import DRAWS, customer_draws
from models.statistics.metrics import (
    auc,
    auc_many,
    average_precision,
    brier,
    ece,
    empc,
    log_loss,
    profit_at,
    recall_at,
    row_log_loss,
)
from models.statistics.top import TENTH, top_figures

HIGHER_IS_BETTER = ("auc", "average_precision", "lift_top_tenth", "recall_at_list", "empc", "profit_at_list")


def list_share(list_size: int, rows: int, weight: Floats | None = None) -> float:
    """Which share of the customers a list of so many holds; at most 1."""
    return min(1.0, list_size / max(rows if weight is None else float(weight.sum()), 1))


def top_of(
    y: Floats, p: Floats, list_size: int, weights: Floats, value: Floats | None = None
) -> dict[str, Floats]:
    """The figures of the top tenth and of the list's size by name, such as `gap_at_list`; each of shape (draws,)."""
    share = min(1.0, list_size / max(float(weights.sum(1).mean()), 1))
    tenth, at_list = (top_figures(y, p, s, weights, value) for s in (TENTH, share))
    return {f"{n}_top_tenth": v for n, v in tenth.items()} | {f"{n}_at_list": v for n, v in at_list.items()}


def measure(
    y: Floats, p: Floats, list_size: int, weight: Floats | None = None, value: Floats | None = None
) -> dict[str, float]:
    """Compute every metric of one set of predictions.

    Parameters
    ----------
    y, p
        Labels (0/1) and probabilities, shape (rows,).
    list_size
        How many customers the outreach list holds.
    weight
        For how many rows each stands; None where each stands for itself.
    value
        What each customer is worth; None where all are worth the same.

    Returns
    -------
    dict
        auc, average_precision, log_loss, brier, ece, recall_at_list, empc, profit_at_list, base_rate,
        mean_probability, rows; lift, gap and value (see `models.statistics.top`) as `_top_tenth` and as `_at_list`.

    Examples
    --------
    >>> round(measure(np.array([0, 0, 1, 1.0]), np.array([0.1, 0.4, 0.6, 0.8]), 2)["auc"], 2)
    1.0
    """
    share = list_share(list_size, len(y), weight)
    top = top_of(y, p, list_size, (np.ones(len(y)) if weight is None else weight)[None, :], value)
    return {
        "auc": auc(y, p, weight),
        "average_precision": average_precision(y, p, weight),
        "log_loss": log_loss(y, p, weight),
        "brier": brier(y, p, weight),
        "ece": ece(y, p, weight),
        "recall_at_list": recall_at(y, p, share, weight),
        "empc": empc(y, p, weight),
        "profit_at_list": profit_at(y, p, share, weight),
        "base_rate": float(np.average(y, weights=weight)),
        "mean_probability": float(np.average(p, weights=weight)),
        "rows": float(len(y)),
        **{name: float(figure[0]) for name, figure in top.items()},
    }


def intervals(
    y: Floats,
    p: Floats,
    customer: NDArray[np.str_],
    seed: int,
    list_size: int,
    draws: int = DRAWS,
    weight: Floats | None = None,
    value: Floats | None = None,
) -> dict[str, tuple[float, float]]:
    """95 % intervals of the main metrics by a bootstrap over customers; fewer draws on very many rows.

    Examples
    --------
    >>> y = np.array([0.0, 1.0] * 50)
    >>> low, high = intervals(y, 0.3 + 0.4 * y, np.arange(100).astype(str), seed=1, list_size=9)["log_loss"]
    >>> round(low, 4), round(high, 4)
    (0.3567, 0.3567)
    """
    # Ranked once: every draw sorts the rows again, which is quick where they are in order.
    order = np.argsort(p, kind="stable")
    y, p, customer = y[order], p[order], customer[order]
    weight, value = (None if given is None else given[order] for given in (weight, value))
    found: dict[str, list[Floats]] = {"auc": [], "log_loss": [], "brier": []}
    singles = {"average_precision": average_precision, "ece": ece}
    found |= {name: [] for name in singles}
    draws = max(50, min(draws, 20_000_000 // max(len(y), 1)))
    per_row = {"log_loss": row_log_loss(y, p), "brier": (y - p) ** 2}
    for w in customer_draws(customer, draws, seed, weight):
        found["auc"].append(auc_many(y, p, w))
        for name, values in per_row.items():
            found[name].append(w @ values / w.sum(1))
        for name, figures in top_of(y, p, list_size, w, value).items():
            found.setdefault(name, []).append(figures)
        for name, metric in singles.items():
            found[name].append(np.array([metric(y, p, row) for row in w[: max(1, len(w) // 2)]]))
    return {name: _middle(np.concatenate(parts)) for name, parts in found.items()}


def _middle(values: Floats) -> tuple[float, float]:
    good = values[np.isfinite(values)]
    if not len(good):
        return float("nan"), float("nan")
    low, high = np.quantile(good, [0.025, 0.975])
    return float(low), float(high)


@dataclass(frozen=True)
class Slice:
    """Where the model is worst.

    Parameters
    ----------
    name
        Such as `plan=basic`.
    rows
        Rows in it.
    auc, log_loss
        In this slice; AUC is NaN when it has one class.
    gap
        Mean probability minus churn rate.
    """

    name: str
    rows: int
    auc: float
    log_loss: float
    gap: float


def slices(
    frame: pd.DataFrame, y: Floats, p: Floats, min_rows: int = 50, weight: Floats | None = None
) -> list[Slice]:
    """Quality by level of every text column, the worst first: by calibration error in standard errors.

    Examples
    --------
    >>> f = pd.DataFrame({"plan": pd.Categorical(["a"] * 60 + ["b"] * 60)})
    >>> slices(f, np.zeros(120), np.r_[np.full(60, 0.1), np.full(60, 0.5)])[0].name
    'plan=b'
    """
    found: list[tuple[float, Slice]] = []
    for name in frame.columns:
        if pd.api.types.is_numeric_dtype(frame[name]):
            continue
        text = frame[name].astype("object").fillna("unknown").astype("str").to_numpy(dtype=object)
        for level in np.unique(text):
            at = text == level
            if at.sum() < min_rows:
                continue
            w = None if weight is None else weight[at]
            share = np.full(at.sum(), 1 / at.sum()) if w is None else w / w.sum()
            gap = float(share @ (p[at] - y[at]))
            error = float(np.sqrt(share**2 @ (p[at] * (1 - p[at]))) + 1e-12)
            part = Slice(
                f"{name}={level}", int(at.sum()), auc(y[at], p[at], w), log_loss(y[at], p[at], w), gap
            )
            found.append((abs(gap) / error, part))
    return [part for _, part in sorted(found, key=lambda f: (-f[0], f[1].name))]
