"""What a training says of other horizons: which are told, which are not, and how well."""

import pytest

from models.backtest.horizons import EVEN, EVERYBODY, MODEL, HorizonTest
from models.prediction.classifier import FittedModel
from models.prediction.horizons import HORIZONS
from pipeline.training.horizons import Horizons

LOOKS_AHEAD = FittedModel(
    {"columns": [], "boosters": [], "members": [], "horizons": {"edges": [7, 30, 90]}}, ()
)


def judged(model, even):
    return HorizonTest({MODEL: model, EVEN: even, EVERYBODY: 0.3}, {7: 0.05, 30: 0.125})


@pytest.mark.parametrize(
    ("wanted", "notes"),
    [
        ((7, 30, 90), ()),
        ((), ()),
        ((30, 91, 365), ("the history looks 90 days ahead: horizons of 91, 365 days are not told",)),
    ],
)
def test_horizons_beyond_the_history_are_not_told_and_that_is_said(wanted, notes):
    assert Horizons(LOOKS_AHEAD, None, wanted).notes == notes


def test_without_enough_events_none_is_told():
    found = Horizons(None, None, (30,))
    assert found.notes == ("too few events for other horizons than churn.horizon_days: they are not told",)
    assert found.held == {}
    assert found.metrics == {}
    assert found.metadata == {"better_than_even": False}


@pytest.mark.parametrize(("model", "better"), [(0.1, True), (0.2, False), (0.3, False)])
def test_the_forecast_rests_on_it_only_where_it_beats_the_even_rate(model, better):
    assert Horizons(LOOKS_AHEAD, judged(model, 0.2), (30,)).metadata == {"better_than_even": better}


def test_metrics_are_those_of_the_wanted_days_and_of_the_contenders():
    found = Horizons(LOOKS_AHEAD, judged(0.1, 0.2), (30, 90))
    assert found.metrics == {
        "brier_30d": 0.125,
        "integrated_brier": 0.1,
        "integrated_brier_even": 0.2,
        "integrated_brier_kaplan_meier": 0.3,
    }
    assert found.held == {HORIZONS: LOOKS_AHEAD}
