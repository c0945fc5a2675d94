"""Rows added up here equal the group-by of DuckDB: the same statistics, cell for cell, window for window."""

import datetime as dt
from decimal import Decimal

import ibis
import numpy as np
import pandas as pd
import pytest

from features import reduction
from features.grid import Grid
from features.panel import Panel, Stat, Window
from features.partials import moments, partials
from features.snapshots import TimeAxis
from pipeline.dataset.engine import different_ids, panel_of

NEWEST = dt.date(2024, 3, 1)
CUSTOMERS = 12
STATS = [
    Stat("count"),
    Stat("active_days"),
    Stat("first_at"),
    Stat("last_at"),
    *(Stat(kind, "channel") for kind in ("count", "bits", "last_at")),
    *(Stat(kind, "value") for kind in ("count", "sum", "min", "max", "bits", "last", "last_at", "first_at")),
    *(Stat(kind, "", "inbound") for kind in ("count", "first_at", "last_at")),
    *(Stat(kind, "value", "inbound") for kind in ("count", "sum", "last_at")),
]


def rows_of(seed, days, late):
    """Contacts of a dozen customers, one of whom nobody asks about; some rows at one moment, some without a value."""
    rng = np.random.default_rng(seed)
    n = 400
    hours = rng.integers(0, days * 24, n) / rng.choice([1, 7], n)
    frame = pd.DataFrame(
        {
            "customer_id": rng.choice([f"c{i:02d}" for i in range(CUSTOMERS)], n),
            "occurred_at": pd.Timestamp(NEWEST) + pd.to_timedelta(20 - hours, unit="h"),
            "value": np.where(
                rng.random(n) < 0.3, np.nan, rng.choice([0.1, 0.2, 17.85, -3.5, 1e6 + 0.01], n)
            ),
            "channel": rng.choice(["mail", "phone", "chat", None], n),
            "direction": rng.choice(["inbound", "outbound", None], n),
        }
    ).astype({"occurred_at": "datetime64[us]"})
    if late:
        waits = pd.to_timedelta(rng.choice([0, 0, 5, 40], n) * 24, unit="h")
        frame["known_at"] = (frame.occurred_at + waits).astype("datetime64[us]")
    return frame


def both(frame, axis):
    """The panel of DuckDB's group-by, and that of the rows."""
    table = ibis.duckdb.connect().create_table("contacts", frame)
    asked = different_ids(
        ibis.memtable({"customer_id": [f"c{i:02d}" for i in range(1, CUSTOMERS + 2)]}).to_pyarrow()[0]
    )
    return [
        panel_of(way(table, "contacts", STATS, axis).to_pyarrow().combine_chunks(), asked, STATS, axis)
        for way in (partials, moments)
    ]


def asked_of(panel, axis, edge, days):
    """Everything that a window tells."""
    members = np.array([0, 3, 4, CUSTOMERS - 2, CUSTOMERS - 1])
    window = Window(panel.known_at(edge), members, None, edge)
    window = window if days is None else window.last(days)
    told = {
        f"count {column} {where}": window.count(column, where)
        for column, where in (("", ""), ("value", "inbound"))
    }
    told |= {
        name: getattr(window, name)() for name in ("active_days", "active_periods", "first_at", "last_at")
    }
    told |= {
        name: getattr(window, name)("value")
        for name in ("sum", "mean", "min", "max", "last_value", "distinct")
    }
    told |= {"channels": window.distinct("channel"), "inbound": window.sum("value", "inbound")}
    told |= {"first": window.first_at("", "inbound"), "last": window.last_at("value", "inbound")}
    told |= {"faded": window.decayed_count(30), "in a row": window.periods_in_a_row()}
    return told | {"gap": window.mean_gap()}


@pytest.mark.parametrize("late", [False, True], ids=["known at once", "known later"])
@pytest.mark.parametrize("most", [10_000_000, 0], ids=["grid", "cells with rows only"])
@pytest.mark.parametrize(("seed", "days", "period"), [(1, 300, 30), (2, 300, 1), (3, 4_000, 90), (4, 25, 30)])
def test_every_window_tells_the_same(monkeypatch, seed, days, period, late, most):
    monkeypatch.setattr(reduction, "_MOST_CELLS", most)
    monkeypatch.setattr(reduction, "_FEW_CELLS", most)
    axis = TimeAxis(NEWEST - dt.timedelta(days=period * 9_000 // period), period, NEWEST)
    grouped, added = both(rows_of(seed, days, late), axis)
    assert isinstance(grouped, Panel)
    assert isinstance(added, Grid) or late or not most
    newest = axis.edge(NEWEST)
    for edge in (newest, newest - 1, newest - max(1, 90 // period), newest - days // period - 5):
        for length in (None, period, 3 * period, 400 * period):
            expected, found = (asked_of(panel, axis, edge, length) for panel in (grouped, added))
            for name, values in expected.items():
                np.testing.assert_allclose(
                    found[name], values, rtol=1e-12, atol=1e-9, err_msg=f"{name} {edge} {length}"
                )


@pytest.mark.parametrize("late", [False, True])
def test_the_order_of_rows_and_other_customers_change_nothing(late):
    frame = rows_of(5, 300, late)
    axis = TimeAxis.of([NEWEST], [30])
    _, first = both(frame, axis)
    _, mixed = both(frame.sample(frac=1, random_state=1), axis)
    _, fewer = both(frame[frame.customer_id != "c07"], axis)
    edge = axis.edge(NEWEST)
    for name, values in asked_of(first, axis, edge, 90).items():
        np.testing.assert_array_equal(asked_of(mixed, axis, edge, 90)[name], values)
        np.testing.assert_array_equal(asked_of(fewer, axis, edge, 90)[name], values)


def test_no_rows_are_nobody_s():
    frame = rows_of(6, 300, late=False)
    _, found = both(frame[:0], TimeAxis.of([NEWEST], [30]))
    edge = found.axis.edge(NEWEST)
    assert Window(found, np.arange(3), None, edge).count().tolist() == [0, 0, 0]


@pytest.mark.parametrize("values", [[1e13, 0.5, -1e13], [0.1] * 3 + [0.2], [9e11, 9e11, 0.25], [-0.0]])
def test_a_sum_is_that_of_the_decimals(values):
    """Large numbers that cancel leave what the small ones make, and tenths add up to tenths."""
    frame = pd.DataFrame({"customer_id": "c01", "occurred_at": pd.Timestamp("2024-02-01"), "value": values})
    frame = frame.astype({"occurred_at": "datetime64[us]"}).assign(channel="mail", direction="inbound")
    axis = TimeAxis.of([NEWEST], [30])
    for panel in both(frame, axis):
        window = Window(panel.known_at(axis.edge(NEWEST)), np.array([0]), None, axis.edge(NEWEST))
        assert window.sum("value").tolist() == [float(sum(Decimal(repr(v)) for v in values))]
