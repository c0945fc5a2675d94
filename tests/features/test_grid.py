"""A grid of few periods, cell by cell; that it tells the same as a panel is in `test_reduction`."""

import datetime as dt

import numpy as np
import pytest

from features.grid import Grid
from features.panel import Stat, Window
from features.snapshots import DAY, TimeAxis, seconds

T = dt.date(2024, 3, 1)
AXIS = TimeAxis(T - dt.timedelta(days=100), 10, T)  # ten periods before T
ROWS = np.array([[1, 0, 0], [0, 0, 0], [2, 1, 0], [1, 1, 0]])  # periods 6 to 9 of three customers
FIRST = 6


def moment(period, day=0):
    return seconds(AXIS.origin) + (10 * period + day) * DAY


def cells(*places):
    """Values at (period, customer), NaN elsewhere."""
    found = np.full(ROWS.shape, np.nan)
    for period, customer, value in places:
        found[period - FIRST, customer] = value
    return found


STATS = {
    Stat("count"): ROWS,
    Stat("sum", "paid"): np.array([[5.0, 0, 0], [0, 0, 0], [0.1, 1, 0], [0.2, -1, 0]]),
    Stat("max", "paid"): cells((6, 0, 5.0), (8, 0, 0.3), (8, 1, 1.0), (9, 0, 0.2)),
    Stat("last_at"): cells(
        (6, 0, moment(6, 3)), (8, 0, moment(8, 9)), (8, 1, moment(8)), (9, 0, moment(9, 1))
    ),
    Stat("first_at"): cells(
        (6, 0, moment(6, 3)), (8, 0, moment(8, 2)), (8, 1, moment(8)), (9, 0, moment(9, 1))
    ),
    Stat("last", "paid"): cells((6, 0, 5.0), (8, 1, 1.0)),
    Stat("last_at", "paid"): cells((6, 0, moment(6, 3)), (8, 1, moment(8))),
}


@pytest.fixture(autouse=True, params=[0, 24])
def few_windows(request, monkeypatch):
    """Rows gone through for each window, and what is prepared once for all of them."""
    monkeypatch.setattr("features.grid._FEW_WINDOWS", request.param)


@pytest.fixture
def window():
    return Window(Grid(AXIS, FIRST, ROWS, STATS), np.array([0, 1, 2]), None, 10)


def test_a_window_is_a_run_of_rows(window):
    assert window.count().tolist() == [4, 2, 0]
    assert window.last(20).count().tolist() == [3, 2, 0]
    assert window.last(10, before=10).count().tolist() == [2, 1, 0]
    assert window.last(20, before=20).count().tolist() == [1, 0, 0]


def test_windows_beyond_the_grid_are_empty_and_longer_ones_are_cut(window):
    assert window.last(10, before=50).count().tolist() == [0, 0, 0]
    assert window.last(100).count().tolist() == [4, 2, 0]
    assert np.isnan(window.last(10, before=50).max("paid")).all()


def test_sums_of_a_window_hold_no_rounding_of_its_past(window):
    assert window.last(20).sum("paid").tolist() == [0.1 + 0.2, 0.0, 0.0]


def test_active_periods_and_those_in_a_row(window):
    assert window.active_periods().tolist() == [3, 2, 0]
    assert window.periods_in_a_row().tolist() == [2, 2, 0]
    assert window.last(10).periods_in_a_row().tolist() == [1, 1, 0]
    assert window.last(20, before=10).periods_in_a_row().tolist() == [1, 1, 0]


def test_a_row_of_periods_breaks_where_the_grid_ends_before_the_window():
    short = Grid(AXIS, FIRST, ROWS[:2], {Stat("count"): ROWS[:2]})
    assert Window(short, np.array([0]), None, 10).periods_in_a_row().tolist() == [0]


def test_first_and_last_moments(window):
    np.testing.assert_allclose(window.last_at() * DAY, [moment(9, 1), moment(8), np.nan])
    np.testing.assert_allclose(window.first_at() * DAY, [moment(6, 3), moment(8), np.nan])
    np.testing.assert_allclose(window.last(20).first_at() * DAY, [moment(8, 2), moment(8), np.nan])
    np.testing.assert_allclose(window.last(10, before=20).last_at(), [np.nan] * 3)


def test_the_newest_value_is_that_of_the_newest_moment_that_has_one(window):
    np.testing.assert_allclose(window.last_value("paid"), [5, 1, np.nan])
    np.testing.assert_allclose(window.last(20).last_value("paid"), [np.nan, 1, np.nan])
    np.testing.assert_allclose(window.max("paid"), [5, 1, np.nan])


def test_decay_takes_the_age_of_the_end_of_a_period(window):
    np.testing.assert_allclose(window.decayed_count(10), [1 + 2 / 2 + 1 / 8, 1 + 1 / 2, 0])


def test_only_the_members_are_told_in_their_order():
    window = Window(Grid(AXIS, FIRST, ROWS, STATS), np.array([1, 0]), None, 10)
    assert window.count().tolist() == [2, 4]
    assert window.last(10).sum("paid").tolist() == [-1, 0.2]


def test_nothing_becomes_known_later():
    grid = Grid(AXIS, FIRST, ROWS, STATS)
    assert grid.known_at(3) is grid
    assert grid.customers == 3
