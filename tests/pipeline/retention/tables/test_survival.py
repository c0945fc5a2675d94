"""Lifetimes and curves against a slow product limit."""

import datetime as dt

import numpy as np
import pytest

from configs.errors import DataError
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
