"""What customers paid by period is the same added up in arrays, in the engine, and by hand."""

import datetime as dt

import pandas as pd
import pytest

from configs.schema import Churn
from pipeline.retention.definition import paid, purchases
from pipeline.retention.definition.at_hand import at_hand
from tests.oracle.retention_data import as_tables, shop

EDGES = [dt.datetime(2023, month, 1) for month in range(1, 10)]
SUMS = ["now", "again", "back", "before", "bought", "bought_again"]
BUYERS = Churn(kind="non_contractual", horizon_days=30, active_days=60)


def rows_of(tables, edges, churn=None):
    """All rows by number of the period, without the customers' names, which are numbers at hand."""
    parts = [part.execute() for part in paid.paid_by_period(tables, edges, churn)]
    whole = pd.concat(parts, ignore_index=True).astype(dict.fromkeys(SUMS, float))
    return whole.sort_values(["number", *SUMS], ignore_index=True)[["number", *SUMS]]


@pytest.mark.parametrize("churn", [None, BUYERS])
@pytest.mark.parametrize("given_back", [False, True])
def test_arrays_and_the_engine_find_the_same(churn, given_back, monkeypatch):
    monkeypatch.setattr(purchases, "_ROWS_AT_ONCE", 10)
    frames, _ = shop(seed=5)
    if given_back:
        some = frames["transactions"].iloc[::7]
        frames["cancellations"] = some.assign(
            occurred_at=some["occurred_at"] + pd.Timedelta(days=20), amount=some["amount"] * 1.5
        )[["customer_id", "occurred_at", "amount"]]
    tables = as_tables(frames)
    want, got = rows_of(tables, EDGES), rows_of(at_hand(tables, EDGES), EDGES, churn)
    assert len(want) > 20
    assert (want["back"] > 0).any() == given_back
    pd.testing.assert_frame_equal(got, want, check_dtype=False)


def test_periods_one_by_one():
    """Two purchases in January, the first of all among them; half of one is given back in February; a gap; one more."""
    bought = pd.DataFrame(
        {
            "customer_id": ["a"] * 3,
            "occurred_at": pd.to_datetime(["2023-01-05", "2023-01-20", "2023-04-02"]),
            "amount": [10.0, 4.0, 7.0],
        }
    )
    given = pd.DataFrame(
        {"customer_id": ["a"], "occurred_at": pd.to_datetime(["2023-02-03"]), "amount": [2.0]}
    )
    tables = as_tables({"transactions": bought, "cancellations": given})
    edges = [dt.datetime(2022, 12, 1), *EDGES[:5]]
    for found in (rows_of(tables, edges), rows_of(at_hand(tables, edges), edges)):
        assert found.to_numpy().tolist() == [
            [1, 14.0, 4.0, 0.0, 0.0, 1.0, 1.0],
            [2, -2.0, 0.0, 2.0, 14.0, 0.0, 0.0],
            [3, 0.0, 0.0, 0.0, -2.0, 0.0, 0.0],
            [4, 7.0, 7.0, 0.0, 0.0, 1.0, 1.0],
        ]


def test_too_many_cells_are_left_to_the_engine(monkeypatch):
    frames, _ = shop(seed=6)
    near = at_hand(as_tables(frames), EDGES)
    want = rows_of(near, EDGES)
    monkeypatch.setattr(paid, "_MOST_CELLS", 0)
    assert len(list(paid.paid_by_period(near, EDGES, None))) == 1
    pd.testing.assert_frame_equal(rows_of(near, EDGES), want, check_dtype=False)


def test_large_periods_stand_in_tables_of_their_own_and_small_ones_together(monkeypatch):
    tables = as_tables(shop(seed=5)[0])

    def parts():
        return list(paid.paid_by_period(at_hand(tables, EDGES), EDGES, None))

    together, one = rows_of(at_hand(tables, EDGES), EDGES), len(parts())
    monkeypatch.setattr(paid, "_ROWS_A_TABLE", 1)
    assert (one, len(parts())) == (1, len(EDGES) - 2)
    pd.testing.assert_frame_equal(rows_of(at_hand(tables, EDGES), EDGES), together)
