"""What the monitoring found in the last published nights, for the page: drift, freshness and the rest over time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa

from pipeline.monitoring.checks import LOOK, STOP, Check, frame_of
from pipeline.report.view import NightRow

PAST_NIGHTS = 14
GROUPS = {
    **dict.fromkeys(("silence", "volume", "past"), "freshness"),
    **dict.fromkeys(("features", "categories", "values", "nulls", "hours"), "drift"),
    **dict.fromkeys(("scores", "health", "model_age", "outcome"), "model"),
}
OTHERS = "rows"


def past_nights(
    runs: Path, delivered: Sequence[dt.date], as_of: dt.date, tonight: Sequence[Check]
) -> tuple[NightRow, ...]:
    """How many findings of each kind each of the last `PAST_NIGHTS` nights had, oldest first, tonight last.

    A night whose table is absent or can't be read is left out: it is a picture, and no reason to lose a night.

    Parameters
    ----------
    runs
        Folder of the published nights.
    delivered
        Dates of `ledger.dates`; a night that was made afterwards is no part of what people saw.
    """
    rows: list[NightRow] = []
    for day in sorted(delivered, reverse=True):
        if day >= as_of or len(rows) >= PAST_NIGHTS - 1:
            continue
        try:
            table = pd.read_parquet(runs / str(day) / "monitoring.parquet", columns=["check", "verdict"])
        except (OSError, ValueError, KeyError, pa.ArrowException):
            continue
        rows.append(_row(day, table))
    return (*reversed(rows), _row(as_of, frame_of(tonight))) if tonight else tuple(reversed(rows))


def _row(day: dt.date, table: pd.DataFrame) -> NightRow:
    names = table.loc[table["verdict"].isin([LOOK, STOP]), "check"]
    counts = names.map(lambda name: GROUPS.get(name, OTHERS)).value_counts()
    kinds = (*dict.fromkeys(GROUPS.values()), OTHERS)
    return NightRow(day, tuple((kind, int(counts.get(kind, 0))) for kind in kinds))
