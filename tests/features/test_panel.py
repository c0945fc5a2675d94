"""The panel on tables of a screen: windows are half-open, knowledge comes later, and other people's rows stay out."""

import datetime as dt
import sys

import ibis
import numpy as np
import pandas as pd
import pytest

from features.panel import Panel, Stat, Window
from features.partials import moments, partials
from features.snapshots import TimeAxis
from pipeline.dataset.engine import different_ids, panel_of

T = dt.date(2024, 3, 1)
IDS = ["a", "b", "c"]


@pytest.fixture(params=[partials, moments], autouse=True)
def way(request, monkeypatch):
    """Both ways to a panel: grouped where the rows are, and row by row."""
    monkeypatch.setattr(sys.modules[__name__], "WAY", request.param)


WAY = partials


def panel(rows, stats, axis, role="transactions"):
    """Rows are (customer, occurred_at, known_at or None, value); the customers are a, b and c."""
    frame = pd.DataFrame(rows, columns=["customer_id", "occurred_at", "known_at", "value"])
    frame["occurred_at"] = pd.to_datetime(frame.occurred_at, format="ISO8601").astype("datetime64[us]")
    known = pd.to_datetime(frame.known_at, format="ISO8601").astype("datetime64[us]")
    frame["known_at"] = known.fillna(frame.occurred_at)
    table = ibis.duckdb.connect().create_table("events", frame)
    found = WAY(table, role, stats, axis).to_pyarrow().combine_chunks()
    everybody = ibis.memtable({"customer_id": IDS}).to_pyarrow()
    return panel_of(found, different_ids(everybody["customer_id"]), stats, axis)


def window(made: Panel, at: dt.date) -> Window:
    edge = made.axis.edge(at)
    return Window(made.known_at(edge), np.arange(len(IDS)), None, edge)


ROWS = [
    ("a", "2024-01-31", None, 1.0),  # the first moment of the last 30 days
    ("a", "2024-02-29 23:59:59.9", None, 2.0),  # the last moment before t
    ("a", "2024-03-01", None, 4.0),  # t itself
    ("b", "2024-01-30 23:59:59.9", None, 8.0),  # just before the last 30 days
    ("b", "1999-01-01", None, 16.0),
]


def test_windows_are_half_open():
    axis = TimeAxis.of([T, dt.date(2024, 3, 31)], [30, 90])
    made = panel(ROWS, [Stat("count"), Stat("sum", "value")], axis)
    at = window(made, T)
    assert at.last(30).count().tolist() == [2, 0, 0]
    assert at.last(30).sum("value").tolist() == [3, 0, 0]
    assert at.last(30, before=30).sum("value").tolist() == [0, 8, 0]
    assert at.sum("value").tolist() == [3, 24, 0]
    assert window(made, dt.date(2024, 3, 31)).last(30).sum("value").tolist() == [4, 0, 0]


def test_a_row_counts_in_its_own_time_once_it_is_known():
    later = dt.date(2024, 3, 31)
    axis = TimeAxis.of([T, later], [30])
    rows = [
        ("a", "2024-02-10", "2024-02-29 23:59:59", 1.0),
        ("a", "2024-02-10", "2024-03-01", 2.0),  # known at t: not before it
        ("a", "2024-02-10", "2024-01-01", 4.0),  # known before it occurred: it can't be
    ]
    made = panel(rows, [Stat("sum", "value")], axis)
    assert window(made, T).last(30).sum("value").tolist() == [5, 0, 0]
    assert window(made, later).last(30, before=30).sum("value").tolist() == [7, 0, 0]


def test_a_day_known_in_two_periods_is_one_day():
    later = dt.date(2024, 3, 31)
    rows = [
        ("a", "2024-02-10 08:00", None, 0),
        ("a", "2024-02-10 09:00", "2024-03-05", 0),
        ("a", "2024-02-11", None, 0),
    ]
    made = panel(rows, [Stat("active_days"), Stat("count")], TimeAxis.of([T, later], [30]))
    assert window(made, T).active_days().tolist() == [2, 0, 0]
    assert window(made, later).active_days().tolist() == [2, 0, 0]
    assert window(made, later).count().tolist() == [3, 0, 0]


def test_of_several_values_at_one_moment_the_largest_is_last():
    rows = [
        ("a", "2024-02-10 10:00", None, 3.0),
        ("a", "2024-02-10 10:00", None, 5.0),
        ("b", "2024-02-10 10:00:00.1", None, 5.0),
        ("b", "2024-02-10 10:00:00.9", None, 3.0),
        ("c", "2024-02-10 10:00", None, 7.0),
        ("c", "2024-02-11 10:00", None, np.nan),
    ]
    stats = [Stat("last", "value"), Stat("last_at", "value")]
    found = window(panel(rows, stats, TimeAxis.of([T], [30])), T).last_value("value")
    assert found.tolist() == [5.0, 3.0, 7.0]


def test_distinct_values_and_extremes():
    rows = [("a", "2024-02-01", None, v) for v in (1.0, 1.0, 4.0)] + [("b", "2024-02-01", None, 9.0)]
    stats = [Stat(kind, "value") for kind in ("bits", "sum", "count", "max", "min")]
    at = window(panel(rows, stats, TimeAxis.of([T], [30])), T)
    assert at.distinct("value").tolist() == [2, 1, 0]
    np.testing.assert_array_equal(at.max("value"), [4, 9, np.nan])
    np.testing.assert_array_equal(at.min("value"), [1, 9, np.nan])


def test_decayed_counts_take_the_age_of_the_end_of_the_period():
    """Periods of 10 days: [02-20, 03-01) has age 0, [02-10, 02-20) age 10."""
    rows = [("a", "2024-02-20", None, 0), ("a", "2024-02-19 23:59:59", None, 0), ("b", "2024-02-29", None, 0)]
    axis = TimeAxis.of([T, dt.date(2024, 5, 30)], [10])
    at = window(panel(rows, [Stat("count")], axis), T)
    np.testing.assert_allclose(at.decayed_count(10), [1.5, 1.0, 0.0])


def test_sums_beyond_the_decimals_stay_sums():
    rows = [("a", "2024-02-01", None, 1e20), ("a", "2024-02-02", None, 0.25)]
    at = window(panel(rows, [Stat("sum", "value")], TimeAxis.of([T], [30])), T)
    assert at.sum("value")[0] == pytest.approx(1e20)
