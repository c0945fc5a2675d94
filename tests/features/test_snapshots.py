import datetime as dt

import pytest

from features.snapshots import TimeAxis

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
