"""Survival: Kaplan-Meier curves, their summary, and log-rank tests."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from configs.errors import DataError


def survival_table(counts: pd.DataFrame) -> pd.DataFrame:
    """Kaplan-Meier estimate by segment.

    Parameters
    ----------
    counts
        `segment`, `days`, `left` (False is censored: known to have stayed so long) and `customers`.

    Returns
    -------
    DataFrame
        `segment`, `days`, `at_risk` just before, `left` on that day, `survival` and its 95 % log-log interval
        `low`, `high`, as shares; one row for day 0 and each day on which somebody left or was censored.

    Examples
    --------
    >>> counts = pd.DataFrame({"segment": "(all)", "days": [10, 20, 20], "left": [True, True, False],
    ...     "customers": [1, 1, 2]})
    >>> survival_table(counts)[["days", "at_risk", "left", "survival"]].values.tolist()
    [[0.0, 4.0, 0.0, 1.0], [10.0, 4.0, 1.0, 0.75], [20.0, 3.0, 1.0, 0.5]]
    """
    parts = []
    for segment, rows in counts.groupby("segment", sort=True):
        curve = stats.ecdf(_sample(rows)).sf
        with np.errstate(divide="ignore", invalid="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of shares of 0 and 1, whose interval is null
            interval = curve.confidence_interval(method="log-log")
        by_day = rows.assign(gone=rows["customers"].where(rows["left"], 0)).groupby("days")
        here, gone = by_day["customers"].sum(), by_day["gone"].sum()
        part = {
            "segment": segment,
            "days": here.index.to_numpy(),
            "at_risk": here[::-1].cumsum()[::-1].to_numpy(),
            "left": gone.to_numpy(),
            "survival": curve.probabilities,
            "low": interval.low.probabilities,
            "high": interval.high.probabilities,
        }
        opening = {"segment": segment, "days": 0, "at_risk": here.sum(), "left": 0}
        opening |= dict.fromkeys(("survival", "low", "high"), 1.0)
        parts.append(pd.concat([pd.DataFrame([opening] if here.index[0] > 0 else []), pd.DataFrame(part)]))
    if not parts:
        raise DataError("no customer has started before the as-of date; there is no survival curve")
    return pd.concat(parts, ignore_index=True)


def survival_summary(counts: pd.DataFrame, at_days: Sequence[int] = (30, 90, 180, 365)) -> pd.DataFrame:
    """Customers, leavers, median days and survival at some ages, by segment.

    `median_days` is null while more than half are still there. Ages that nobody has been watched for are null.
    `median_days_of_leavers` is the plain median among those who left: shorter than the truth, since the others
    are still to come.
    """
    curves = survival_table(counts)
    rows = []
    for segment, curve in curves.groupby("segment", sort=True):
        mine = counts[counts["segment"] == segment]
        gone = mine[mine["left"]]
        below = curve.loc[curve["survival"] <= 0.5 + 1e-12, "days"]
        row: dict[str, object] = {
            "segment": segment,
            "customers": int(mine["customers"].sum()),
            "left": int(gone["customers"].sum()),
            "median_days": float(below.iloc[0]) if len(below) else np.nan,
            "median_days_of_leavers": float(np.median(np.repeat(gone["days"], gone["customers"])))
            if len(gone)
            else np.nan,
        }
        for age in at_days:
            before = curve.loc[curve["days"] <= age, "survival"]
            seen = age <= curve["days"].max()
            row[f"survival_{age}d"] = (float(before.iloc[-1]) if len(before) else 1.0) if seen else np.nan
        rows.append(row)
    return pd.DataFrame(rows)


def logrank_table(counts: pd.DataFrame) -> pd.DataFrame:
    """Log-rank test of each segment against all others, adjusted for the number of tests.

    Returns
    -------
    DataFrame
        `segment`, `customers`, `statistic` (negative: leaves later than the others), `p_value`, `p_adjusted`
        (Benjamini-Hochberg). Empty with fewer than two segments.
    """
    rows = []
    segments = sorted(counts["segment"].unique())
    for segment in segments if len(segments) > 1 else []:
        mine = counts["segment"] == segment
        result = stats.logrank(_sample(counts[mine]), _sample(counts[~mine]))
        size = int(counts.loc[mine, "customers"].sum())
        rows.append((segment, size, float(result.statistic), float(result.pvalue)))
    table = pd.DataFrame(rows, columns=["segment", "customers", "statistic", "p_value"])
    adjusted = stats.false_discovery_control(table["p_value"].fillna(1.0)) if rows else []
    return table.assign(p_adjusted=adjusted)


def _sample(counts: pd.DataFrame) -> stats.CensoredData:
    days = np.repeat(counts["days"].to_numpy(float), counts["customers"])
    left = np.repeat(counts["left"].to_numpy(bool), counts["customers"])
    return stats.CensoredData.right_censored(days, ~left)
