import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from features.matrix import People, customers_at
from features.snapshots import TimeAxis, seconds

T = dt.date(2024, 3, 1)


@pytest.mark.parametrize(
    ("days_back", "windows", "period"),
    [
        ([0], [30, 90], 30),
        ([0, 15], [30, 90], 15),
        ([0, 30], [7, 14], 1),
        ([0], [7], 7),
        ([0, 5, 45], [25, 100], 5),
    ],
)
def test_periods_meet_every_snapshot_and_window_start(days_back, windows, period):
    snapshots = [T - dt.timedelta(days=d) for d in days_back]
    axis = TimeAxis.of(snapshots, windows)
    assert axis.period_days == period
    for day in [*snapshots, *(s - dt.timedelta(days=w) for s in snapshots for w in windows)]:
        assert axis.origin + dt.timedelta(days=axis.edge(day) * period) == day


def test_contractual_customers_at_t():
    """Started before t, and not ended before t."""
    t = float(seconds(T))
    ids = ["started at t", "just started", "ended at t", "just ended", "unknown start"]
    people = People(
        pa.array(ids),
        started_at=np.array([t, t - 0.5, 0, 0, np.nan]),
        ended_at=np.array([np.nan, np.nan, t, t - 0.5, np.nan]),
        attributes={},
    )
    who = customers_at(T, TimeAxis.of([T], [30]), people, None, None)
    assert [ids[i] for i in who] == ["just started", "ended at t"]
