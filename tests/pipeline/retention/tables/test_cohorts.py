"""Cohorts against a slow count of customers."""

import datetime as dt

import pytest

from configs.errors import ConfigError
from pipeline.retention.definition.periods import periods_until
from pipeline.retention.tables.cohorts import cohort_matrix, cohort_table
from tests.oracle import retention_slow as slow
from tests.oracle.retention_data import as_tables, cdnow, club, online_retail, open_university, shop

AS_OF = dt.date(2024, 2, 5)


def check_cohorts(frames, churn, as_of, unit, count, measure):
    fast = cohort_table(as_tables(frames), churn, as_of, unit, periods=count, measure=measure)
    want = slow.cohorts(frames, churn, periods_until(as_of, unit, count), measure)
    assert fast[["cohort", "age", "size", "customers"]].values.tolist() == [list(row) for row in want]
    return fast


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("unit", "count"), [("month", 12), ("week", 65)])
@pytest.mark.parametrize(("company", "measure"), [(shop, "customer"), (shop, "purchase"), (club, "customer")])
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
    frames, churn = shop(3)
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
