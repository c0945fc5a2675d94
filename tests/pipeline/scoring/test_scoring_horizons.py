"""Columns of other horizons than the trained one, and when they are asked for."""

import datetime as dt

import ibis
import pytest

from models.prediction.classifier import FittedModel
from models.prediction.horizons import HORIZONS
from models.tracking.registry import Champion
from pipeline.scoring.horizons import Further, horizon_columns, name_of

NIGHT = dt.date(2026, 7, 1)


def champion(edges=(30, 60, 120), better=True):
    model = FittedModel({"horizons": {"edges": list(edges)}}, ())
    return Champion(None, {HORIZONS: model}, {"horizons": {"better_than_even": better}}, 1, "run", "digest")


@pytest.fixture
def config(tiny):
    def make(gap=0, wanted=(30, 90)):
        return tiny(
            transactions="customer_id,occurred_at\n1,2026-01-01",
            churn={"gap_days": gap},
            sections={"model": {"horizons_days": list(wanted)}},
        )

    return make


def test_probabilities_dates_and_the_period_s_losses_are_asked_for(config):
    found = Further.of(champion(), config(), NIGHT)
    assert (found.wanted, found.lost_days, found.gap_days) == ((30, 90), 31, 0)  # July has 31 days
    assert found.names == (
        "churn_probability_30d",
        "churn_probability_90d",
        "expected_on",
        "expected_from",
        "expected_until",
        "lost_",
    )


@pytest.mark.parametrize(
    ("gap", "edges", "better"),
    [(7, (30, 60), True), (0, (10, 30), True), (0, (30, 60), False)],
    ids=["after a gap", "beyond the last edge", "no better than evenly spread"],
)
def test_the_rate_does_not_take_curves_that_do_not_tell_its_period(config, gap, edges, better):
    found = Further.of(champion(edges, better), config(gap), NIGHT)
    assert found.lost_days is None
    assert found.gap_days == gap
    assert "lost_" not in found.names


def test_a_curve_that_ends_with_the_period_tells_it(config):
    assert Further.of(champion((10, 31)), config(), NIGHT).lost_days == 31


def test_nothing_further_is_asked_where_the_model_knows_of_one_horizon_or_none_is_wanted(config):
    assert Further.of(Champion(None, {}, {}, 1, "run", "digest"), config(), NIGHT) is None
    assert Further.of(champion(), config(wanted=()), NIGHT) is None


def test_days_become_dates_and_what_is_beyond_the_model_s_sight_is_null():
    nan = float("nan")
    rows = ibis.memtable(
        {
            "customer_id": ["a", "b"],
            name_of(30): [0.25, nan],
            "expected_on": [0.0, 31.9],
            "expected_until": [nan, 366.0],
            "lost_": [0.1, 0.2],
        }
    )
    columns = horizon_columns(rows, NIGHT)
    assert list(columns) == ["churn_probability_30d", "expected_on", "expected_until"]
    found = rows.select("customer_id", **columns).order_by("customer_id").to_pyarrow()
    assert found["churn_probability_30d"].to_pylist() == [0.25, None]
    assert found["expected_on"].to_pylist() == [NIGHT, dt.date(2026, 8, 1)]
    assert found["expected_until"].to_pylist() == [None, dt.date(2027, 7, 2)]
