"""Day first or month first: told by how the days lie when both read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from pipeline.sources.parsing import tidy, tidy_format
from pipeline.sources.profiles import Profile

_FEWEST_DAYS = 3
MUCH_CLOSER = 3


def by_spread(column: Profile) -> tuple[str, ...] | None:
    """The reading under which the days lie close together; None where both are as likely.

    The first twelve days of a month read the other way round are the same day of twelve months.

    Examples
    --------
    >>> few = Profile("at", "time", 3, 3, 3, samples=("01/12/2010", "02/12/2010", "03/12/2010"),
    ...               formats=(("%m/%d/%Y",), ("%d/%m/%Y",)))
    >>> by_spread(few)
    ('%d/%m/%Y',)
    """
    spans = {formats: _span(column.samples, formats) for formats in column.formats[:2]}
    if len(spans) < 2 or any(days < _FEWEST_DAYS for days, _ in spans.values()):
        return None
    (one, (_, short)), (_, (_, long)) = sorted(spans.items(), key=lambda item: item[1][1])
    return one if long >= MUCH_CLOSER * max(short, 1) else None


def _span(values: Sequence[str], formats: Sequence[str]) -> tuple[int, int]:
    """Different days, and days from the first to the last."""
    days = {day for value in values if (day := _day(value, formats)) is not None}
    return len(days), (max(days) - min(days)).days if days else 0


def _day(value: str, formats: Sequence[str]) -> dt.date | None:
    for fmt in formats:
        try:
            return dt.datetime.strptime(tidy(value.strip(), fmt), tidy_format(fmt)).date()
        except ValueError:
            continue
    return None
