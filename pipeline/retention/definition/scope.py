"""Which periods and which segment a retention table is about: the config's, unless something else is asked for."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

from configs.retention import PeriodUnit, Retention
from pipeline.retention.definition.periods import Period, parse_period, periods_until

PER_YEAR = {"week": 52, "month": 12, "quarter": 4, "year": 1}


@dataclass(frozen=True)
class Scope:
    """Periods and segment.

    Parameters
    ----------
    unit, periods, rolling, running, time_zone, first_weekday
        As in `pipeline.retention.definition.periods.periods_until`.
    segment
        A customer attribute.
    """

    unit: PeriodUnit
    periods: int
    time_zone: str
    first_weekday: int
    rolling: bool = False
    running: bool = False
    segment: str | None = None

    @classmethod
    def of(cls, config: Retention, **given: Any) -> Scope:
        """The config's, with what is given and not None in its place.

        Examples
        --------
        >>> Scope.of(Retention(), unit="week", periods=None).periods
        12
        """
        usual = {name: getattr(config, name) for name in ("unit", "periods", "time_zone", "first_weekday")}
        usual["rolling"] = config.rolling
        return cls(**usual | {name: value for name, value in given.items() if value is not None})

    @property
    def calendar(self) -> dict[str, Any]:
        """What the tables over calendar periods take."""
        return {"periods": self.periods, "time_zone": self.time_zone, "first_weekday": self.first_weekday}

    def plain(self, unit: PeriodUnit | None = None) -> Scope:
        """Calendar periods that are over, of everybody; of another unit when one is named."""
        return replace(self, unit=unit or self.unit, segment=None, rolling=False, running=False)

    def last_complete(self, as_of: dt.date) -> Period:
        """The newest period that is over."""
        return replace(self, periods=1, running=False).until(as_of)[-1]

    def until(self, as_of: dt.date) -> tuple[Period, ...]:
        """The periods before as-of, oldest first."""
        return periods_until(
            as_of, self.unit, rolling=self.rolling, running=self.running, count=self.periods, **self._zone
        )

    def named(self, text: str, as_of: dt.date) -> Period:
        """One period by its name."""
        return parse_period(text, as_of, **self._zone)

    @property
    def _zone(self) -> dict[str, Any]:
        return {"time_zone": self.time_zone, "first_weekday": self.first_weekday}
