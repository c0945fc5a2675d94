import datetime as dt

import ibis
import numpy as np
import pandas as pd
import pytest

from configs.errors import ConfigError, DataError
from configs.schema import Churn
from pipeline.retention.activity import activity_table
from pipeline.retention.goals import Goal, benchmark_table, goal_table
from pipeline.retention.periods import periods_until
from pipeline.retention.point_value import point_value
from pipeline.retention.rate import retention_of

HISTORY = pd.DataFrame(
    {
        "period": ["2024-01", "2024-02", "2024-03", "2024-04"],
        "complete": [True, True, True, False],
        "rate": [70.0, 64.0, 61.0, np.nan],
        "engagement": [1.0, 2.0, 3.0, 9.0],
    }
)


@pytest.mark.parametrize(
    ("goal", "status", "by", "since", "periods"),
    [
        (Goal("rate", at_least=65), "missed", -4.0, "2024-02", 2),
        (Goal("rate", at_least=61), "reached", 0.0, "2024-01", 3),
        (Goal("rate", at_most=65), "reached", 4.0, "2024-02", 2),
        (Goal("engagement", change="rising"), "reached", 1.0, "2024-02", 2),
        (Goal("rate", change="rising"), "missed", -3.0, "2024-02", 2),
        (Goal("rate", change="falling"), "reached", 3.0, "2024-02", 2),
    ],
)
def test_goals(goal, status, by, since, periods):
    row = goal_table([goal], {"month": HISTORY}).iloc[0]
    assert (row.status, row["by"], row.since, row.periods, row.period) == (
        status,
        by,
        since,
        periods,
        "2024-03",
    )


def test_goals_without_a_value_are_unknown():
    early = HISTORY.assign(complete=False)
    row = goal_table([Goal("rate", at_least=65)], {"month": early}).iloc[0]
    assert (row.status, row.periods) == ("unknown", 0)
    first = goal_table([Goal("rate", change="rising")], {"month": HISTORY.head(1)}).iloc[0]
    assert first.status == "unknown"


def test_goals_that_nothing_measures_are_all_named():
    with pytest.raises(ConfigError) as caught:
        goal_table([Goal("nps", at_least=1), Goal("rate", at_least=1, unit="quarter")], {"month": HISTORY})
    assert "goals: nps: is not measured by month; known: rate, engagement" in str(caught.value)
    assert "goals: rate: is not measured by quarter" in str(caught.value)
    with pytest.raises(ConfigError, match="exactly one"):
        Goal("rate", at_least=1, at_most=2)


def test_benchmarks_carry_source_and_date():
    table = benchmark_table()
    assert table.source.str.len().gt(0).all()
    assert set(table.dated) == {"2017", "undated"}
    assert len(benchmark_table("finance")) < len(table)


def test_activity_by_hand():
    bought = pd.DataFrame(
        [("a", "2024-01-10", 10.0), ("b", "2024-01-20", 20.0), ("a", "2024-02-05", 8.0)],
        columns=["customer_id", "occurred_at", "amount"],
    )
    used = pd.DataFrame({"customer_id": list("aab"), "occurred_at": pd.to_datetime(["2024-02-01"] * 3)})
    tables = {
        "transactions": ibis.memtable(bought.assign(occurred_at=pd.to_datetime(bought.occurred_at))),
        "usage": ibis.memtable(used),
    }
    churn = Churn(kind="non_contractual", horizon_days=30, active_days=30)
    as_of = dt.date(2024, 3, 1)
    periods = periods_until(as_of, "month", 2)
    table = activity_table(tables, periods, as_of, retention_of(tables, churn, periods, as_of))
    assert table.purchases.tolist() == [2, 1]
    assert table.usage_events.tolist() == [0, 3]
    assert table.average_customers.tolist() == [1.0, 1.5]
    assert table.engagement.tolist() == [0.0, 2.0]
    assert table.customer_value.tolist() == [30.0, 8 / 1.5]
    assert table.lifetime_value[1] == pytest.approx(8 / 1.5 / 0.5)


def test_worth_of_a_point_by_hand():
    retention = pd.DataFrame(
        {"E": [900, 1000], "adjusted_rate": [80.0, 90.0], "complete": True, "full_history": [False, True]}
    )
    worth = point_value(
        retention, pd.DataFrame({"customer_value": [5.0, 10.0]}), periods_per_year=1, margin=0.5
    )
    assert worth.extra_revenue == pytest.approx(100.0)
    assert worth.extra_margin == pytest.approx(50.0)
    assert worth.extra_customers == pytest.approx(10.0)
    assert any("90.00 % kept" in line for line in worth.assumptions)
    with pytest.raises(DataError, match="not known"):
        point_value(retention.assign(complete=False), pd.DataFrame({"customer_value": [5.0, 10.0]}))


def test_more_than_everybody_cannot_be_kept():
    retention = pd.DataFrame({"E": [10], "adjusted_rate": [99.5], "complete": True, "full_history": True})
    worth = point_value(retention, pd.DataFrame({"customer_value": [1.0]}), periods_per_year=1)
    assert worth.extra_customers == pytest.approx(0.05)
