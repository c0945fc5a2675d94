"""Who churned: the only code that looks after a snapshot."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from features.panel import Floats, Ints, Panel, Window
from features.snapshots import TimeAxis, seconds


def window_of(snapshot: dt.date, gap_days: int, horizon_days: int) -> tuple[dt.date, dt.date]:
    """The label window `[start, end)` of a snapshot.

    Examples
    --------
    >>> [str(day) for day in window_of(dt.date(2024, 1, 1), gap_days=7, horizon_days=30)]
    ['2024-01-08', '2024-02-07']
    """
    start = snapshot + dt.timedelta(days=gap_days)
    return start, start + dt.timedelta(days=horizon_days)


def label_axis(snapshots: Sequence[dt.date], gap_days: int, horizon_days: int) -> TimeAxis:
    """A time axis whose edges meet the label windows."""
    edges = [day for snapshot in snapshots for day in window_of(snapshot, gap_days, horizon_days)]
    return TimeAxis.of(edges, [horizon_days])


def silent(purchases: Panel, members: Ints, snapshot: dt.date, gap_days: int, horizon_days: int) -> Floats:
    """Non-contractual: 1 where a customer bought nothing in the label window, else 0.

    `purchases` is on `label_axis`.
    """
    start, end = window_of(snapshot, gap_days, horizon_days)
    window = Window(purchases, members, purchases.axis.edge(start), purchases.axis.edge(end))
    return (window.active_periods() == 0).astype(np.float64)


def ended(
    ended_at: Floats, counts: NDArray[np.bool_], snapshot: dt.date, gap_days: int, horizon_days: int
) -> Floats:
    """Contractual: 1 where an ending that counts falls into the label window, 0 where the customer stayed.

    NaN (censored) where the customer ended in the gap, or for a reason that does not count as churn: it is not
    known whether such a customer would have been kept.

    Parameters
    ----------
    ended_at
        Shape (n,): seconds since 1970, NaN while not ended.
    counts
        Shape (n,): whether the reason of the ending counts as churn.

    Examples
    --------
    >>> day = dt.date(2024, 1, 1)
    >>> ended(np.array([np.nan, seconds(day) + 5.0]), np.array([True, True]), day, 0, 30)
    array([0., 1.])
    """
    start, end = (seconds(day) for day in window_of(snapshot, gap_days, horizon_days))
    left = ended_at < end
    churned = np.where(left, 1.0, 0.0)
    return np.where(left & ((ended_at < start) | ~counts), np.nan, churned)
