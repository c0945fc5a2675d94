"""Groups against all others: risk ratios with intervals and p-values."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from models.statistics.intervals import Z_95


def compare_groups(groups: pd.DataFrame, everyone: int, lost: int) -> pd.DataFrame:
    """Add risk ratio, interval and p-values to groups with `customers` and `lost`, each against all the others.

    Examples
    --------
    >>> groups = pd.DataFrame({"fact": "plan", "value": ["basic"], "customers": [40], "lost": [20]})
    >>> row = compare_groups(groups, everyone=100, lost=26).iloc[0]
    >>> float(row.risk_ratio), int(row.others), round(float(row.p_value), 6)
    (5.0, 60, 8e-06)
    """
    n1, l1 = groups["customers"].to_numpy(float), groups["lost"].to_numpy(float)
    n0, l0 = everyone - n1, lost - l1
    half = np.where((l1 == 0) | (l0 == 0), 0.5, 0.0)
    a, b, m, n = l1 + half, l0 + half, n1 + 2 * half, n0 + 2 * half
    ratio = (a / m) / (b / n)
    error = np.sqrt(np.maximum(1 / a - 1 / m + 1 / b - 1 / n, 0))
    p_values = np.array([_p_value(*cells) for cells in zip(l1, n1 - l1, l0, n0 - l0, strict=True)])
    table = groups.assign(
        lost_share=100 * l1 / n1,
        others=n0.astype(int),
        others_lost=l0.astype(int),
        risk_ratio=ratio,
        low=ratio * np.exp(-Z_95 * error),
        high=ratio * np.exp(Z_95 * error),
        p_value=p_values,
        p_adjusted=stats.false_discovery_control(p_values) if len(p_values) else p_values,
    )
    return table.sort_values(["p_value", "fact", "value"], ignore_index=True)


def _p_value(lost: float, kept: float, others_lost: float, others_kept: float) -> float:
    cells = np.array([[lost, kept], [others_lost, others_kept]])
    expected = np.outer(cells.sum(1), cells.sum(0)) / cells.sum()
    if expected.min() < 5:
        return float(stats.fisher_exact(cells.astype(int)).pvalue)
    return float(stats.chi2_contingency(cells, correction=False).pvalue)
