"""The Persian calendar against jdatetime, day by day."""

import datetime as dt

import jdatetime

from pipeline.sources.jalali import JALALI_YEARS, microseconds

DAY = 86_400_000_000


def test_every_day_of_the_years_that_are_read():
    first = jdatetime.date(JALALI_YEARS[0], 1, 1).togregorian()
    start = (first - dt.date(1970, 1, 1)).days
    last = (jdatetime.date(JALALI_YEARS[1], 12, 29).togregorian() - dt.date(1970, 1, 1)).days
    for day in range(start, last + 1, 7):
        written = jdatetime.date.fromgregorian(date=dt.date(1970, 1, 1) + dt.timedelta(days=day))
        assert microseconds(f"{written:%Y/%m/%d}", None) == day * DAY


def test_leap_days():
    for year in range(*JALALI_YEARS):
        leap = jdatetime.date(year, 1, 1).isleap()
        assert (microseconds(f"{year}/12/30", None) is not None) == leap


def test_days_that_do_not_exist():
    for text in (
        "1403/00/01",
        "1403/13/01",
        "1403/07/31",
        "1403/01/32",
        "1403/01/10 24:00",
        "2024/01/10",
        "soon",
    ):
        assert microseconds(text, None) is None
