"""Who churned, on tables of a screen; the edges of the windows are in `tests/oracle/test_one_definition.py`."""

import datetime as dt

import ibis
import pandas as pd

from configs.schema import Churn
from features.labels import labelled, mature_of, window_outcomes

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
