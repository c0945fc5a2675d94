"""What a column that can't be read probably holds, so that an error can name the line to write."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from pipeline.sources.parsing import UNIX

_DAYS = (
    "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y%m%d", "%Y.%m.%d",
    "%m/%d/%y", "%d/%m/%y", "%d.%m.%y", "%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y",
)  # fmt: skip
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p", "T%H:%M:%S")
_SHOWN = 3


def time_formats(values: Sequence[str]) -> list[str]:
    """The formats that fit every value: more than one when day and month can't be told apart.

    Examples
    --------
    >>> time_formats(["12/1/2010 8:26", "3/31/2011 17:05"])
    ['%m/%d/%Y %H:%M']
    >>> time_formats(["01.02.2024"]), time_formats(["1/2/2024"])
    (['%d.%m.%Y'], ['%m/%d/%Y', '%d/%m/%Y'])
    >>> time_formats(["1433221332117"]), time_formats(["soon"])
    (['unix_ms'], [])
    """
    found = [f"{day}{clock}" for day in _DAYS for clock in _CLOCKS]
    for value in values:
        found = [fmt for fmt in found if _fits(value, fmt)]
        if not found:
            break
    numbers = [float(value) for value in values if value.isdigit()]
    if not found and numbers and len(numbers) == len(values):
        # Moments from 1980 to 2100.
        return [
            fmt for fmt, unit in UNIX.items() if 3e8 * unit < min(numbers) and max(numbers) < 4.1e9 * unit
        ]
    return found


def _fits(value: str, fmt: str) -> bool:
    try:
        return 1900 <= dt.datetime.strptime(value.strip(), fmt).year <= 2100
    except ValueError:
        return False


def advice(name: str, column: str, kind: str, values: Sequence[str]) -> str:
    """The line of the config that reads such values, where one is found; else what to do.

    Examples
    --------
    >>> advice("occurred_at", "Date", "time", ["31.12.2024"])
    "write occurred_at: {column: 'Date', format: '%d.%m.%Y'}"
    >>> advice("amount", "Paid", "number", ["1.234,50"])
    "write decimal: ',' beside the source's uri"
    """
    if kind == "time" and (formats := time_formats(values)):
        lines = [f"{name}: {{column: '{column}', format: '{fmt}'}}" for fmt in formats[:2]]
        return f"write {' or, as it is meant, '.join(lines)}"
    if kind == "number" and values and all(_is_decimal_comma(value) for value in values):
        return "write decimal: ',' beside the source's uri"
    return "correct it, or map the column's format" if kind == "time" else "correct it"


def _is_decimal_comma(value: str) -> bool:
    whole, comma, rest = value.strip().rpartition(",")
    return bool(comma) and rest.isdigit() and (whole.replace(".", "").lstrip("+-") or "0").isdigit()


def such_as(values: Sequence[str]) -> str:
    """A few of the values, for a message."""
    return f", such as {', '.join(map(repr, values[:_SHOWN]))}" if values else ""
