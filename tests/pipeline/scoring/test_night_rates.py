"""The retention tables of a night: published, logged, forecast."""

import datetime as dt
import gc
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from configs.errors import ConfigError
from pipeline.dataset.matrix import matrix_and_rows
from pipeline.layout import layout_of
from pipeline.retention.definition.scope import Scope
from pipeline.retention.forecast.expected import RateForecast
from pipeline.retention.forecast.store import keep_forecasts
from pipeline.scoring.night_rates import NightRates, night_rates, no_rates, times_of
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


def copies(sources):
    tables, views = (
        f"select {kind}_name from duckdb_{kind}s() where temporary" for kind in ("table", "view")
    )
    asked = f"{tables} union all {views} and view_name like '%numbered' order by 1"
    return sources.connection.con.sql(asked).fetchall()


@pytest.mark.parametrize("divided", [False, True])
def test_copies_at_hand_are_gone_before_anything_is_drawn(shop, tmp_path, monkeypatch, divided):
    config = shop()
    sources, scores, _ = scored(config)
    before = copies(sources)
    monkeypatch.setattr("pipeline.dataset.shards.ROWS_A_SHARD", 500)
    rows = matrix_and_rows(sources, config, [AS_OF])[1] if divided else None
    made = night_rates(sources, config, AS_OF, scores, tmp_path, rows=rows)
    gc.collect()
    assert copies(sources) == before
    assert set(made.pictures) == {"cohorts", "survival"}


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


def a_night(unit="month", measure="rate", start=AS_OF, end=dt.date(2024, 8, 1), **columns):
    """Two periods that are over and one that is not, and a forecast."""
    table = pd.DataFrame(
        {
            "period": ["2024-05", "2024-06", "2024-07"],
            "start": pd.to_datetime(["2024-05-01", "2024-06-01", "2024-07-01"]),
            "end": pd.to_datetime(["2024-06-01", "2024-07-01", "2024-08-01"]),
            "complete": [True, True, False],
            "rate": [90.0, 80.0, np.nan],
            "adjusted_rate": [90.0, 80.0, np.nan],
            **dict(
                zip(
                    ("S", "N", "E", "lost"),
                    ([100, 100, 90], [5, 10, 0], [95, 90, 90], [10, 20, 0]),
                    strict=True,
                )
            ),
            **columns,
        }
    )
    ahead = RateForecast(AS_OF, start, end, 90, 9.0, 90.0, 85.0, 95.0, measure=measure)
    return NightRates(unit, {"rate": table}, {}, (ahead,), ())


def test_the_newest_period_with_a_rate_and_the_forecast_are_logged():
    night = a_night()
    assert night.metrics == {
        "retention/rate": 80.0,
        "retention/adjusted_rate": 80.0,
        "retention/S": 100.0,
        "retention/N": 10.0,
        "retention/E": 90.0,
        "retention/lost": 20.0,
        "forecast/rate_rate": 90.0,
        "forecast/rate_low": 85.0,
        "forecast/rate_high": 95.0,
    }
    goals = pd.DataFrame({"status": ["missed", "reached", "missed", "unknown"]})
    money = pd.DataFrame({"gross_retention": [50.0, 60.0], "net_retention": [70.0, 80.0]})
    found = replace(night, tables={**night.tables, "goals": goals, "revenue": money}).metrics
    assert (found["retention/goals_missed"], found["retention/net_retention"]) == (2.0, 80.0)
    assert found["retention/gross_retention"] == 60.0


@pytest.mark.parametrize(
    ("unit", "numbers"),
    [("month", [652, 653]), ("quarter", [217, 217]), ("year", [54, 54]), ("week", [2834, 2838])],
)
def test_a_period_over_is_a_step_numbered_from_1970(unit, numbers):
    steps = a_night(unit).steps
    assert list(steps) == [
        f"retention_by_{unit}/{name}" for name in ("rate", "adjusted_rate", "S", "N", "E", "lost")
    ]
    rates = steps[f"retention_by_{unit}/rate"]
    assert [number for number, _, _ in rates] == numbers
    assert [value for _, _, value in rates] == [90.0, 80.0]
    assert rates[1][1] == 1000 * int(pd.Timestamp("2024-07-01").timestamp())


@pytest.mark.parametrize(
    ("unit", "start", "end", "label"),
    [
        ("month", dt.date(2024, 7, 1), dt.date(2024, 8, 1), "2024-07"),
        ("month", dt.date(2024, 7, 2), dt.date(2024, 8, 2), "2024-08-01"),
        ("quarter", dt.date(2024, 7, 1), dt.date(2024, 10, 1), "2024-09-30"),
    ],
)
def test_a_forecast_is_called_by_its_month_or_by_its_last_day(unit, start, end, label):
    found = a_night(unit, start=start, end=end).forecast
    assert (found.period, found.rate, found.low, found.high) == (label, 90.0, 85.0, 95.0)


def test_no_forecast_is_shown_beside_a_rate_that_counts_others():
    assert a_night(measure="window").forecast is None
    assert a_night(adjusted_rate=[90.5, 80.0, np.nan]).forecast is not None
    assert a_night(adjusted_rate=[90.6, 80.0, np.nan]).forecast is None


def test_sums_are_written_to_nine_digits_and_excel_gets_its_mark(tmp_path):
    night = a_night(rate=[100 / 3, 1e-12 / 3, np.nan])
    assert night.files == ("retention.csv", "retention.parquet")
    night.write(tmp_path, excel=True)
    text = (tmp_path / "retention.csv").read_bytes()
    assert text.startswith(b"\xef\xbb\xbfperiod,")
    assert pq.read_schema(tmp_path / "retention.parquet").names == list(night.table.columns)
    assert pd.read_parquet(tmp_path / "retention.parquet").rate.tolist()[:2] == [33.3333333, 3.33333333e-13]
    night.write(tmp_path)
    assert (tmp_path / "retention.csv").read_bytes() == text[3:]


def test_a_night_asks_who_is_a_customer_at_the_edges_of_its_periods(shop):
    config = shop(goals=[{"metric": "S", "at_least": 1, "unit": "quarter"}], periods=2)
    found = times_of(config, dt.date(2024, 7, 15), Scope.of(config.retention, running=True))
    told = [f"{moment:%m-%d}" for moment in found]
    assert told == ["01-01", "04-01", "05-01", "06-01", "07-01", "07-15", "08-15"]
