"""The time to the second purchase."""

import datetime as dt

import pandas as pd
import pytest

from configs.errors import ConfigError
from models.statistics.survival import survival_summary
from pipeline.retention.tables.second import second_purchases
from tests.oracle.retention_data import as_tables, club

AS_OF = dt.date(2024, 2, 5)


def test_second_purchase_by_hand():
    bought = pd.DataFrame(
        [
            ("a", "2024-01-01"),
            ("a", "2024-01-01"),
            ("a", "2024-01-11"),
            ("b", "2024-01-05"),
            ("b", "2024-01-25"),
        ],
        columns=["customer_id", "occurred_at"],
    )
    bought = pd.concat([bought, pd.DataFrame([("c", "2024-01-02")], columns=bought.columns)])
    tables = as_tables({"transactions": bought.assign(occurred_at=pd.to_datetime(bought.occurred_at))})
    counts = second_purchases(tables, AS_OF)
    assert counts.drop(columns="segment").values.tolist() == [[10, True, 1], [20, True, 1], [34, False, 1]]
    row = survival_summary(counts).iloc[0]
    assert (row.median_days, row.median_days_of_leavers) == (20.0, 15.0)


def test_second_purchases_need_purchases():
    with pytest.raises(ConfigError, match="transactions"):
        second_purchases(as_tables(club()[0]), AS_OF)
