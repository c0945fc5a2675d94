"""Survival curves against the product of the textbook, and log-rank tests against its sums."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.errors import DataError
from models.statistics.survival import logrank_table, survival_summary, survival_table
from pipeline.retention.tables.survival import lifetimes
from tests.oracle import retention_slow as slow
from tests.oracle.retention_data import as_tables, club

AS_OF = dt.date(2024, 2, 5)
LIVES = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 30), st.booleans(), st.integers(1, 4)), min_size=1
)


def counted(rows):
    return pd.DataFrame(rows, columns=["segment", "days", "left", "customers"])


def kaplan_meier(rows):
    """Day to share still there: at every day the share that did not leave of those who could have."""
    share, found = 1.0, {}
    for day in sorted({day for day, _, _ in rows}):
        at_risk = sum(n for other, _, n in rows if other >= day)
        share *= 1 - sum(n for other, left, n in rows if other == day and left) / at_risk
        found[day] = share
    return found


@settings(max_examples=25)
@given(LIVES)
def test_the_curve_is_the_product_of_those_who_stayed(rows):
    table = survival_table(counted(rows))
    for segment, curve in table.groupby("segment"):
        expected = {0: 1.0} | kaplan_meier([row[1:] for row in rows if row[0] == segment])
        assert dict(zip(curve.days, curve.survival, strict=True)) == pytest.approx(expected)
        assert curve.days.is_monotonic_increasing
        assert curve.at_risk.iloc[0] == sum(row[3] for row in rows if row[0] == segment)
        bounded = curve.dropna()
        assert (bounded.low <= bounded.survival + 1e-12).all()
        assert (bounded.survival <= bounded.high + 1e-12).all()


@settings(max_examples=15)
@given(LIVES, st.randoms())
def test_neither_order_nor_splitting_a_row_changes_the_curve(rows, random):
    split = [(segment, days, left, 1) for segment, days, left, n in rows for _ in range(n)]
    random.shuffle(split)
    pd.testing.assert_frame_equal(survival_table(counted(split)), survival_table(counted(rows)))


def test_the_interval_is_that_of_the_log_log_by_hand():
    """Four at risk, one leaves on day 10: S = .75, and the variance of log(-log S) is (1 / 12) / log(S)^2."""
    table = survival_table(counted([("a", 10, True, 1), ("a", 20, False, 3)]))
    row = table[table.days == 10].iloc[0]
    away = 1.959964 * np.sqrt(1 / 12) / abs(np.log(0.75))
    assert row.low == pytest.approx(0.75 ** np.exp(away), abs=1e-6)
    assert row.high == pytest.approx(0.75 ** np.exp(-away), abs=1e-6)


def test_whoever_left_on_the_first_day_is_no_one_of_day_0():
    table = survival_table(counted([("a", 0, True, 1), ("a", 4, False, 3)]))
    assert table[["days", "at_risk", "left", "survival"]].values.tolist() == [
        [0, 4, 1, 0.75],
        [4, 3, 0, 0.75],
    ]


def test_without_customers_there_is_no_curve():
    with pytest.raises(DataError, match="no customer has started before the as-of date"):
        survival_table(counted([]))


def test_the_summary_by_hand():
    """Of ten, five leave on days 10..50, the others are watched for 100 days: half are gone on day 50."""
    rows = [("a", day, True, 1) for day in (10, 20, 30, 40, 50)] + [("a", 100, False, 5)]
    found = survival_summary(counted(rows), at_days=(5, 30, 100, 101)).iloc[0]
    assert (found.segment, found.customers, found.left) == ("a", 10, 5)
    assert (found.median_days, found.median_days_of_leavers) == (50.0, 30.0)
    assert (found.survival_5d, found.survival_30d, found.survival_100d) == pytest.approx((1.0, 0.7, 0.5))
    assert np.isnan(found.survival_101d)


def test_a_median_is_null_while_more_than_half_are_there():
    found = survival_summary(counted([("a", 10, True, 4), ("a", 20, False, 6), ("b", 9, False, 2)]))
    assert found.median_days.isna().all()
    assert found.median_days_of_leavers.tolist()[0] == 10.0
    assert np.isnan(found.median_days_of_leavers[1])
    assert found.customers.tolist() == [10, 2]


def test_a_row_of_several_leavers_counts_as_all_of_them():
    found = survival_summary(counted([("a", 10, True, 3), ("a", 90, True, 1)])).iloc[0]
    assert (found.left, found.median_days, found.median_days_of_leavers) == (4, 10.0, 10.0)


def test_logrank_equals_the_textbook_sums():
    frames, churn = club(4)
    table = logrank_table(lifetimes(as_tables(frames), churn, AS_OF, "plan")).set_index("segment")
    spans = slow.lifetimes(frames, churn, AS_OF)
    plan = frames["customers"].set_index("customer_id").plan
    mine = [v for k, v in spans.items() if plan[k] == "basic"]
    others = [v for k, v in spans.items() if plan[k] != "basic"]
    assert abs(table.statistic["basic"]) == pytest.approx(abs(slow.logrank_z(mine, others)))
    assert np.sign(table.statistic["basic"]) == np.sign(slow.logrank_z(mine, others))
    assert table.p_value["basic"] == pytest.approx(table.p_value["plus"])


def test_whoever_leaves_later_has_a_negative_statistic():
    rows = [("late", 50, True, 8), ("late", 60, True, 8), ("soon", 5, True, 8), ("soon", 6, True, 8)]
    table = logrank_table(counted(rows)).set_index("segment")
    assert table.statistic["late"] < -3
    assert table.statistic["soon"] > 3
    assert table.customers.tolist() == [16, 16]


def test_p_values_are_raised_for_the_number_of_tests():
    """Benjamini-Hochberg: the k-th smallest of m times m / k, and never above a later one."""
    rng = np.random.default_rng(0)
    rows = [(name, int(day), True, 1) for name, scale in zip("abcd", (9, 9, 12, 30), strict=True)
            for day in rng.exponential(scale, 25)]  # fmt: skip
    table = logrank_table(counted(rows)).sort_values("p_value")
    raised = table.p_value.to_numpy() * 4 / np.arange(1, 5)
    expected = np.minimum(np.minimum.accumulate(raised[::-1])[::-1], 1)
    np.testing.assert_allclose(table.p_adjusted, expected)


def test_logrank_of_one_group_is_empty():
    frames, churn = club(4)
    assert logrank_table(lifetimes(as_tables(frames), churn, AS_OF)).empty
