"""Cohorts against a slow count of customers."""

import datetime as dt

import pandas as pd
import pytest

from configs.errors import ConfigError
from configs.schema import Churn
from pipeline.retention.definition.periods import periods_until
from pipeline.retention.registry import table_of
from pipeline.retention.results import asked
from pipeline.retention.tables.cohorts import cohort_matrix, cohort_table
from tests.oracle import retention_slow as slow
from tests.oracle.retention_data import as_tables, cdnow, club, online_retail, open_university
from tests.oracle.retention_data import shop as shop_of
from tests.pipeline.shop import AS_OF as SHOP_AS_OF
from tests.pipeline.shop import result

AS_OF = dt.date(2024, 2, 5)


def check_cohorts(frames, churn, as_of, unit, count, measure):
    fast = cohort_table(as_tables(frames), churn, as_of, unit, periods=count, measure=measure)
    want = slow.cohorts(frames, churn, periods_until(as_of, unit, count), measure)
    assert fast[["cohort", "age", "size", "customers"]].values.tolist() == [list(row) for row in want]
    return fast


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("unit", "count"), [("month", 12), ("week", 65)])
@pytest.mark.parametrize(
    ("company", "measure"), [(shop_of, "customer"), (shop_of, "purchase"), (club, "customer")]
)
def test_cohorts_equal_the_oracle(company, measure, unit, count, seed):
    frames, churn = company(seed)
    check_cohorts(frames, churn, AS_OF, unit, count, measure)


@pytest.mark.parametrize(
    ("load", "measure"),
    [
        (online_retail, "purchase"),
        (online_retail, "customer"),
        (cdnow, "purchase"),
        (open_university, "customer"),
    ],
)
def test_real_cohorts_equal_the_oracle(load, measure):
    frames, churn, as_of = load()
    fast = check_cohorts(frames, churn, as_of, "month", 18, measure)
    if load is cdnow:
        assert fast["size"].iloc[0] > 0


def test_cohorts_of_segments_add_up():
    frames, churn = shop_of(3)
    tables = as_tables(frames)
    whole = cohort_table(tables, churn, AS_OF, periods=14)
    parts = cohort_table(tables, churn, AS_OF, periods=14, segment="plan")
    sums = parts.groupby(["cohort", "age"])[["size", "customers"]].sum().reset_index()
    merged = whole[["cohort", "age"]].merge(sums)
    assert merged.customers.tolist() == whole.customers.tolist()
    matrix = cohort_matrix(whole)
    assert matrix.iloc[0].notna().sum() - matrix.iloc[1].notna().sum() == 1


def test_cohorts_by_purchase_need_purchases():
    frames, churn = club()
    with pytest.raises(ConfigError, match="transactions"):
        cohort_table(as_tables(frames), churn, AS_OF, measure="purchase")


def test_cohorts_by_hand():
    """Two started in January, of whom one is left in February; one started in February."""
    rows = [("a", "2024-01-10"), ("a", "2024-02-08"), ("b", "2024-01-15"), ("c", "2024-02-20")]
    bought = pd.DataFrame(rows, columns=["customer_id", "occurred_at"])
    bought["occurred_at"] = pd.to_datetime(bought.occurred_at)
    churn = Churn(kind="non_contractual", horizon_days=30, active_days=30)
    tables, as_of = as_tables({"transactions": bought}), dt.date(2024, 4, 1)
    found = cohort_table(tables, churn, as_of, periods=3)
    told = [
        list(row) for row in found[["cohort", "age", "size", "customers", "rate"]].itertuples(index=False)
    ]
    assert told == [
        ["2024-01", 0, 2, 2, 100.0],
        ["2024-01", 1, 2, 1, 50.0],
        ["2024-01", 2, 2, 0, 0.0],
        ["2024-02", 0, 1, 1, 100.0],
        ["2024-02", 1, 1, 0, 0.0],
    ]
    assert found.started.iloc[0] == pd.Timestamp("2024-01-01")
    bought_again = cohort_table(tables, churn, as_of, periods=3, measure="purchase")
    assert bought_again.customers.tolist() == [2, 1, 0, 1, 0]
    matrix = cohort_matrix(found, "customers")
    assert matrix.loc[("2024-01", 2)].tolist() == [2, 1, 0]
    low, high = found.rate_low[1], found.rate_high[1]
    assert (low, high) == (pytest.approx(9.453, abs=1e-3), pytest.approx(90.547, abs=1e-3))


def test_a_measure_that_nobody_knows_and_a_picture_of_segments_are_refused(shop):
    with pytest.raises(ConfigError, match="--measure 'visit' is unknown; use customer or purchase"):
        result("cohorts", shop(), own={"measure": "visit"})
    found = table_of("cohorts").show(asked(table_of("cohorts"), shop(), SHOP_AS_OF, segment="plan"))
    with pytest.raises(ConfigError, match="leave --segment out"):
        found.picture()
