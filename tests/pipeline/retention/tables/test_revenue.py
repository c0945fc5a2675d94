"""Revenue by hand, and customer by customer."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from configs.errors import ConfigError
from pipeline.retention.definition.periods import periods_until
from pipeline.retention.tables.revenue import SUMS, revenue_table
from tests.oracle import retention_slow as slow
from tests.oracle.retention_data import as_tables, cdnow, club, online_retail, shop

AS_OF = dt.date(2024, 2, 5)


def check_revenue(frames, as_of, unit, count):
    fast = revenue_table(as_tables(frames), as_of, unit, periods=count)
    want = slow.revenue(frames, periods_until(as_of, unit, count + 1))
    assert fast.period.tolist() == want.period.tolist()
    np.testing.assert_allclose(fast[list(SUMS)], want[list(SUMS)], rtol=1e-9, atol=1e-6)
    return fast


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("unit", "count"), [("month", 11), ("week", 20), ("quarter", 3)])
def test_revenue_equals_the_oracle(seed, unit, count):
    check_revenue(shop(seed)[0], AS_OF, unit, count)


@pytest.mark.parametrize(("load", "count"), [(online_retail, 11), (cdnow, 17)])
def test_real_revenue_equals_the_oracle(load, count):
    frames, _, as_of = load()
    frames["transactions"]["amount"] = frames["transactions"].amount.clip(lower=0)
    table = check_revenue(frames, as_of, "month", count)
    assert table.full_history.all()


def test_revenue_by_hand():
    rows = [
        ("less", "2024-01-05", 10),
        ("less", "2024-02-05", 4),
        ("more", "2024-01-05", 10),
        ("more", "2024-02-05", 13),
        ("gone", "2024-01-09", 20),
        ("won", "2024-02-09", 5),
        ("back", "2023-06-01", 1),
        ("back", "2024-02-01", 8),
    ]
    frame = pd.DataFrame(rows, columns=["customer_id", "occurred_at", "amount"])
    tables = as_tables({"transactions": frame.assign(occurred_at=pd.to_datetime(frame.occurred_at))})
    row = revenue_table(tables, dt.date(2024, 3, 1), periods=1).iloc[0]
    assert row[list(SUMS)].tolist() == [30, 40, 20, 6, 3, 13, 25, 0, 4, 3]
    assert (row.gross_retention, row.net_retention) == (35.0, 42.5)
    assert round(row.repeat_share, 3) == 83.333


def test_what_was_given_back_is_taken_off_when_it_was():
    def rows(*of):
        frame = pd.DataFrame(of, columns=["customer_id", "occurred_at", "amount"])
        return frame.assign(occurred_at=pd.to_datetime(frame.occurred_at))

    bought = rows(
        ("whole", "2024-01-30", 10), ("part", "2024-01-05", 10), ("part", "2024-02-05", 10),
        ("stays", "2024-01-05", 5), ("stays", "2024-02-05", 5),
    )  # fmt: skip
    back = rows(("whole", "2024-02-03", 10), ("part", "2024-02-07", 4))
    tables = as_tables({"transactions": bought, "cancellations": back})
    row = revenue_table(tables, dt.date(2024, 3, 1), periods=1).iloc[0]
    # `whole` brought 10 and then less than nothing: 20 less; `part` 4 less.
    assert row[["revenue", "base_revenue", "lost_revenue", "contraction"]].tolist() == [1, 25, 20, 4]
    assert (row.given_back, row.gross_retention, row.repeat_share) == (14, 4.0, 100.0)


@pytest.mark.parametrize("seed", range(2))
def test_net_revenue_equals_the_oracle(seed):
    frames = shop(seed)[0]
    some = frames["transactions"].sample(frac=0.2, random_state=seed)
    later = some.occurred_at + pd.to_timedelta(np.arange(len(some)) % 40, "D")
    check_revenue({**frames, "cancellations": some.assign(occurred_at=later)}, AS_OF, "month", 8)


def test_revenue_by_segment_adds_up():
    frames, _ = shop(2)
    tables = as_tables(frames)
    whole = revenue_table(tables, AS_OF, periods=6).set_index("period")[list(SUMS)]
    parts = revenue_table(tables, AS_OF, periods=6, segment="plan").groupby("period")[list(SUMS)].sum()
    np.testing.assert_allclose(parts, whole)


def test_revenue_needs_amounts():
    frames, _ = club()
    with pytest.raises(ConfigError, match="amount"):
        revenue_table(as_tables(frames), AS_OF)
