"""Reasons of endings, coded and counted."""

import datetime as dt

import pandas as pd
import pytest

from configs.errors import ConfigError
from pipeline.retention.definition.periods import periods_until
from pipeline.retention.tables.reasons import reason_table
from tests.oracle.retention_data import as_tables, open_university, shop

AS_OF = dt.date(2024, 2, 5)


def test_reasons_are_coded_and_counted():
    frame = pd.DataFrame(
        {
            "customer_id": list("abcdefg"),
            "started_at": pd.Timestamp("2023-01-01"),
            "ended_at": pd.to_datetime(["2024-01-02"] * 5 + ["2024-02-01", "2024-01-31"]),
            "end_reason": [" Price too HIGH", "competitor", "died", None, "??", "competitor", "competitor"],
        }
    )
    table = reason_table(
        as_tables({"customers": frame}),
        periods_until(AS_OF, "month", 1, running=True),
        AS_OF,
        codes={"price too high": "unhappy"},
        not_churn_reasons=["died"],
    )
    columns = ["period", "code", "controllable", "customers", "share"]
    assert table[columns].values.tolist() == [
        ["2024-01", "competitor", "yes", 2, 40.0],
        ["2024-01", "not_stated", "unknown", 1, 20.0],
        ["2024-01", "uncoded", "unknown", 1, 20.0],
        ["2024-01", "unhappy", "yes", 1, 20.0],
        ["2024-02", "competitor", "yes", 1, 100.0],
    ]
    with pytest.raises(ConfigError, match="known: closed_down"):
        reason_table(as_tables({"customers": frame}), periods_until(AS_OF), AS_OF, codes={"x": "dear"})
    with pytest.raises(ConfigError, match="end_reason"):
        reason_table(as_tables(shop()[0]), periods_until(AS_OF), AS_OF)


def test_real_reasons_equal_a_count():
    frames, churn, as_of = open_university()
    periods = periods_until(as_of, "month", 12)
    table = reason_table(as_tables(frames), periods, as_of, not_churn_reasons=churn.not_churn_reasons)
    c = frames["customers"]
    inside = (c.ended_at >= periods[0].start) & (c.ended_at < periods[-1].end) & (c.end_reason == "withdrawn")
    assert table.customers.sum() == inside.sum() > 100
    assert set(table.code) == {"uncoded"}


def test_whoever_left_after_a_failed_payment_did_not_decide_to():
    """The stated reason stands; where none is stated, or none that is known, the payment tells."""
    people = pd.DataFrame(
        {
            "customer_id": list("abcde"),
            "started_at": pd.Timestamp("2023-01-01"),
            "ended_at": pd.Timestamp("2024-01-20"),
            "end_reason": ["Not_Paid", None, "competitor", "??", None],
        }
    )
    failed = pd.DataFrame(
        {
            "customer_id": list("bcde"),
            "occurred_at": pd.to_datetime(["2024-01-10"] * 4),
            "recovered_at": pd.to_datetime([None, None, None, "2024-01-15"]),
        }
    )
    tables, periods = (
        as_tables({"customers": people, "failed_payments": failed}),
        periods_until(AS_OF, "month", 1),
    )
    table = reason_table(tables, periods, AS_OF)
    assert table[["code", "controllable", "customers", "share"]].values.tolist() == [
        ["payment_failed", "yes", 3, 60.0],
        ["competitor", "yes", 1, 20.0],
        ["not_stated", "unknown", 1, 20.0],
    ]
    assert set(reason_table(tables, periods, AS_OF, dunning_days=5).code) == {
        "payment_failed", "competitor", "uncoded", "not_stated",
    }  # fmt: skip
