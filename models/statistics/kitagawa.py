"""The change of a rate in two parts: other shares of customers, and the same kinds kept differently."""

from __future__ import annotations

import numpy as np
import pandas as pd

from configs.errors import DataError

TOTAL = "(total)"


def mix_table(by_segment: pd.DataFrame, before: str, after: str) -> pd.DataFrame:
    """Split the change of the rate into a mix effect and a rate effect, without a remainder.

    With w a segment's share of S, r its rate and R the rate of all, each averaged over both periods where barred:
    mix effect = (w1 - w0)(mean r - mean R), rate effect = (r1 - r0) mean w. Their sum over all segments is the change
    of R (Kitagawa 1955). A segment that was empty in one period is taken to have had its other rate there, so that
    its coming or going counts as mix.

    Parameters
    ----------
    by_segment
        One row a period and segment: `period`, `segment`, `S` customers at the start, `kept` of them, and `complete`.
    before, after
        Labels of two complete periods in it.

    Returns
    -------
    DataFrame
        One row a segment and a last one `(total)`: `share_before`, `share_after`, `rate_before`, `rate_after` in
        percent; `mix_effect`, `rate_effect`, `change` in percentage points.

    Raises
    ------
    DataError
        When a period is absent, not over, or without customers at its start.

    Examples
    --------
    >>> table = pd.DataFrame({"period": ["2024-01"] * 2 + ["2024-02"] * 2, "segment": ["a", "b"] * 2,
    ...     "S": [50, 50, 20, 80], "kept": [45, 25, 18, 40], "complete": True})
    >>> mix_table(table, "2024-01", "2024-02")[["segment", "mix_effect", "rate_effect", "change"]]
       segment  mix_effect  rate_effect  change
    0        a        -7.8          0.0    -7.8
    1        b        -4.2          0.0    -4.2
    2  (total)       -12.0          0.0   -12.0
    """
    first, second = (_of_period(by_segment, label) for label in (before, after))
    both = first.join(second, how="outer", suffixes=("_before", "_after")).fillna(0.0).sort_index()
    both = both[(both["S_before"] > 0) | (both["S_after"] > 0)]
    shares, rates = [], []
    for side in ("before", "after"):
        base, kept = both[f"S_{side}"].to_numpy(float), both[f"kept_{side}"].to_numpy(float)
        with np.errstate(invalid="ignore"):
            rates.append(100 * kept / base)
        shares.append(100 * base / base.sum())
    known = [np.where(np.isnan(mine), other, mine) for mine, other in (rates, rates[::-1])]
    mean_rate = (known[0] + known[1]) / 2
    total = [float(np.nansum(share * rate) / 100) for share, rate in zip(shares, rates, strict=True)]
    mix = (shares[1] - shares[0]) / 100 * (mean_rate - sum(total) / 2)
    pure = (known[1] - known[0]) * (shares[0] + shares[1]) / 200
    frame = pd.DataFrame(
        {
            "segment": both.index,
            "share_before": shares[0],
            "share_after": shares[1],
            "rate_before": rates[0],
            "rate_after": rates[1],
            "mix_effect": mix,
            "rate_effect": pure,
            "change": mix + pure,
        }
    )
    last = {"segment": TOTAL, "share_before": 100.0, "share_after": 100.0, "rate_before": total[0]}
    last |= {"rate_after": total[1]} | {c: frame[c].sum() for c in ("mix_effect", "rate_effect", "change")}
    return pd.concat([frame, pd.DataFrame([last])], ignore_index=True)


def _of_period(by_segment: pd.DataFrame, label: str) -> pd.DataFrame:
    rows = by_segment[by_segment["period"] == label]
    if rows.empty or not rows["complete"].all() or rows["S"].sum() == 0:
        known = ", ".join(by_segment.loc[by_segment["complete"] & (by_segment["S"] > 0), "period"].unique())
        raise DataError(f"period {label} is absent, not over or empty at its start; complete are: {known}")
    return rows.set_index("segment")[["S", "kept"]]
