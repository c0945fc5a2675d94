import datetime as dt

import pandas as pd
import pytest
import retention_slow as slow
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from retention_data import as_tables, cdnow, club, online_retail, open_university, shop

from configs.schema import Churn
from pipeline.retention.membership import statuses
from pipeline.retention.periods import Period, periods_until
from pipeline.retention.rate import COUNTS, retention_of, retention_table

NUMBERS = ["S", "N", "E", *COUNTS[2:]]


def agree(fast, rows):
    keys = [c for c in ("period", "segment") if c in fast]
    want = pd.DataFrame(rows).set_index(keys)[NUMBERS].sort_index()
    pd.testing.assert_frame_equal(fast.set_index(keys)[NUMBERS].sort_index(), want, check_index_type=False)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("company", [shop, club])
@pytest.mark.parametrize(
    ("unit", "count", "options"),
    [
        ("month", 12, {"running": True}),
        ("week", 70, {"first_weekday": 6, "time_zone": "Asia/Tehran"}),
        ("quarter", 4, {"rolling": True}),
        ("year", 1, {"time_zone": "America/New_York", "running": True}),
    ],
)
def test_every_period_equals_the_oracle(company, seed, unit, count, options):
    frames, churn = company(seed)
    as_of = dt.date(2024, 2, 5)
    fast = retention_table(as_tables(frames), churn, as_of, unit, periods=count, **options)
    agree(fast, slow.retention(frames, churn, periods_until(as_of, unit, count, **options), as_of))


@pytest.mark.parametrize("company", [shop, club])
def test_segments_equal_the_oracle_and_add_up(company):
    frames, churn = company(5)
    as_of = dt.date(2024, 2, 5)
    tables = as_tables(frames)
    fast = retention_table(tables, churn, as_of, periods=6, segment="plan")
    agree(fast, slow.retention(frames, churn, periods_until(as_of, "month", 6), as_of, "plan"))
    total = retention_table(tables, churn, as_of, periods=6)
    pd.testing.assert_frame_equal(
        fast.groupby("period")[NUMBERS].sum(), total.set_index("period")[NUMBERS], check_index_type=False
    )
    ranges = retention_table(tables, churn, as_of, periods=6, segment="size")
    assert ranges.groupby("period").S.sum().tolist() == total.S.tolist()
    assert ranges.segment.nunique() in (4, 5)


@pytest.mark.parametrize("load", [online_retail, cdnow, open_university])
def test_real_data_equal_the_oracle(load):
    frames, churn, as_of = load()
    fast = retention_table(as_tables(frames), churn, as_of, running=True)
    agree(fast, slow.retention(frames, churn, periods_until(as_of, "month", 12, running=True), as_of))


days = st.integers(0, 120)
purchases = st.lists(st.tuples(st.sampled_from("abcdef"), days, st.sampled_from([0, 1, 86_399])), min_size=1)


@given(purchases, days, st.integers(1, 60), st.integers(1, 50))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_each_customer_has_one_status_and_the_identity_holds(rows, start, length, active_days):
    origin = pd.Timestamp("2024-01-01")
    at = [origin + pd.Timedelta(days=d, seconds=s) for _, d, s in rows]
    bought = pd.DataFrame({"customer_id": [c for c, _, _ in rows], "occurred_at": at})
    plans = pd.DataFrame({"customer_id": list("abcd"), "plan": ["basic", "basic", "plus", None]})
    frames = {"transactions": bought, "customers": plans}
    churn = Churn(kind="non_contractual", horizon_days=30, active_days=active_days)
    a = (origin + pd.Timedelta(days=start)).to_pydatetime()
    b = a + dt.timedelta(days=length)
    tables = as_tables(frames)
    table = statuses(tables, churn, a, b).execute()
    sets = slow.status_sets(frames, churn, a, b)
    assert table.customer_id.is_unique
    for status in ("kept", "lost", "new", "returned"):
        assert set(table.customer_id[table.status == status]) == sets[status]
    period = [Period("p", a, b)]
    row = retention_of(tables, churn, period, dt.date(2025, 1, 1)).iloc[0]
    assert row.E - row.N + row.lost == row.S
    assert row.kept + row.new + row.returned == row.E
    parts = retention_of(tables, churn, period, dt.date(2025, 1, 1), segment="plan")
    assert parts[NUMBERS].sum().tolist() == row[NUMBERS].tolist()
