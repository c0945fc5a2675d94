"""What a column that can't be read probably holds, so that an error can name the line to write."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Sequence
from functools import cache

from pipeline.sources import amounts, jalali
from pipeline.sources.parsing import EXCEL, UNIX, tidy, tidy_format

_DAYS = (
    "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y%m%d", "%Y.%m.%d", "%Y-%m-%d",
    "%m/%d/%y", "%d/%m/%y", "%d.%m.%y", "%d-%b-%Y", "%d-%b-%y", "%d-%B-%Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y",
    "%B %d, %Y", "%b %d %Y", "%B %d %Y", "%Y-%b-%d", "%a, %d %b %Y", "%a %b %d %Y", "%A, %B %d, %Y",
    "%b-%d-%Y", "%d/%b/%Y", "%d %b, %Y", "%d.%b.%Y", "%Y年%m月%d日", "%G-W%V-%u",
)  # fmt: skip
_CLOCKS = (
    "", "%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p", "%I:%M:%S%p", "%H%M%S", "%H.%M",
)  # fmt: skip
_WHOLE = ("%a %b %d %H:%M:%S %Y", "%d/%b/%Y:%H:%M:%S %z")
_GLUES = (" ", "T", ", ", " at ", "")
_ZONES = ("", "%z", " %z")
_EXCEL_DAYS = 20_000, 80_000  # 1954 to 2119
_MOST_FORMATS = 4
_NEVER = (2999, 9999)  # the years in which what has no end ends
VALUES_SHOWN = 3


def time_formats(values: Sequence[str]) -> list[str]:
    """The formats that fit every value: more than one when day and month can't be told apart.

    Examples
    --------
    >>> time_formats(["12/1/2010 8:26", "3/31/2011 17:05"])
    ['%m/%d/%Y %H:%M']
    >>> time_formats(["01.02.2024"]), time_formats(["1/2/2024"])
    (['%d.%m.%Y'], ['%m/%d/%Y', '%d/%m/%Y'])
    >>> time_formats(["1433221332117"]), time_formats(["1707523200.0"]), time_formats(["40513.35"])
    (['unix_ms'], ['unix_s'], ['excel'])
    >>> time_formats(["2018-11-24  7:19:25 PM"]), time_formats(["soon"])
    (['%Y-%m-%d %I:%M:%S %p'], [])
    """
    return _strptime_formats(values) or _number_formats(values)


def _strptime_formats(values: Sequence[str]) -> list[str]:
    found = _by_shape().get(_shape(values[0]), []) if values else []
    for value in values:
        found = [fmt for fmt in found if _fits(value, fmt)]
        if not found:
            break
    return found


@cache
def _by_shape() -> dict[str, list[str]]:
    """Formats by the shape of what is written in them: trying all of them on a value would take a second."""
    example = dt.datetime(2024, 11, 25, 22, 33, 44, 555_000, tzinfo=dt.UTC)
    found: dict[str, list[str]] = {}
    for day, clock, glue, zone in itertools.product(_DAYS, _CLOCKS, _GLUES, _ZONES):
        if (clock or (glue == " " and not zone)) and (glue or clock == "%H%M%S"):
            fmt = f"{day}{glue if clock else ''}{clock}{zone}"
            found.setdefault(_shape(example.strftime(fmt)), []).append(fmt)
    for fmt in _WHOLE:
        found.setdefault(_shape(example.strftime(fmt)), []).append(fmt)
    return found


def _number_formats(values: Sequence[str]) -> list[str]:
    try:
        numbers = [float(amounts.plain(value)) for value in values]
    except ValueError:
        return []
    low, high = min(numbers, default=0), max(numbers, default=0)
    if numbers and _EXCEL_DAYS[0] <= low and high <= _EXCEL_DAYS[1]:
        return [EXCEL]
    # Moments from 1980 to 2100.
    return [fmt for fmt, unit in UNIX.items() if 3e8 * unit < low and high < 4.1e9 * unit]


def _fits(value: str, fmt: str) -> bool:
    try:
        # %z of Python takes more than that of the engine; both take what `tidy` makes of a text.
        read = dt.datetime.strptime(tidy(value.strip(), fmt), tidy_format(fmt))
    except ValueError:
        return False
    return 1900 <= read.year <= 2100 or read.year in _NEVER


def format_lists(values: Sequence[str]) -> list[list[str]]:
    """Formats that together fit every value, to be tried in order; two lists where day and month can't be told apart.

    Examples
    --------
    >>> format_lists(["2011-01-02", "21/05/2014", "14.03.2014"])
    [['%Y-%m-%d', '%d/%m/%Y', '%d.%m.%Y']]
    >>> format_lists(["2011-01-02 10:00", "02/01/2011"])
    [['%Y-%m-%d %H:%M', '%m/%d/%Y'], ['%Y-%m-%d %H:%M', '%d/%m/%Y']]
    """
    left, parts = list(values), list[list[str]]()
    while left and len(parts) < _MOST_FORMATS:
        # Values of one shape: digits where the first has digits, the same signs between them.
        shape = _shape(left[0])
        alike = [value for value in left if _shape(value) == shape]
        formats = time_formats(alike)
        if not formats:
            return []
        parts.append(formats[:2])
        left = [
            value for value in left if not any(_fits(value, fmt) for fmt in formats) and value not in alike
        ]
    if left or not parts:
        return []
    found = [list(dict.fromkeys(part[0] for part in parts)), list(dict.fromkeys(part[-1] for part in parts))]
    return found[:1] if found[0] == found[1] else found


def _shape(value: str) -> str:
    """Runs of digits as 0 and of letters as a, the signs between them as they are.

    Examples
    --------
    >>> _shape("2 May 2012, 10:05 p.m."), _shape("2012-05-02T10:05:00+03:30")
    ('0 a 0, 0:0 a', '0-0-0a0:0:0+0')
    """
    text = re.sub(r"([+-][0-9]{2}):([0-9]{2})$", r"\1\2", tidy(value.strip(), "%z"))
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"[0-9]+", "0", text))


def advice(
    name: str,
    column: str,
    kind: str,
    values: Sequence[str],
    others: Sequence[str] = (),
) -> str:
    """The line of the config that reads such values, where one is found; else what to do.

    Parameters
    ----------
    values
        What can't be read.
    others
        Other values of the column, which the line has to read as well.

    Examples
    --------
    >>> advice("occurred_at", "Date", "time", ["31.12.2024"])
    "write occurred_at: {column: 'Date', format: '%d.%m.%Y'}"
    >>> advice("amount", "Paid", "number", ["1.234,50"])
    "write decimal: ',' beside the source's uri"
    >>> advice("amount", "Paid", "number", ["1,250"])
    "write thousands: ',' (1250) or, as it is meant, decimal: ',' (1.25) beside the source's uri"
    >>> advice("amount", "Paid", "number", ["1.250"])
    "write decimal: '.' (1.25) or, as it is meant, thousands: '.' (1250) beside the source's uri"
    >>> advice("occurred_at", "تاریخ", "time", ["1403/01/10"])
    "write calendar: jalali beside the source's uri"
    """
    found = _time_line(name, column, values, others) if kind == "time" else _number_line(values, others)
    if found:
        return f"write {found}"
    return "correct it, or map the column's format" if kind == "time" else "correct it"


def _time_line(name: str, column: str, values: Sequence[str], others: Sequence[str]) -> str:
    if values and all(jalali.is_written(amounts.plain(value).strip()) for value in values):
        return "calendar: jalali beside the source's uri"
    every = [*values, *others]
    lists = [[fmt] for fmt in time_formats(every)[:2]] or format_lists(every)
    lines = [
        f"{name}: {{column: '{column}', format: {repr(formats[0]) if len(formats) == 1 else formats}}}"
        for formats in lists
    ]
    return " or, as it is meant, ".join(lines)


_STYLES: Sequence[tuple[str, amounts.Decimal | None, str | None]] = (
    ("decimal: '.'", ".", None),
    ("thousands: ','", None, ","),
    ("decimal: ','", ",", None),
    ("thousands: '.'", None, "."),
)


def _number_line(values: Sequence[str], others: Sequence[str]) -> str:
    lines: dict[tuple[float | None, ...], str] = {}
    for line, decimal, thousands in _STYLES:
        read = tuple(amounts.amount_in(value, decimal, thousands) for value in (*values, *others))
        if values and None not in read:
            lines.setdefault(read, line)
    if len(lines) == 1:
        return f"{next(iter(lines.values()))} beside the source's uri"
    told = [f"{line} ({read[0]:.10g})" for read, line in lines.items()]
    return f"{' or, as it is meant, '.join(told)} beside the source's uri" if told else ""


def is_number(value: str) -> bool:
    """Whether a text is a number in some way of writing, if not in that of the config."""
    return any(amounts.amount_in(value, decimal, thousands) is not None for _, decimal, thousands in _STYLES)


def such_as(values: Sequence[str]) -> str:
    """A few of the values, for a message."""
    return f", such as {', '.join(map(repr, values[:VALUES_SHOWN]))}" if values else ""
