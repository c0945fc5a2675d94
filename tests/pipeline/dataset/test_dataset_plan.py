"""What a matrix takes: periods that meet every window, columns whose sources are there, and who is a customer when."""

import datetime as dt

import ibis
import pandas as pd
import pytest

from configs.errors import ConfigError
from features.panel import Stat
from pipeline.dataset.plan import Plan, members

T, EARLIER = dt.date(2024, 7, 1), dt.date(2024, 6, 1)
SALES = "customer_id,occurred_at\n1,2024-01-01\n"


def tables_of(**columns):
    """Role to a table with these columns."""
    schema = {
        "customer_id": "string",
        "occurred_at": "timestamp",
        "known_at": "timestamp",
        "amount": "float64",
    }
    return {
        role: ibis.memtable(pd.DataFrame(), schema={name: schema[name] for name in names.split()})
        for role, names in columns.items()
    }


def plan_of(config, days=(EARLIER, T), attributes=(), transactions="customer_id occurred_at", **more):
    return Plan.of(config, days, tables_of(transactions=transactions, **more), list(attributes))


def names(plan):
    return {column.name for column, _ in plan.columns}


def test_periods_meet_the_windows_the_step_and_the_activity(tiny):
    plan = plan_of(tiny(transactions=SALES, sections={"snapshots": {"step_days": 30}}))
    assert plan.snapshots == (EARLIER, T)
    assert (plan.axis.period_days, plan.axis.newest) == (30, T)
    finer = plan_of(tiny(transactions=SALES, churn={"active_days": 84}))
    assert finer.axis.period_days == 6  # of 30, 90 and 84 days
    # The step counts although there is one snapshot only: the same periods as for many.
    alone = plan_of(tiny(transactions=SALES, sections={"snapshots": {"step_days": 28}}), days=[T])
    assert alone.axis.period_days == 2


def test_columns_are_those_whose_sources_are_there(tiny):
    config = tiny(transactions=SALES)
    assert "recency_days" in names(plan_of(config))
    assert "spend_sum_30d" not in names(plan_of(config))
    assert "spend_sum_30d" in names(plan_of(config, transactions="customer_id occurred_at amount"))
    assert "usage_count_30d" in names(plan_of(config, usage="customer_id occurred_at"))


def test_the_statistics_are_what_the_columns_read_and_no_more(tiny):
    exclude = ["*"]
    nothing = plan_of(tiny(transactions=SALES, sections={"features": {"exclude": exclude}}))
    assert nothing.columns == ()
    plan = plan_of(tiny(transactions=SALES))
    assert Stat("last_at") in plan.stats["transactions"]
    assert not any(stat.column == "amount" for stat in plan.stats["transactions"])


def test_the_digest_follows_the_declarations_and_not_the_rows(tiny):
    config = tiny(transactions=SALES)
    assert plan_of(config).digest == plan_of(config, days=[T]).digest
    other = tiny(transactions=SALES, sections={"features": {"exclude": ["recency_days"]}})
    assert plan_of(other).digest != plan_of(config).digest
    assert plan_of(config, attributes=["plan"]).digest != plan_of(config).digest


def test_attributes_are_columns_after_the_features_unless_they_are_excluded(tiny):
    config = tiny(transactions=SALES, sections={"features": {"exclude": ["si*"]}})
    plan = plan_of(config, attributes=["plan", "size"])
    assert [fact.name for fact in plan.facts] == ["plan"]
    assert plan.catalogue[-1].name == "plan"
    assert plan.attributes == ("plan", "size")


@pytest.mark.parametrize("section", ["attributes", "facts"])
def test_an_attribute_with_the_name_of_a_feature_is_refused_with_another_name(tiny, section):
    config = tiny(
        transactions=SALES,
        customers="customer_id,recency_days,plan\n1,2,a\n",
        mapped={"customers": {"customer_id": "customer_id"}},
        settings={"customers": {section: ["recency_days", "plan"]}},
    )
    with pytest.raises(ConfigError) as caught:
        plan_of(config)
    (fault,) = caught.value.faults
    assert fault.where == f"sources.customers.{section}.recency_days"
    assert fault.what == "the name is taken by a feature"
    assert fault.fix.startswith("write ")
    assert "recency_days" in fault.fix


def bought(*rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "occurred_at", "known_at"])
    for name in ("occurred_at", "known_at"):
        frame[name] = pd.to_datetime(frame[name], format="ISO8601").astype("datetime64[us]")
    return {"transactions": ibis.memtable(frame)}


def test_members_are_the_customers_of_any_snapshot_by_what_was_known_then(tiny):
    """Active for 90 days: until 2024-06-01 exclusive a purchase counts from 2024-03-03 on."""
    tables = bought(
        ("both", "2024-05-30", "2024-05-30"),
        ("first", "2024-03-03", "2024-03-03"),
        ("late", "2024-05-30", "2024-06-20"),  # became known between the snapshots
        ("never", "2024-03-02 23:59:59", "2024-03-02 23:59:59"),
        ("later", "2024-07-01", "2024-07-01"),
    )
    found = members(tables, tiny(transactions=SALES), [T, EARLIER])
    assert sorted(found.to_pyarrow()["customer_id"].to_pylist()) == ["both", "first", "late"]
