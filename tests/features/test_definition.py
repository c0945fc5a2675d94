"""Who is a customer: many times at once against one at a time, by what was known then, and by what is known now."""

import datetime as dt

import ibis
import numpy as np
import pandas as pd
import pytest

from configs.schema import Churn
from features.definition import EXCUSED, any_bit, bit_set, customers, customers_at, edge_index, unpacked_words
from tests.oracle import retention_slow as slow
from tests.oracle.retention_data import as_tables, club, shop


def table(**columns):
    return ibis.memtable(pd.DataFrame(columns))


@pytest.mark.parametrize("company", [shop, club])
@pytest.mark.parametrize("count", [1, 60, 61, pytest.param(130, marks=pytest.mark.slow)])
def test_many_times_at_once_are_each_its_own(company, count):
    frames, churn = company(seed=5)
    times = [dt.datetime(2023, 3, 1) + dt.timedelta(days=2 * k, hours=12 * (k % 2)) for k in range(count)]
    found = customers(as_tables(frames), churn, times)
    rows = found.to_pyarrow()
    there = unpacked_words(rows, count)
    ids = np.array(rows["customer_id"].to_pylist())
    for i in {0, count // 2, count - 1}:
        want = slow.customers_at(frames, churn, pd.Timestamp(times[i]))
        assert set(ids[there[:, i]]) == want
        assert set(found.filter(bit_set(found, i)).customer_id.execute()) == want
        by_column = bit_set(found, ibis.literal(i, "int64"))
        assert set(found.filter(by_column).customer_id.execute()) == want
    assert set(found.filter(any_bit(found)).customer_id.execute()) == set(ids[there.any(axis=1)])


def test_a_purchase_counts_when_it_occurred_or_when_it_was_known():
    """Bought on the 1st, known on the 5th, active for 10 days: a customer until the 11th either way."""
    bought = table(
        customer_id=["a"],
        occurred_at=[pd.Timestamp("2024-01-01 12:00")],
        known_at=[pd.Timestamp("2024-01-05 12:00")],
    )
    churn = Churn(kind="non_contractual", horizon_days=30, active_days=10)
    times = [dt.datetime(2024, 1, day) for day in (1, 2, 5, 6, 11, 12)]
    tables = {"transactions": bought}
    now = unpacked_words(customers(tables, churn, times).to_pyarrow(), 6)
    then = unpacked_words(customers(tables, churn, times, as_known_then=True).to_pyarrow(), 6)
    assert now.tolist() == [[False, True, True, True, True, False]]
    assert then.tolist() == [[False, False, False, True, True, False]]


def test_a_customer_who_is_known_too_late_never_was_one():
    bought = table(
        customer_id=["a"], occurred_at=[pd.Timestamp("2024-01-01")], known_at=[pd.Timestamp("2024-02-01")]
    )
    churn = Churn(kind="non_contractual", horizon_days=30, active_days=10)
    times = [dt.datetime(2024, 1, 5), dt.datetime(2024, 2, 5)]
    found = customers({"transactions": bought}, churn, times, as_known_then=True)
    assert unpacked_words(found.to_pyarrow(), 2).tolist() == [[False, False]]


def test_endings_and_starts_have_their_places():
    start = pd.to_datetime(["2024-01-01", "2024-01-15", "2024-01-01"])
    end = pd.to_datetime([None, "2024-02-01", "2024-01-20"])
    people = table(
        customer_id=["a", "b", "c"], started_at=start, ended_at=end, end_reason=[None, "died", "left"]
    )
    churn = Churn(kind="contractual", horizon_days=30, not_churn_reasons=["died"])
    found = customers({"customers": people}, churn, [dt.datetime(2024, 1, 15), dt.datetime(2024, 2, 1)])
    rows = found.order_by("customer_id").to_pyarrow()
    assert rows["first_index"].to_pylist() == [0, 1, 0]
    assert unpacked_words(rows, 2).tolist() == [[True, True], [False, True], [True, False]]
    assert unpacked_words(rows, 2, EXCUSED).tolist() == [[False, False], [False, False], [False, False]]
    later = customers({"customers": people}, churn, [dt.datetime(2024, 1, 15), dt.datetime(2024, 2, 2)])
    excused = unpacked_words(later.order_by("customer_id").to_pyarrow(), 2, EXCUSED)
    assert excused.tolist() == [[False, False], [False, True], [False, False]]


def test_nobody_is_a_customer_without_a_start():
    people = table(customer_id=["a"], started_at=[pd.NaT], ended_at=[pd.NaT])
    churn = Churn(kind="contractual", horizon_days=30)
    tables = {"customers": people.cast({"started_at": "timestamp", "ended_at": "timestamp"})}
    assert customers_at(tables, churn, dt.datetime(2024, 1, 1)).count().execute() == 0


def test_places_among_edges():
    moments = table(
        at=pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-02 00:00:01", None], format="mixed")
    )
    edges = [dt.datetime(2024, 1, 2), dt.datetime(2024, 1, 3)]
    found = moments.select(place=edge_index(moments["at"], edges)).to_pyarrow()
    assert found["place"].to_pylist() == [0, 1, 1, 0]
    assert moments.select(place=edge_index(moments["at"], [])).to_pyarrow()["place"].to_pylist() == [0] * 4
