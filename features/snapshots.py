"""As-of dates, and the periods between them."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass

DAY = 86_400
EPOCH = dt.date(1970, 1, 1)
_FIRST_DAY = dt.date(1900, 1, 1)


def seconds(day: dt.date) -> int:
    """Seconds from 1970-01-01 to that midnight, UTC.

    Examples
    --------
    >>> seconds(dt.date(1970, 1, 2))
    86400
    """
    return (day - EPOCH).days * DAY


@dataclass(frozen=True)
class TimeAxis:
    """The time axis cut into equal periods whose edges meet every snapshot and every window start.

    Parameters
    ----------
    origin
        The first edge, long before any event.
    period_days
        Length of a period.
    newest
        The newest snapshot; events from here on are never read.

    Examples
    --------
    >>> axis = TimeAxis.of([dt.date(2024, 3, 1), dt.date(2024, 1, 31)], windows_days=[30, 90])
    >>> axis.period_days
    30
    >>> axis.edge(dt.date(2024, 3, 1)) - axis.edge(dt.date(2024, 1, 31))
    1
    """

    origin: dt.date
    period_days: int
    newest: dt.date

    @classmethod
    def of(cls, snapshots: Sequence[dt.date], windows_days: Sequence[int]) -> TimeAxis:
        """The coarsest axis for these snapshots and windows."""
        newest = max(snapshots)
        period = math.gcd(*windows_days, *((newest - s).days for s in snapshots))
        periods = math.ceil((newest - _FIRST_DAY).days / period)
        return cls(newest - dt.timedelta(days=period * periods), period, newest)

    def edge(self, day: dt.date) -> int:
        """Number of the edge at a snapshot; period p lies between edges p and p + 1."""
        return (day - self.origin).days // self.period_days

    def periods(self, days: int) -> int:
        """Length of a window in periods."""
        return days // self.period_days


def back_from(newest: dt.date, step_days: int, count: int) -> list[dt.date]:
    """Snapshots counted back from the newest one, newest first.

    Examples
    --------
    >>> [str(day) for day in back_from(dt.date(2024, 3, 1), 30, 2)]
    ['2024-03-01', '2024-01-31']
    """
    return [newest - dt.timedelta(days=step_days * i) for i in range(count)]


def newest_mature(as_of: dt.date, gap_days: int, horizon_days: int) -> dt.date:
    """The newest snapshot whose label window has passed at `as_of`.

    Examples
    --------
    >>> newest_mature(dt.date(2024, 3, 1), gap_days=0, horizon_days=30)
    datetime.date(2024, 1, 31)
    """
    return as_of - dt.timedelta(days=gap_days + horizon_days)
