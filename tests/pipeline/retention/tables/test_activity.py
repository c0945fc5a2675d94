"""Activity by period, by hand."""

import datetime as dt

import ibis
import pandas as pd
import pytest

from configs.schema import Churn
from pipeline.retention.definition.periods import periods_until
from pipeline.retention.tables.activity import activity_table
from pipeline.retention.tables.rate import retention_of


def test_activity_by_hand():
    bought = pd.DataFrame(
        [("a", "2024-01-10", 10.0), ("b", "2024-01-20", 20.0), ("a", "2024-02-05", 8.0)],
        columns=["customer_id", "occurred_at", "amount"],
    )
    used = pd.DataFrame({"customer_id": list("aab"), "occurred_at": pd.to_datetime(["2024-02-01"] * 3)})
    tables = {
        "transactions": ibis.memtable(bought.assign(occurred_at=pd.to_datetime(bought.occurred_at))),
        "usage": ibis.memtable(used),
    }
    churn = Churn(kind="non_contractual", horizon_days=30, active_days=30)
    as_of = dt.date(2024, 3, 1)
    periods = periods_until(as_of, "month", 2)
    table = activity_table(tables, periods, as_of, retention_of(tables, churn, periods, as_of))
    assert table.purchases.tolist() == [2, 1]
    assert table.usage_events.tolist() == [0, 3]
    assert table.average_customers.tolist() == [1.0, 1.5]
    assert table.engagement.tolist() == [0.0, 2.0]
    assert table.customer_value.tolist() == [30.0, 8 / 1.5]
    assert table.lifetime_value[1] == pytest.approx(8 / 1.5 / 0.5)
