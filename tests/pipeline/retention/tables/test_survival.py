"""Lifetimes and curves against a slow product limit."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from configs.errors import DataError
from configs.schema import Churn
from models.statistics.survival import survival_summary, survival_table
from pipeline.retention.tables.survival import lifetimes
from tests.oracle import retention_slow as slow
from tests.oracle.retention_data import as_tables, cdnow, club, online_retail, open_university, shop

AS_OF = dt.date(2024, 2, 5)


def check_survival(frames, churn, as_of):
    counts = lifetimes(as_tables(frames), churn, as_of)
    want = list(slow.lifetimes(frames, churn, as_of).values())
    assert counts.customers.sum() == len(want)
    assert counts.customers[counts.left].sum() == sum(left for _, left in want)
    curve = survival_table(counts)
    slowly = {0: 1.0} | slow.kaplan_meier(want)
    assert curve.days.tolist() == list(slowly)
    np.testing.assert_allclose(curve.survival, list(slowly.values()), atol=1e-9)
    assert ((curve.low <= curve.survival + 1e-12) | curve.low.isna()).all()
    return survival_summary(counts)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("company", [shop, club])
def test_survival_equals_the_oracle(company, seed):
    check_survival(*company(seed), AS_OF)


@pytest.mark.slow
@pytest.mark.parametrize("load", [online_retail, cdnow, open_university])
def test_real_survival_equals_the_oracle(load):
    check_survival(*load())


def test_no_customer_no_curve():
    frames, churn = shop()
    none = {role: frame.head(0) for role, frame in frames.items()}
    with pytest.raises(DataError, match="no customer"):
        survival_table(lifetimes(as_tables(none), churn, AS_OF))


@pytest.mark.parametrize(
    ("rows", "days", "left"),
    [
        (["2024-01-10"], 30, True),  # lapsed 30 days after the only purchase
        (["2024-01-10", "2024-02-09"], 60, True),  # the second one came on the last day
        (["2024-01-10", "2024-02-10"], 30, True),  # and here a day too late: the first stay counts
        (["2024-03-10"], 22, False),  # still there at as-of
        (["2024-03-02"], 30, False),  # lapses at as-of itself: it is not known yet
        (["2024-03-01 12:00"], 30, True),  # half a day before
    ],
)
def test_a_buyer_s_first_stay_by_hand(rows, days, left):
    bought = pd.DataFrame({"customer_id": "a", "occurred_at": pd.to_datetime(rows, format="ISO8601")})
    churn = Churn(kind="non_contractual", horizon_days=30, active_days=30)
    found = lifetimes(as_tables({"transactions": bought}), churn, dt.date(2024, 4, 1))
    assert found[["days", "left", "customers"]].to_numpy().tolist() == [[days, left, 1]]


def test_stays_of_segments_are_counted_apart():
    bought = pd.DataFrame({"customer_id": list("abc"), "occurred_at": pd.to_datetime(["2024-01-10"] * 3)})
    plans = pd.DataFrame({"customer_id": list("ab"), "plan": ["basic", "basic"]})
    churn = Churn(kind="non_contractual", horizon_days=30, active_days=30)
    tables = as_tables({"transactions": bought, "customers": plans})
    found = lifetimes(tables, churn, dt.date(2024, 4, 1), "plan")
    assert found[["segment", "days", "customers"]].to_numpy().tolist() == [
        ["(none)", 30, 1],
        ["basic", 30, 2],
    ]
