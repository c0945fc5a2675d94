"""The Persian solar calendar: 1403/01/10 is 2024-03-29."""

from __future__ import annotations

import datetime as dt

JALALI_MONTHS = (
    "فروردین", "اردیبهشت", "خرداد", "تیر", "مرداد", "شهریور", "مهر", "آبان", "آذر", "دی", "بهمن", "اسفند",
)  # fmt: skip
_BEGIN = dt.date(1970, 1, 1)


def new_year(year: int) -> int:
    """Days from 1970-01-01 to 1 Farvardin.

    Years recur in cycles of 33 with eight leap years, which is the calendar's own count from 1178 to 1633.

    Examples
    --------
    >>> dt.date(1970, 1, 1) + dt.timedelta(days=new_year(1403))
    datetime.date(2024, 3, 20)
    """
    after = year - 979
    return after * 365 + after // 33 * 8 + (after % 33 + 3) // 4 - 135_061


def jalali(day: dt.date) -> tuple[int, int, int]:
    """Year, month and day of a Gregorian date.

    Examples
    --------
    >>> jalali(dt.date(2024, 3, 29)), jalali(dt.date(2026, 11, 27))
    ((1403, 1, 10), (1405, 9, 6))
    """
    days = (day - _BEGIN).days
    year = day.year - 621
    while new_year(year) > days:
        year -= 1
    past = days - new_year(year)
    month = past // 31 if past < 186 else 6 + (past - 186) // 30
    return year, month + 1, past - month * 30 - min(month, 6) + 1
