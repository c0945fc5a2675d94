"""Segments by attribute and by range."""

import datetime as dt

import ibis
import pandas as pd
import pytest

from configs.errors import ConfigError
from configs.schema import Churn
from pipeline.retention.tables.rate import retention_table

SHOP = Churn(kind="non_contractual", horizon_days=30, active_days=30)


def purchases(*rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "occurred_at"])
    return {"transactions": ibis.memtable(frame.assign(occurred_at=pd.to_datetime(frame.occurred_at)))}


def test_unknown_segment_names_the_known_ones():
    tables = purchases(("a", "2024-01-20"))
    tables["customers"] = ibis.memtable(pd.DataFrame({"customer_id": ["a"], "plan": ["basic"]}))
    with pytest.raises(ConfigError, match="known: plan"):
        retention_table(tables, SHOP, dt.date(2024, 3, 1), segment="plam")
