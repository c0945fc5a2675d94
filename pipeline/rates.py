"""`churn retention`: the tables of `retention` for a config, printed."""

from __future__ import annotations

import datetime as dt

from configs.schema import Config
from pipeline.result import Result, table
from pipeline.retention import retention_table
from pipeline.sources import open_sources


def by_period(config: Config, as_of: dt.date, unit: str, periods: int, segment: str | None) -> Result:
    """The classic rate of the newest complete periods."""
    sources = open_sources(config, as_of)
    frame = retention_table(sources.tables, config.churn, as_of, unit=unit, periods=periods, segment=segment)
    return Result(str(frame), frame)
