"""What a period made of each customer, against sets of customers."""

import datetime as dt

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from configs.schema import Churn
from pipeline.retention.definition.movements import COUNTS, count_movements, statuses
from pipeline.retention.definition.periods import Period
from pipeline.retention.tables.rate import retention_of
from tests.oracle import retention_slow as slow
from tests.oracle.retention_data import as_tables

NUMBERS = ["S", "N", "E", *COUNTS[2:]]


days = st.integers(0, 120)


purchases = st.lists(st.tuples(st.sampled_from("abcdef"), days, st.sampled_from([0, 1, 86_399])), min_size=1)


@given(purchases, days, st.integers(1, 60), st.integers(1, 50))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
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


def test_spans_that_overlap_are_counted_each_for_itself():
    """a buys every month, b in January, c from March on; somebody is a customer for 30 days after a purchase."""
    rows = [("a", f"2024-{m:02d}-15") for m in (1, 2, 3, 4)] + [("b", "2024-01-20"), ("c", "2024-03-10")]
    bought = pd.DataFrame(rows, columns=["customer_id", "occurred_at"])
    bought["occurred_at"] = pd.to_datetime(bought.occurred_at)
    tables = as_tables({"transactions": bought})
    churn = Churn(kind="non_contractual", horizon_days=30, active_days=30)
    first, second, third = (dt.datetime(2024, m, 1) for m in (2, 3, 4))
    spans = [
        (first, second),
        (first, third),
        (second, third),
        (dt.datetime(2023, 1, 1), dt.datetime(2023, 2, 1)),
    ]
    found = count_movements(tables, churn, spans).set_index("span")
    assert found.loc[0, ["S", "E", "kept", "lost", "new"]].tolist() == [2, 1, 1, 1, 0]
    assert found.loc[1, ["S", "E", "kept", "lost", "new"]].tolist() == [2, 2, 1, 1, 1]
    assert found.loc[2, ["S", "E", "kept", "lost", "new"]].tolist() == [1, 2, 1, 0, 1]
    assert found.loc[3, list(COUNTS)].tolist() == [0] * len(COUNTS)


def test_who_comes_back_is_not_new_and_who_came_and_went_is_neither():
    rows = [("back", "2024-01-05"), ("back", "2024-05-20"), ("brief", "2024-03-05"), ("here", "2024-05-20")]
    bought = pd.DataFrame(rows, columns=["customer_id", "occurred_at"])
    bought["occurred_at"] = pd.to_datetime(bought.occurred_at)
    tables = as_tables({"transactions": bought})
    churn = Churn(kind="non_contractual", horizon_days=30, active_days=30)
    start, end = dt.datetime(2024, 3, 1), dt.datetime(2024, 6, 1)
    found = statuses(tables, churn, start, end).execute().set_index("customer_id").status
    assert found.to_dict() == {"back": "returned", "here": "new"}
    counted = count_movements(tables, churn, [(start, end)]).iloc[0]
    assert (counted.returned, counted.new, counted.came_and_went, counted.lost) == (1, 1, 1, 0)
