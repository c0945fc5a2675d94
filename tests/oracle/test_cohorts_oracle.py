import datetime as dt

import numpy as np
import pandas as pd
import pytest
import retention_slow as slow
from retention_data import as_tables, cdnow, club, online_retail, open_university, shop

from configs.errors import ConfigError, DataError
from pipeline.retention.cohorts import cohort_matrix, cohort_table
from pipeline.retention.mix import mix_table
from pipeline.retention.periods import periods_until
from pipeline.retention.rate import retention_table
from pipeline.retention.survival import (
    lifetimes,
    logrank_table,
    second_purchases,
    survival_summary,
    survival_table,
)

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


def test_logrank_of_one_group_is_empty():
    frames, churn = club(4)
    assert logrank_table(lifetimes(as_tables(frames), churn, AS_OF)).empty


def test_second_purchase_by_hand():
    bought = pd.DataFrame(
        [
            ("a", "2024-01-01"),
            ("a", "2024-01-01"),
            ("a", "2024-01-11"),
            ("b", "2024-01-05"),
            ("b", "2024-01-25"),
        ],
        columns=["customer_id", "occurred_at"],
    )
    bought = pd.concat([bought, pd.DataFrame([("c", "2024-01-02")], columns=bought.columns)])
    tables = as_tables({"transactions": bought.assign(occurred_at=pd.to_datetime(bought.occurred_at))})
    counts = second_purchases(tables, AS_OF)
    assert counts.drop(columns="segment").values.tolist() == [[10, True, 1], [20, True, 1], [34, False, 1]]
    row = survival_summary(counts).iloc[0]
    assert (row.median_days, row.median_days_of_leavers) == (20.0, 15.0)


def test_second_purchases_need_purchases():
    with pytest.raises(ConfigError, match="transactions"):
        second_purchases(as_tables(club()[0]), AS_OF)


def test_no_customer_no_curve():
    frames, churn = shop()
    none = {role: frame.head(0) for role, frame in frames.items()}
    with pytest.raises(DataError, match="no customer"):
        survival_table(lifetimes(as_tables(none), churn, AS_OF))


def test_mix_and_rate_effect_add_up_to_the_change():
    frames, churn = shop(6, customers=200, purchases=1500)
    tables = as_tables(frames)
    parts = retention_table(tables, churn, AS_OF, periods=6, segment="plan")
    whole = retention_table(tables, churn, AS_OF, periods=6).set_index("period").rate
    table = mix_table(parts, "2023-09", "2024-01")
    total = table.iloc[-1]
    assert total.change == pytest.approx(whole["2024-01"] - whole["2023-09"])
    assert total.mix_effect + total.rate_effect == pytest.approx(total.change)
    with pytest.raises(DataError, match="complete are"):
        mix_table(parts, "2023-09", "2024-02")


def test_a_segment_that_is_new_counts_as_mix():
    rows = [("p", "a", 10, 8), ("q", "a", 10, 8), ("q", "b", 10, 2)]
    table = pd.DataFrame(rows, columns=["period", "segment", "S", "kept"]).assign(complete=True)
    total = mix_table(table, "p", "q").iloc[-1]
    assert (total.mix_effect, total.rate_effect, total.change) == pytest.approx((-30.0, 0.0, -30.0))
