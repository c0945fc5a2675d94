"""Who churned, on tables of a screen; the edges of the windows are in `tests/oracle/test_one_definition.py`."""

import datetime as dt

import ibis
import pandas as pd

from configs.schema import Churn
from features.labels import labelled, mature_of, next_events, window_of, window_outcomes

DAYS = [dt.date(2024, 1, 1), dt.date(2024, 1, 11), dt.date(2024, 1, 21)]  # windows of 10 days


def rows(*customers):
    keys = [(who, number) for who in customers for number in (0, 1, 2, None)]
    frame = pd.DataFrame(keys, columns=["customer_id", "snapshot_number"])
    return ibis.memtable(frame.astype({"snapshot_number": "Int16"}))


def labels(found, churn, *customers):
    told = labelled(rows(*customers), found, churn).order_by("customer_id", "snapshot_number").to_pyarrow()
    names = told["customer_id"].to_pylist()
    values = [
        (who, number, y)
        for who, number, y in zip(names, *(told[c].to_pylist() for c in told.column_names[1:]), strict=True)
    ]
    return {
        who: [next(y for w, n, y in values if (w, n) == (who, number)) for number in (0, 1, 2, None)]
        for who in customers
    }


def test_each_buyer_has_a_label_a_window():
    at = pd.to_datetime(["2024-01-12", "2024-01-20", "2024-02-05"])
    bought = ibis.memtable(pd.DataFrame({"customer_id": ["a", "a", "b"], "occurred_at": at}))
    churn = Churn(kind="non_contractual", horizon_days=10)
    found = window_outcomes({"transactions": bought}, churn, DAYS)
    assert found.customer_id.execute().tolist() == ["a"]
    assert labels(found, churn, "a", "b") == {"a": [1, 0, 1, None], "b": [1, 1, 1, None]}


def test_each_contract_has_a_label_a_window():
    end = pd.to_datetime([None, "2024-01-12", "2024-01-12"])
    people = pd.DataFrame(
        {"customer_id": ["a", "b", "c"], "ended_at": end, "end_reason": [None, "left", "died"]}
    )
    churn = Churn(kind="contractual", horizon_days=10, not_churn_reasons=["died"])
    found = window_outcomes({"customers": ibis.memtable(people)}, churn, DAYS)
    assert labels(found, churn, "a", "b", "c", "unknown") == {
        "a": [0, 0, 0, None],
        "b": [0, 1, None, None],
        "c": [0, None, None, None],
        "unknown": [None, None, None, None],
    }


def test_a_snapshot_is_mature_when_its_window_is_over():
    churn = Churn(kind="contractual", horizon_days=10, gap_days=1)
    assert mature_of([DAYS[1], DAYS[0], DAYS[0]], churn, dt.date(2024, 1, 12)) == DAYS[:1]
    assert mature_of(DAYS, churn, dt.date(2024, 1, 11)) == []


EDGES = [dt.datetime(2024, 1, day) for day in (1, 5, 10)]


def events_of(tables, churn):
    """Customer, number of edges at or before the event, and whether it counts; sorted."""
    told = next_events(tables, churn, EDGES).order_by("customer_id", "edge").to_pyarrow()
    return list(zip(*(told[name].to_pylist() for name in ("customer_id", "edge", "counts")), strict=True))


def test_every_purchase_between_the_edges_counts_once_an_interval():
    days = ["2023-12-31 23:59:59", "2024-01-01", "2024-01-04", "2024-01-05", "2024-01-09 23:59", "2024-01-10"]
    bought = ibis.memtable(
        pd.DataFrame({"customer_id": "a", "occurred_at": pd.to_datetime(days, format="ISO8601")})
    )
    churn = Churn(kind="non_contractual", horizon_days=10)
    assert events_of({"transactions": bought}, churn) == [("a", 1, True), ("a", 2, True)]


def test_an_ending_counts_when_it_is_churn():
    ended = pd.to_datetime(["2024-01-04", "2024-01-05", None, "2024-01-10"])
    people = pd.DataFrame(
        {"customer_id": list("abcd"), "ended_at": ended, "end_reason": ["left", "died", None, "left"]}
    ).assign(started_at=pd.Timestamp("2023-01-01"))
    churn = Churn(kind="contractual", horizon_days=10, not_churn_reasons=["died"])
    assert events_of({"customers": ibis.memtable(people)}, churn) == [("a", 1, True), ("b", 2, False)]


def test_a_window_begins_after_the_gap_and_ends_after_the_horizon():
    assert window_of(dt.date(2024, 2, 28), gap_days=1, horizon_days=1) == (
        dt.date(2024, 2, 29),
        dt.date(2024, 3, 1),
    )
    assert window_of(DAYS[0], gap_days=0, horizon_days=10) == (DAYS[0], DAYS[1])
