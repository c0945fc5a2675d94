"""The newest forecasts beside what came of the past ones, and what a night publishes of both."""

import datetime as dt
from dataclasses import replace

import pandas as pd
import pytest

from configs.errors import ConfigError
from pipeline.layout import layout_of
from pipeline.retention.forecast.expected import RateForecast
from pipeline.retention.forecast.store import keep_forecasts
from pipeline.retention.table import Ahead
from pipeline.retention.tables import forecast
from tests.pipeline.shop import AS_OF, asked, result, table_of

SPRING, SUMMER = dt.date(2024, 5, 1), dt.date(2024, 6, 1)


def forecast_of(day, end, rate=80.0, spread=15.0, measure="rate"):
    return RateForecast(day, day, end, 100, 100 - rate, rate, rate - spread, rate + spread, 4.0, measure)


def keep(config, *forecasts):
    for one in forecasts:
        keep_forecasts(layout_of(config).forecasts, [one], "1")


def test_without_a_forecast_the_command_that_makes_one_is_named(shop):
    config = shop()
    with pytest.raises(
        ConfigError, match=r"no forecast in .* up to 2024-07-01; `churn score` makes one every night"
    ):
        result("forecast", config)
    keep(config, forecast_of(AS_OF + dt.timedelta(days=1), dt.date(2024, 8, 1)))
    with pytest.raises(ConfigError, match="no forecast in"):  # one of tomorrow is none yet
        result("forecast", config)


def test_past_ones_stand_beside_what_came_and_the_newest_waits(shop):
    config = shop()
    keep(
        config,
        forecast_of(SPRING, SUMMER),
        forecast_of(SUMMER, AS_OF),
        forecast_of(AS_OF, dt.date(2024, 8, 1)),
    )
    found = result("forecast", config)
    rows = pd.DataFrame(found.values["rows"])
    assert rows["start"].str[:10].tolist() == ["2024-05-01", "2024-06-01", "2024-07-01"]
    assert rows["came"].notna().tolist() == [True, True, False]
    for row in rows.dropna(subset="came").itertuples():
        assert row.error == pytest.approx(row.came - row.rate)
        assert row.inside == (row.low <= row.came <= row.high)
    held = int(rows["inside"].eq(True).sum())
    assert f"{held} of 2 past forecasts held what came in their 95 % interval" in found.text


def test_an_interval_that_holds_nothing_is_told_so(shop):
    config = shop()
    keep(config, forecast_of(SPRING, SUMMER, rate=1.0, spread=0.5))
    assert "0 of 1 past forecasts held what came in their 95 % interval" in result("forecast", config).text


def test_while_none_is_due_it_is_said(shop):
    config = shop()
    keep(config, forecast_of(AS_OF, dt.date(2024, 8, 1)))
    found = result("forecast", config)
    assert "no forecast has come due yet" in found.text
    assert len(found.values["rows"]) == 1


def test_so_many_past_ones_are_shown_as_are_asked_for(shop):
    config = shop()
    keep(
        config,
        forecast_of(dt.date(2024, 4, 1), SPRING),
        forecast_of(SPRING, SUMMER),
        forecast_of(SUMMER, AS_OF),
    )
    rows = pd.DataFrame(result("forecast", config, own={"periods": 2}).values["rows"])
    assert rows["start"].str[:10].tolist() == ["2024-05-01", "2024-06-01"]


def question(config, ahead=None):
    return replace(asked(table_of("forecast"), config, AS_OF), ahead=ahead)


def test_a_night_publishes_tonights_below_the_past_ones(shop):
    config = shop()
    past = pd.DataFrame({"as_of": [SUMMER], "measure": ["rate"], "came": [82.0]})
    made = (
        forecast_of(AS_OF, dt.date(2024, 8, 1)),
        forecast_of(AS_OF, dt.date(2024, 7, 31), measure="window"),
    )
    found = forecast.nightly(question(config, Ahead(made, past)))
    assert found["as_of"].tolist() == [SUMMER, AS_OF, AS_OF]
    assert found["measure"].tolist() == ["rate", "rate", "window"]
    assert found["came"].isna().tolist() == [False, True, True]


def test_without_past_ones_tonights_stand_alone_and_without_any_there_is_no_table(shop):
    config = shop()
    made = (forecast_of(AS_OF, dt.date(2024, 8, 1)),)
    found = forecast.nightly(question(config, Ahead(made, pd.DataFrame())))
    assert found["as_of"].tolist() == [AS_OF]
    assert forecast.nightly(question(config)).empty
