"""The periods that the rate is reported for: calendar or rolling, in a time zone, half-open."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

from configs.errors import ConfigError

Unit = Literal["week", "month", "quarter", "year"]
MONTHS: dict[str, int] = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True)
class Period:
    """One period `[start, end)`.

    Parameters
    ----------
    label
        How reports call it, such as `2011-09`, `2011-Q3`, `2011` or the first day of a week.
    start, end
        Naive UTC times of the local midnights that bound it.
    complete
        Whether it is over at the as-of date. The figures of a period that is not are never final.
    """

    label: str
    start: dt.datetime
    end: dt.datetime
    complete: bool = True


def utc_midnight(day: dt.date, time_zone: str = "UTC") -> dt.datetime:
    """Naive UTC time of the midnight that opens `day` in a time zone.

    Examples
    --------
    >>> utc_midnight(dt.date(2011, 7, 1), "Europe/London")
    datetime.datetime(2011, 6, 30, 23, 0)
    """
    try:
        zone = ZoneInfo(time_zone)
    except (KeyError, ValueError, OSError) as error:
        raise ConfigError(f"time zone {time_zone!r} is unknown; use a name such as Europe/London") from error
    return dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC).replace(tzinfo=None)


def add_months(day: dt.date, months: int) -> dt.date:
    """The same day some months later, or the last day of a month that is too short.

    Examples
    --------
    >>> add_months(dt.date(2012, 3, 31), -1)
    datetime.date(2012, 2, 29)
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def shift(day: dt.date, unit: Unit, count: int) -> dt.date:
    """The day `count` units later."""
    if unit == "week":
        return day + dt.timedelta(weeks=count)
    return add_months(day, count * MONTHS[unit])


def first_day(day: dt.date, unit: Unit, first_weekday: int = 0) -> dt.date:
    """First day of the calendar unit that holds `day`; weekday 0 is Monday.

    Examples
    --------
    >>> first_day(dt.date(2011, 9, 14), "quarter"), first_day(dt.date(2011, 9, 14), "week", first_weekday=6)
    (datetime.date(2011, 7, 1), datetime.date(2011, 9, 11))
    """
    if unit == "week":
        return day - dt.timedelta(days=(day.weekday() - first_weekday) % 7)
    size = MONTHS[unit]
    return dt.date(day.year, (day.month - 1) // size * size + 1, 1)


def periods_until(
    as_of: dt.date,
    unit: Unit = "month",
    count: int = 12,
    *,
    time_zone: str = "UTC",
    first_weekday: int = 0,
    rolling: bool = False,
    running: bool = False,
) -> tuple[Period, ...]:
    """The last `count` complete periods before as-of, oldest first.

    Parameters
    ----------
    as_of
        That midnight UTC is now.
    unit, count
        Length and number of the periods.
    time_zone, first_weekday
        Where midnight is, and the day that opens a week: 0 is Monday.
    rolling
        Count the periods back from the last local midnight, not from the calendar's edge.
    running
        Add the calendar period that is not over yet, flagged as incomplete.

    Raises
    ------
    ConfigError
        For an unknown unit or time zone, a count below one or a weekday outside 0..6.

    Examples
    --------
    >>> [p.label for p in periods_until(dt.date(2011, 12, 10), "quarter", 2, running=True)]
    ['2011-Q2', '2011-Q3', '2011-Q4']
    """
    if unit not in ("week", *MONTHS):
        raise ConfigError(f"unit {unit!r} is unknown; use week, month, quarter or year")
    if count < 1 or not 0 <= first_weekday <= 6:
        raise ConfigError(
            f"{count} periods, first weekday {first_weekday}: expected one period or more, weekday 0 to 6"
        )
    now = utc_midnight(as_of)
    last_day = as_of if utc_midnight(as_of, time_zone) <= now else as_of - dt.timedelta(days=1)
    edge = last_day if rolling else first_day(last_day, unit, first_weekday)
    steps = range(-count, 1 if running and not rolling else 0)
    periods = (
        _period(
            shift(edge, unit, k),
            shift(edge, unit, k + 1),
            unit,
            time_zone=time_zone,
            now=now,
            rolling=rolling,
        )
        for k in steps
    )
    return tuple(p for p in periods if p.start < now)


def parse_period(text: str, as_of: dt.date, *, time_zone: str = "UTC", first_weekday: int = 0) -> Period:
    """Read `2011`, `2011-Q3`, `2011-09`, `2011-09-12` (the week that holds it) or `2011-09-01..2011-10-01`.

    Raises
    ------
    ConfigError
        When the text is no period, or lies wholly after as-of.

    Examples
    --------
    >>> parse_period("2011-Q3", dt.date(2011, 12, 1)).end
    datetime.datetime(2011, 10, 1, 0, 0)
    """
    now = utc_midnight(as_of)
    try:
        start, end, unit = _span(text.strip(), first_weekday)
    except ValueError as error:
        raise ConfigError(
            f"period {text!r} is not understood; write 2011, 2011-Q3, 2011-09, 2011-09-12 or FIRST..END"
        ) from error
    period = _period(start, end, unit or "month", time_zone=time_zone, now=now, rolling=unit is None)
    if period.start >= now or period.end <= period.start:
        raise ConfigError(f"period {text!r} is empty or begins after the as-of date {as_of}; choose another")
    return period


def _span(text: str, first_weekday: int) -> tuple[dt.date, dt.date, Unit | None]:
    if ".." in text:
        first, last = (dt.date.fromisoformat(part) for part in text.split("..", 1))
        return first, last, None
    unit: Unit
    if match := re.fullmatch(r"(\d{4})-Q([1-4])", text):
        start, unit = dt.date(int(match[1]), int(match[2]) * 3 - 2, 1), "quarter"
    elif re.fullmatch(r"\d{4}", text):
        start, unit = dt.date(int(text), 1, 1), "year"
    elif re.fullmatch(r"\d{4}-\d{2}", text):
        start, unit = dt.date.fromisoformat(f"{text}-01"), "month"
    else:
        start, unit = first_day(dt.date.fromisoformat(text), "week", first_weekday), "week"
    return start, shift(start, unit, 1), unit


def _period(
    start: dt.date, end: dt.date, unit: Unit, *, time_zone: str, now: dt.datetime, rolling: bool
) -> Period:
    closes = utc_midnight(end, time_zone)
    label = f"{start}..{end}" if rolling else _label(start, unit)
    return Period(label, utc_midnight(start, time_zone), closes, closes <= now)


def _label(start: dt.date, unit: Unit) -> str:
    if unit == "quarter":
        return f"{start.year}-Q{(start.month + 2) // 3}"
    return {"week": str(start), "month": f"{start:%Y-%m}", "year": str(start.year)}[unit]
