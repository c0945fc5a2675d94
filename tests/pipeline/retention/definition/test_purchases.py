"""What purchases at hand say in arrays is what the engine says of the same rows."""

import datetime as dt
from itertools import pairwise

import pandas as pd
import pytest

from configs.schema import Churn
from features.definition import customers, unpacked_words
from pipeline.retention.definition import purchases
from pipeline.retention.definition.at_hand import at_hand
from pipeline.retention.definition.purchases import purchases_at_hand
from pipeline.retention.tables.survival import lifetimes
from tests.oracle.retention_data import as_tables, shop

MIDNIGHTS = [dt.datetime(2023, month, 1) for month in range(2, 12)]
# As in a place that is 5 hours 45 minutes ahead.
ELSEWHERE = [moment - dt.timedelta(hours=5, minutes=45) for moment in MIDNIGHTS]


def buyers(active_days: int) -> Churn:
    return Churn(kind="non_contractual", horizon_days=30, active_days=active_days)


def of(rows: pd.DataFrame, active_days: int, times: list[dt.datetime]):
    return purchases_at_hand(at_hand(as_tables({"transactions": rows}), times), buyers(active_days))


def test_a_customer_by_hand():
    """Two visits in January and one in May: 60 days after the second the first time is over."""
    days = pd.to_datetime(["2023-01-05 10:00", "2023-01-20 12:30", "2023-05-01 00:00"])
    found = of(pd.DataFrame({"customer_id": "a", "occurred_at": days}), 60, MIDNIGHTS)
    stay = found.stays.execute().iloc[0]
    assert stay["first_at"] == days[0]
    assert stay["lapsed_at"] == days[1] + pd.Timedelta(days=60)
    there = unpacked_words(found.members.to_pyarrow(), len(MIDNIGHTS))[0]
    # At the start of February and March, not of April and May, and of June; on June 30 it is over.
    assert there.tolist() == [True, True, False, False, True, False, False, False, False, False]
    assert found.members.first_index.execute().tolist() == [0]


@pytest.mark.parametrize("rows_at_once", [10, 1_000_000])
@pytest.mark.parametrize("times", [MIDNIGHTS, ELSEWHERE])
@pytest.mark.parametrize("active_days", [7, 60, 500])
def test_arrays_and_the_engine_find_the_same(times, active_days, rows_at_once, monkeypatch):
    monkeypatch.setattr(purchases, "_ROWS_AT_ONCE", rows_at_once)
    frames, _ = shop(seed=7)
    tables, churn = as_tables(frames), buyers(active_days)
    near = at_hand(tables, times)
    want, found = customers(tables, churn, times), purchases_at_hand(near, churn).members
    # Without the customers' names, which are numbers at hand.
    columns = ["first_at", "first_index", "word_0"]
    want, found = (each.select(columns).order_by(columns).execute() for each in (want, found))
    assert want["word_0"].nunique() > 5
    pd.testing.assert_frame_equal(found, want, check_dtype=False)
    as_of = dt.date(2024, 1, 1)
    pd.testing.assert_frame_equal(lifetimes(near, churn, as_of), lifetimes(tables, churn, as_of))


@pytest.mark.parametrize("times", [MIDNIGHTS, ELSEWHERE])
def test_purchases_between_times_are_counted_and_added(times, monkeypatch):
    """Amounts are quarters, so that sums of them are the same in every order; one amount is missing."""
    monkeypatch.setattr(purchases, "_ROWS_AT_ONCE", 10)
    rows = shop(seed=8)[0]["transactions"]
    rows.loc[5, "amount"] = None
    counts, paid = of(rows, 60, times).between(times[2:9:3])
    ends = pd.to_datetime(times[2:9:3])
    for k, (start, end) in enumerate(pairwise(ends)):
        inside = rows[(rows.occurred_at >= start) & (rows.occurred_at < end)]
        assert len(inside) > 20
        assert (counts[k], paid[k]) == (len(inside), inside.amount.sum())
    assert len(counts) == len(paid) == 2


def test_before_and_after_all_purchases_nothing_is_counted():
    rows = pd.DataFrame(
        {"customer_id": ["a"], "occurred_at": pd.to_datetime(["2023-05-05"]), "amount": [2.5]}
    )
    counts, paid = of(rows, 60, MIDNIGHTS).between(MIDNIGHTS[:6])
    assert counts.tolist() == [0, 0, 0, 1, 0]
    assert paid.tolist() == [0, 0, 0, 2.5, 0]


@pytest.mark.parametrize("limit", ["_MOST_SLOTS", "_MOST_CELLS", "_MOST_SEEN"])
def test_what_does_not_fit_into_arrays_is_left_to_the_engine(limit, monkeypatch):
    frames, churn = shop(seed=7)
    want = lifetimes(as_tables(frames), churn, dt.date(2024, 1, 1))
    monkeypatch.setattr(purchases, limit, 1)
    near = at_hand(as_tables(frames), MIDNIGHTS)
    assert purchases_at_hand(near, churn) is None
    pd.testing.assert_frame_equal(lifetimes(near, churn, dt.date(2024, 1, 1)), want)


def test_nobody_has_bought():
    rows = pd.DataFrame({"customer_id": ["a"], "occurred_at": pd.to_datetime(["2023-01-05"])})
    assert of(rows, 60, MIDNIGHTS) is not None
    assert of(rows[:0], 60, MIDNIGHTS) is None
