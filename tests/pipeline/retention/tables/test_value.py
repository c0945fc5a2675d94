"""The worth of a point by hand."""

import pandas as pd
import pytest

from configs.errors import DataError
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
