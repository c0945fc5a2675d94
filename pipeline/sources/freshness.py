"""Do the data reach up to the as-of date? Where they end long before, whatever is counted since then is nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from configs.errors import DataError, HistoryError
from pipeline.languages.said import Said, said_n

STALE_DAYS = 14


@dataclass(frozen=True)
class Freshness:
    """How far the data reach.

    Parameters
    ----------
    newest
        The day of the newest row of the sources that say who is a customer; None without any.
    as_of
        The day that counts as now.
    window_days
        Gap and horizon without a contract: the data of so many days decide who has churned. None with contracts, which
        may go on for long without a row.
    """

    newest: dt.date | None
    as_of: dt.date
    window_days: int | None = None

    @property
    def age_days(self) -> int:
        """Days from the newest row to the as-of date."""
        return 0 if self.newest is None else (self.as_of - self.newest).days

    @property
    def looks(self) -> list[Said]:
        """What a person should look at.

        Examples
        --------
        >>> Freshness(dt.date(2024, 5, 1), dt.date(2024, 6, 1)).looks
        ['the newest row is of 2024-05-01, 31 days before 2024-06-01: bring newer data, or write `as_of: 2024-05-02`']
        """
        return [self._text] if self.age_days > STALE_DAYS else []

    def require(self) -> None:
        """Refuse data that say nothing about the days in which customers would have churned.

        Raises
        ------
        DataError
            When there is no row in all of the newest label window.
        """
        if self.window_days is not None and self.age_days > self.window_days:
            raise DataError(f"the data end too early: {self._text} in the config (or give it with --as-of)")

    @contextmanager
    def told(self) -> Iterator[None]:
        """Say that the data are old with whatever is wrong with their history: it may be the cause.

        Raises
        ------
        HistoryError
            The one that is raised inside, with the newest row where it is old.
        """
        try:
            yield
        except HistoryError as error:
            raise HistoryError("; ".join([str(error), *self.looks])) from error

    @property
    def _text(self) -> Said:
        newest = self.newest or self.as_of
        return said_n(
            "the newest row is of {newest}, {n} day before {day}: bring newer data, or write `{line}`",
            "the newest row is of {newest}, {n} days before {day}: bring newer data, or write `{line}`",
            self.age_days,
            newest=newest,
            day=self.as_of,
            line=f"as_of: {newest + dt.timedelta(days=1)}",
        )
