"""What became of contracts, by period."""

import datetime as dt

import ibis
import pandas as pd
import pytest

from configs.errors import ConfigError
from features.contracts import marked
from pipeline.retention.definition.periods import periods_until
from pipeline.retention.tables.contracts import contract_table

AS_OF = dt.date(2024, 4, 1)
ROWS = [  # customer, start, end, amount, trial, paused
    ("ann", "2024-01-05", "2024-02-10", 10.0, "no", None),
    ("ann", "2024-02-10", None, 25.0, "no", "2024-03-03"),
    ("bob", "2024-01-08", "2024-01-20", 0.0, "yes", None),
    ("bob", "2024-01-25", "2024-03-05", 10.0, "no", None),
    ("bob", "2024-02-01", "2024-03-01", 5.0, "no", None),
]


def tables(grace_days=0):
    frame = pd.DataFrame(
        ROWS, columns=["customer_id", "started_at", "ended_at", "amount", "trial", "paused_at"]
    )
    times = {name: pd.to_datetime(frame[name]) for name in ("started_at", "ended_at", "paused_at")}
    return {"contracts": marked(ibis.memtable(frame.assign(**times)), [], grace_days)}


def test_counts_by_period():
    table = contract_table(tables(), periods_until(AS_OF, "month", 3))
    assert table.columns.tolist()[2:] == [
        "started", "ended", "upgrades", "downgrades", "paused", "trials", "converted",
    ]  # fmt: skip
    assert table.drop(columns="complete").values.tolist() == [
        ["2024-01", 2, 0, 0, 0, 0, 1, 1],
        ["2024-02", 2, 1, 2, 0, 0, 0, 0],
        ["2024-03", 0, 2, 0, 1, 1, 0, 0],
    ]


def test_counts_that_no_column_tells_are_missing():
    few = tables()["contracts"].drop("tried", "level", "paused_at", "resumed_at")
    table = contract_table({"contracts": few}, periods_until(AS_OF, "month", 1))
    assert table.columns.tolist() == ["period", "complete", "started", "ended"]
    with pytest.raises(ConfigError, match=r"sources\.contracts"):
        contract_table({}, periods_until(AS_OF, "month", 1))
