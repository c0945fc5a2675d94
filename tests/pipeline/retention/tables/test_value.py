"""The worth of a point by hand."""

import numpy as np
import pandas as pd
import pytest

from configs.errors import ConfigError, DataError
from pipeline.retention.tables.value import point_value
from tests.pipeline.shop import result


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


def test_a_point_is_worth_its_share(shop):
    config = shop(margin=0.25)
    found = result("value", config)
    row = found.values["rows"][0]
    assert row["extra_margin"] == pytest.approx(0.25 * row["extra_revenue"])
    assert "1 point more" in found.text
    twice = result("value", config, own={"points": 2.0, "margin": 1.0}).values["rows"][0]
    assert twice["extra_revenue"] == twice["extra_margin"] > row["extra_revenue"]


def test_the_year_is_followed_period_by_period():
    """1000 customers at 10 a period: kept 80 % they are 800 and 640, kept 90 % they are 900 and 810."""
    retention = pd.DataFrame(
        {
            "E": [500, 900, 1000],
            "adjusted_rate": [10.0, 70.0, 90.0],
            "complete": True,
            "full_history": True,
        }
    )
    values = pd.DataFrame({"customer_value": [1000.0, 8.0, 12.0]})
    worth = point_value(retention, values, periods_per_year=2, points=10.0, margin=0.5)
    assert (worth.customers, worth.rate, worth.better, worth.each) == (1000, 0.8, pytest.approx(0.9), 10.0)
    assert (worth.periods, worth.per_year, worth.points) == (2, 2, 10.0)
    assert worth.extra_customers == pytest.approx(810 - 640)
    assert worth.extra_revenue == pytest.approx(10 * (900 + 810 - 800 - 640))
    assert worth.extra_margin == pytest.approx(worth.extra_revenue / 2)
    assert [str(line) for line in worth.assumptions] == [
        "1,000 customers today",
        "80.00 % kept per period, the mean of the last 2 complete ones",
        "90.00 % kept with 10 points more, in every one of 2 periods",
        "10.00 revenue per customer and period, the mean of the same periods",
        "50 % of the revenue is left after costs",
        "a customer who is kept buys like the average one; new customers and the cost of keeping are not counted",
    ]


@pytest.mark.parametrize("missing", ["adjusted_rate", "customer_value", "complete", "full_history"])
def test_a_period_counts_when_all_of_it_is_known(missing):
    table = pd.DataFrame(
        {
            "E": [100, 200],
            "adjusted_rate": [50.0, 60.0],
            "customer_value": [1.0, 2.0],
            "complete": True,
            "full_history": True,
        }
    )
    table[missing] = [True, False] if table[missing].dtype == bool else [table[missing][0], np.nan]
    worth = point_value(table, table[["customer_value"]])
    assert (worth.customers, worth.rate, worth.each, worth.periods) == (100, 0.5, 1.0, 1)


def test_money_is_asked_for_by_name(tiny):
    config = tiny(transactions="customer_id,occurred_at\n1,2024-01-01\n2,2024-05-01")
    with pytest.raises(ConfigError, match=r"needs sources\.transactions with the column amount; map it"):
        result("value", config)
