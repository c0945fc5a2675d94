"""Forecasts on disk: a file a night, read back as they were."""

import datetime as dt

import pytest

from configs.errors import ChurnError
from pipeline.retention.forecast.expected import RateForecast
from pipeline.retention.forecast.store import keep_forecasts, stored

DAY = dt.date(2026, 7, 1)


def forecast(day, rate=95.0):
    return RateForecast(day, day, dt.date(2026, 8, 1), 100, 5.0, rate, 91.0, 99.0, 2.2, "rate")


def test_a_night_is_kept_once_and_later_nights_are_not_seen_before_them(tmp_path):
    folder = tmp_path
    keep_forecasts(folder, [forecast(DAY, 90.0)], "1")
    first = keep_forecasts(folder, [forecast(DAY)], "2").read_bytes()
    assert keep_forecasts(folder, [forecast(DAY)], "2").read_bytes() == first
    keep_forecasts(folder, [forecast(dt.date(2026, 7, 2))], "2")
    assert stored(folder)[["as_of", "rate", "model_version"]].values.tolist() == [
        [DAY, 95.0, "2"],
        [dt.date(2026, 7, 2), 95.0, "2"],
    ]
    assert stored(folder, before=dt.date(2026, 7, 2))["as_of"].tolist() == [DAY]
    assert stored(tmp_path / "none").empty


def test_a_damaged_file_is_named_with_what_to_do(tmp_path):
    keep_forecasts(tmp_path, [forecast(DAY)], "1").write_bytes(b"no parquet")
    with pytest.raises(
        ChurnError, match=r"2026-07-01.parquet: not readable: .*; restore it, or move it away"
    ):
        stored(tmp_path)
