import datetime as dt

import numpy as np
import pandas as pd
import pytest
import retention_slow as slow
from retention_data import as_tables, cdnow, club, online_retail, open_university, shop
from scipy import stats

from configs.errors import ConfigError, DataError
from pipeline.retention.leaving_reasons import reason_table
from pipeline.retention.lost import audit_table, compare_groups
from pipeline.retention.periods import parse_period, periods_until
from pipeline.retention.revenue import SUMS, revenue_table

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
    assert row[list(SUMS)].tolist() == [30, 40, 20, 6, 3, 13, 25, 4, 3]
    assert (row.gross_retention, row.net_retention) == (35.0, 42.5)
    assert round(row.repeat_share, 3) == 83.333


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


def slow_groups(people, lost, facts, fact):
    value = {c: "(none)" if pd.isna(v) else v for c, v in zip(facts.customer_id, facts[fact], strict=True)}
    rows = {}
    for customer in people:
        mine = rows.setdefault(value.get(customer, "(none)"), [0, 0])
        mine[0] += 1
        mine[1] += customer in lost
    return rows


@pytest.mark.parametrize(
    ("load", "fact", "period"),
    [
        (lambda: (*shop(1, customers=200, purchases=1200), AS_OF), "plan", "2023-10"),
        (lambda: (*club(1, customers=400), AS_OF), "plan", "2023-10"),
        (online_retail, "country", "2011-09"),
        (open_university, "age_band", "2013-09"),
    ],
)
def test_audit_counts_equal_the_oracle(load, fact, period):
    frames, churn, as_of = load()
    month = parse_period(period, as_of)
    table = audit_table(as_tables(frames), churn, month, min_customers=1)
    sets = slow.status_sets(frames, churn, month.start, month.end)
    lost = sets["lost"] - sets["not_churn"]
    people = sets["kept"] | lost
    want = slow_groups(people, lost, frames["customers"], fact)
    mine = table[table.fact == fact].set_index("value")
    assert {v: [r.customers, r.lost] for v, r in mine.iterrows()} == want
    assert (mine.customers + mine.others == len(people)).all()
    assert (mine.lost + mine.others_lost == len(lost)).all()
    tenure = table[table.fact == "tenure_days"]
    assert tenure.customers.sum() == len(people)
    assert table.p_value.is_monotonic_increasing


def test_statistics_of_the_audit_equal_scipy():
    groups = pd.DataFrame(
        {"fact": "f", "value": ["big", "small", "none lost"], "customers": [40, 4, 10], "lost": [20, 3, 0]}
    )
    table = compare_groups(groups, everyone=100, lost=26).set_index("value")
    for row in table.itertuples():
        cells = [[row.lost, row.customers - row.lost], [row.others_lost, row.others - row.others_lost]]
        ratio = stats.contingency.relative_risk(row.lost, row.customers, row.others_lost, row.others)
        if row.lost:
            interval = ratio.confidence_interval(0.95)
            found = (row.risk_ratio, row.low, row.high)
            np.testing.assert_allclose(found, (ratio.relative_risk, interval.low, interval.high))
        if row.Index == "big":
            assert row.p_value == pytest.approx(stats.chi2_contingency(cells, correction=False).pvalue)
        else:
            assert row.p_value == pytest.approx(stats.fisher_exact(cells).pvalue)
    assert table.risk_ratio["none lost"] < 1
    np.testing.assert_allclose(table.p_adjusted, stats.false_discovery_control(table.p_value))


def test_audit_finds_the_plan_that_loses():
    rng = np.random.default_rng(0)
    plan = rng.choice(["basic", "plus"], 2000)
    leaves = rng.random(2000) < np.where(plan == "basic", 0.3, 0.1)
    frame = pd.DataFrame(
        {
            "customer_id": [f"c{k}" for k in range(2000)],
            "started_at": pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 300, 2000), "D"),
            "ended_at": pd.Series(pd.Timestamp("2024-01-15"), range(2000)).where(leaves),
            "end_reason": "price",
            "plan": plan,
            "noise": rng.normal(size=2000),
        }
    )
    churn = club()[1].model_copy(update={"not_churn_reasons": []})
    table = audit_table(as_tables({"customers": frame}), churn, parse_period("2024-01", AS_OF))
    assert set(table.fact[:2]) == {"plan"}
    assert table.p_adjusted[0] < 1e-6
    assert 2 < table.risk_ratio[table.value == "basic"].iloc[0] < 4.5
    assert (table.p_adjusted[table.fact == "noise"] > 0.05).all()


def test_audit_refuses_what_it_cannot_compare():
    frames, churn = club()
    with pytest.raises(DataError, match="not over"):
        audit_table(as_tables(frames), churn, parse_period("2024-02", AS_OF))
    with pytest.raises(DataError, match="nothing to compare"):
        audit_table(as_tables(frames), churn, parse_period("2022-01", AS_OF))


def test_reasons_are_coded_and_counted():
    frame = pd.DataFrame(
        {
            "customer_id": list("abcdefg"),
            "started_at": pd.Timestamp("2023-01-01"),
            "ended_at": pd.to_datetime(["2024-01-02"] * 5 + ["2024-02-01", "2024-01-31"]),
            "end_reason": [" Price too HIGH", "competitor", "died", None, "??", "competitor", "competitor"],
        }
    )
    table = reason_table(
        as_tables({"customers": frame}),
        periods_until(AS_OF, "month", 1, running=True),
        AS_OF,
        codes={"price too high": "unhappy"},
        not_churn_reasons=["died"],
    )
    columns = ["period", "code", "controllable", "customers", "share"]
    assert table[columns].values.tolist() == [
        ["2024-01", "competitor", "yes", 2, 40.0],
        ["2024-01", "not_stated", "unknown", 1, 20.0],
        ["2024-01", "uncoded", "unknown", 1, 20.0],
        ["2024-01", "unhappy", "yes", 1, 20.0],
        ["2024-02", "competitor", "yes", 1, 100.0],
    ]
    with pytest.raises(ConfigError, match="known: closed_down"):
        reason_table(as_tables({"customers": frame}), periods_until(AS_OF), AS_OF, codes={"x": "dear"})
    with pytest.raises(ConfigError, match="end_reason"):
        reason_table(as_tables(shop()[0]), periods_until(AS_OF), AS_OF)


def test_real_reasons_equal_a_count():
    frames, churn, as_of = open_university()
    periods = periods_until(as_of, "month", 12)
    table = reason_table(as_tables(frames), periods, as_of, not_churn_reasons=churn.not_churn_reasons)
    c = frames["customers"]
    inside = (c.ended_at >= periods[0].start) & (c.ended_at < periods[-1].end) & (c.end_reason == "withdrawn")
    assert table.customers.sum() == inside.sum() > 100
    assert set(table.code) == {"uncoded"}
