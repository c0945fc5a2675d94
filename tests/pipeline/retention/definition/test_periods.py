"""Periods by calendar, zone and name."""

import datetime as dt
import itertools

import pytest

from configs.errors import ConfigError
from pipeline.retention.definition.periods import add_months, first_day, parse_period, periods_until


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


@pytest.mark.parametrize(
    ("unit", "labels", "start", "end"),
    [
        ("week", ["2024-02-19", "2024-02-26"], "2024-02-26", "2024-03-04"),
        ("month", ["2024-01", "2024-02"], "2024-02-01", "2024-03-01"),
        ("quarter", ["2023-Q3", "2023-Q4"], "2023-10-01", "2024-01-01"),
        ("year", ["2022", "2023"], "2023-01-01", "2024-01-01"),
    ],
)
def test_the_last_periods_of_each_unit(unit, labels, start, end):
    found = periods_until(dt.date(2024, 3, 5), unit, 2)
    assert [p.label for p in found] == labels
    assert (str(found[-1].start.date()), str(found[-1].end.date())) == (start, end)


@pytest.mark.parametrize(
    ("as_of", "zone", "running", "label", "complete"),
    [
        # The first of March is not yet there in New York when it is midnight in London.
        (dt.date(2024, 3, 1), "UTC", False, "2024-02", True),
        (dt.date(2024, 3, 1), "America/New_York", False, "2024-01", True),
        (dt.date(2024, 3, 1), "America/New_York", True, "2024-02", False),
        (dt.date(2024, 3, 2), "America/New_York", False, "2024-02", True),
        (dt.date(2024, 3, 1), "Asia/Tehran", False, "2024-02", True),
        # A period that has not begun is none that is running.
        (dt.date(2024, 3, 1), "UTC", True, "2024-02", True),
    ],
)
def test_the_newest_period_is_that_of_the_last_local_midnight(as_of, zone, running, label, complete):
    newest = periods_until(as_of, "month", 3, time_zone=zone, running=running)[-1]
    assert (newest.label, newest.complete) == (label, complete)


def test_rolling_periods_have_none_that_is_running_and_end_at_as_of():
    found = periods_until(dt.date(2024, 3, 30), "month", 3, rolling=True, running=True)
    assert [p.end for p in found][-1] == dt.datetime(2024, 3, 30)
    assert [p.label for p in found] == [
        "2023-12-30..2024-01-30",
        "2024-01-30..2024-02-29",
        "2024-02-29..2024-03-30",
    ]


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        ("2024-01-31", 1, "2024-02-29"),
        ("2023-01-31", 1, "2023-02-28"),
        ("2024-12-15", 1, "2025-01-15"),
        ("2024-01-15", -1, "2023-12-15"),
        ("2024-01-15", -13, "2022-12-15"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2024-05-31", 0, "2024-05-31"),
    ],
)
def test_months_later_is_the_same_day_or_the_last_one(day, months, then):
    assert add_months(dt.date.fromisoformat(day), months) == dt.date.fromisoformat(then)


@pytest.mark.parametrize(
    ("unit", "first_weekday", "first"),
    [
        ("week", 0, "2024-08-12"),
        ("week", 2, "2024-08-14"),
        ("week", 3, "2024-08-08"),
        ("week", 6, "2024-08-11"),
        ("month", 0, "2024-08-01"),
        ("quarter", 0, "2024-07-01"),
        ("year", 0, "2024-01-01"),
    ],
)
def test_the_first_day_of_the_unit_that_holds_a_wednesday(unit, first_weekday, first):
    assert first_day(dt.date(2024, 8, 14), unit, first_weekday) == dt.date.fromisoformat(first)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"unit": "day"}, "unit 'day' is unknown; use week, month, quarter or year"),
        ({"count": 0}, "0 periods, first weekday 0: expected one period or more"),
        ({"first_weekday": 7}, "first weekday 7: expected one period or more, weekday 0 to 6"),
        ({"first_weekday": -1}, "weekday 0 to 6"),
    ],
)
def test_what_is_no_period_is_refused(given, message):
    with pytest.raises(ConfigError, match=message):
        periods_until(dt.date(2024, 3, 1), **given)
    assert len(periods_until(dt.date(2024, 3, 1), "week", 1, first_weekday=6)) == 1
