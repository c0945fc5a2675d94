"""Periods by calendar, zone and name."""

import datetime as dt
import itertools

import pytest

from configs.errors import ConfigError
from pipeline.retention.definition.periods import parse_period, periods_until


def test_periods():
    months = periods_until(dt.date(2011, 12, 10), "month", 2, running=True)
    assert [(p.label, p.complete) for p in months] == [
        ("2011-10", True),
        ("2011-11", True),
        ("2011-12", False),
    ]
    rolling = periods_until(dt.date(2012, 3, 31), "month", 2, rolling=True)
    assert [p.label for p in rolling] == ["2012-01-31..2012-02-29", "2012-02-29..2012-03-31"]
    sundays = periods_until(dt.date(2011, 9, 14), "week", 1, first_weekday=6)
    assert sundays[0].start == dt.datetime(2011, 9, 4)
    tehran = periods_until(dt.date(2011, 9, 14), "month", 1, time_zone="Asia/Tehran")
    assert tehran[0].start == dt.datetime(2011, 7, 31, 19, 30)
    assert all(a.end == b.start for a, b in itertools.pairwise(months))


def test_periods_are_read_from_text():
    as_of = dt.date(2011, 12, 10)
    spans = {
        "2010": ("2010-01-01", "2011-01-01"),
        "2011-Q4": ("2011-10-01", "2012-01-01"),
        "2011-09": ("2011-09-01", "2011-10-01"),
        "2011-09-14": ("2011-09-12", "2011-09-19"),
        "2011-09-03..2011-09-05": ("2011-09-03", "2011-09-05"),
    }
    for text, (start, end) in spans.items():
        period = parse_period(text, as_of)
        assert (str(period.start.date()), str(period.end.date())) == (start, end)
    assert not parse_period("2011-Q4", as_of).complete
    for wrong in ("2011-13", "Q3", "2012-01", "2011-09-05..2011-09-03"):
        with pytest.raises(ConfigError):
            parse_period(wrong, as_of)
    with pytest.raises(ConfigError, match="time zone"):
        periods_until(as_of, time_zone="Mars")
