"""Whether a training is due tonight, and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from configs.nightly import WEEKDAYS, Nightly
from pipeline.languages.names import in_words
from pipeline.languages.said import Said, said, said_n


def due(settings: Nightly, as_of: dt.date, trained: dt.date | None, found: Collection[str]) -> Said | None:
    """Why a training is due; None when it is not.

    Parameters
    ----------
    trained
        As-of date of the last training, whether it was promoted or not; None when none is known.
    found
        Names of the monitoring's checks that found something tonight.

    Examples
    --------
    >>> monday = dt.date(2026, 6, 1)
    >>> due(Nightly(), monday, dt.date(2026, 5, 30), [])
    'sunday 2026-05-31 has come since the training as of 2026-05-30'
    >>> due(Nightly(), monday, dt.date(2026, 5, 31), ["scores"]) is None
    True
    """
    if trained is None:
        return said("no training is known")
    days = (as_of - trained).days
    if days <= 0:
        return None
    since = max((_last(day, as_of) for day in settings.weekdays), default=trained)
    if trained < since:
        return said(
            "{weekday} {since} has come since the training as of {trained}",
            weekday=in_words("weekdays", WEEKDAYS[since.weekday()]),
            since=since,
            trained=trained,
        )
    if settings.train_after_days is not None and days >= settings.train_after_days:
        return said_n(
            "the last training, as of {trained}, is {n} day old",
            "the last training, as of {trained}, is {n} days old",
            days,
            trained=trained,
        )
    if days >= settings.train_pause_days and (why := [c for c in settings.train_when if c in found]):
        return said("the monitoring found: {checks}", checks=[in_words("checks", name) for name in why])
    return None


def _last(weekday: int, as_of: dt.date) -> dt.date:
    """The newest day of that weekday, the date itself included."""
    return as_of - dt.timedelta(days=(as_of.weekday() - weekday) % 7)
