"""The Persian calendar against its own rules: equinox, months, and leap years in cycles of 33."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.languages.jalali import JALALI_MONTHS, jalali, new_year

YEARS = st.integers(1180, 1630)


@pytest.mark.parametrize(
    ("day", "persian"),
    [
        # As the official calendar of Iran has them.
        ("1979-02-11", (1357, 11, 22)),
        ("2000-03-19", (1378, 12, 29)),
        ("2000-03-20", (1379, 1, 1)),
        ("2017-03-20", (1395, 12, 30)),  # the last day of a leap year
        ("2017-03-21", (1396, 1, 1)),
        ("2021-03-20", (1399, 12, 30)),
        ("2025-03-20", (1403, 12, 30)),
        ("2025-03-21", (1404, 1, 1)),
        ("2024-09-21", (1403, 6, 31)),
        ("2024-09-22", (1403, 7, 1)),
        ("1970-01-01", (1348, 10, 11)),
    ],
)
def test_days_of_the_official_calendar(day, persian):
    assert jalali(dt.date.fromisoformat(day)) == persian


@given(YEARS)
def test_a_year_begins_about_the_equinox_and_has_a_day_more_eight_times_in_33_years(year):
    first = dt.date(1970, 1, 1) + dt.timedelta(days=new_year(year))
    assert dt.date(first.year, 3, 19) <= first <= dt.date(first.year, 3, 22)
    assert first.year == year + 621
    assert new_year(year + 1) - new_year(year) in (365, 366)
    assert new_year(year + 33) - new_year(year) == 33 * 365 + 8


@given(st.dates(dt.date(1850, 1, 1), dt.date(2250, 1, 1)))
def test_the_next_day_is_the_next_day(day):
    (year, month, place), following = jalali(day), jalali(day + dt.timedelta(days=1))
    assert 1 <= month <= len(JALALI_MONTHS)
    assert 1 <= place <= (31 if month <= 6 else 30)
    assert following in {(year, month, place + 1), (year, month + 1, 1), (year + 1, 1, 1)}
    assert (following == (year, month, place + 1)) == (following[2] != 1)
