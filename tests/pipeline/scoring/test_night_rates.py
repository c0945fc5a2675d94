"""The retention tables of a night: published, logged, forecast."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from configs.errors import ConfigError
from pipeline.layout import layout_of
from pipeline.retention.forecast.expected import RateForecast
from pipeline.retention.forecast.store import keep_forecasts
from pipeline.scoring.night_rates import night_rates, no_rates
from pipeline.scoring.score_table import ScoreTable
from pipeline.sources.opening import open_sources
from tests.pipeline.shop import AS_OF, maker, purchases, result


@pytest.fixture
def shop(tiny):
    return maker(tiny)


def test_a_table_without_dates_has_no_rates():
    assert no_rates().forecast is None
    assert no_rates().metrics == {}
    assert no_rates().table.empty


def scored(config):
    sources = open_sources(config, AS_OF)
    last = purchases().groupby("customer_id").occurred_at.max()
    here = last[last >= pd.Timestamp(AS_OF) - pd.Timedelta(days=90)].index.tolist()
    p = np.random.default_rng(0).uniform(0.1, 0.6, len(here))
    return sources, ScoreTable.of(here, p, {}), p


def test_a_night_publishes_its_tables_with_the_same_bytes(shop, tmp_path):
    config = shop()
    sources, scores, _ = scored(config)
    found = []
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        night = night_rates(sources, config, AS_OF, scores, tmp_path / "forecasts")
        night.write(folder)
        found.append({f.name: f.read_bytes() for f in folder.iterdir()})
    assert found[0] == found[1]
    assert set(found[0]) == set(night.files)
    assert {
        "retention.csv",
        "retention_by_segment.csv",
        "retention_audit.parquet",
        "retention_cohorts.svg",
    } <= set(night.files)
    table = pd.read_csv(tmp_path / "a" / "retention.csv")
    assert table.S.tolist() == night.table.S.tolist()
    forecast = pd.read_csv(tmp_path / "a" / "retention_forecast.csv")
    assert forecast.measure.tolist() == ["window", "rate"]
    assert night.warnings == ()


def test_what_a_night_logs(shop, tmp_path):
    config = shop()
    sources, scores, p = scored(config)
    night = night_rates(sources, config, AS_OF, scores, tmp_path)
    newest = night.table.iloc[-1]
    assert night.metrics["retention/S"] == newest.S
    assert night.metrics["forecast/window_rate"] == pytest.approx(100 * (1 - p.mean()))
    assert night.forecast.period == "2024-07"
    assert night.metrics["forecast/rate_rate"] == night.forecast.rate > night.metrics["forecast/window_rate"]
    steps = night.steps["retention_by_month/rate"]
    assert [step for step, _, _ in steps] == list(range(steps[0][0], steps[0][0] + 12))
    assert steps[-1][0] == (2024 - 1970) * 12 + 5
    assert steps[-1][1:] == (1_719_792_000_000, newest.rate)


def test_a_goal_that_nothing_measures_spoils_no_night(shop, tmp_path):
    config = shop(goals=[{"metric": "nps", "at_least": 30}])
    sources, scores, _ = scored(config)
    night = night_rates(sources, config, AS_OF, scores, tmp_path)
    assert "goals" not in night.tables
    (line,) = night.warnings
    assert "nps: is not measured by month" in line


def test_forecasts_are_shown_beside_what_came(shop):
    config = shop()
    with pytest.raises(ConfigError, match="churn score"):
        result("forecast", config)
    sources, scores, _ = scored(config)
    for month in (2, 3, 4, 7):
        day = dt.date(2024, month, 1)
        past = RateForecast(day, day, dt.date(2024, month + 1, 1), 90, 9.0, 90.0, 50.0, 100.0, 3.0, "rate")
        keep_forecasts(layout_of(config).forecasts, [past], "1")
    told = result("forecast", config)
    rows = told.values["rows"]
    assert [row["inside"] for row in rows] == [True, True, True, None]
    whole = {row["period"]: row for row in result("rate", config).values["rows"]}
    assert [row["came"] for row in rows[:3]] == [
        pytest.approx(whole[f"2024-0{m}"]["rate"]) for m in (2, 3, 4)
    ]
    assert "3 of 3 past forecasts held what came" in told.text
    night = night_rates(sources, config, AS_OF, scores, layout_of(config).forecasts)
    assert len(night.tables["forecast"]) == 5
