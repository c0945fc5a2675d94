"""How past forecasts came out, and by how much a forecast must be widened for it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import ibis.expr.types as ir
import pandas as pd

from configs.schema import Churn
from pipeline.retention.forecast.came import check_forecasts
from pipeline.retention.forecast.store import stored

FEWEST, NEWEST = 3, 12


def apart(forecasts: pd.DataFrame, newest: int = NEWEST) -> pd.DataFrame:
    """At most so many forecasts of each measure whose times do not overlap, counted back from the newest.

    Neighbouring nights forecast nearly the same days: together they would count one surprise many times.

    Examples
    --------
    >>> days = [dt.date(2026, 7, d) for d in (1, 2, 3, 5)]
    >>> rows = pd.DataFrame({"as_of": days, "start": days, "end": [d + dt.timedelta(2) for d in days],
    ...     "measure": "rate"})
    >>> [d.day for d in apart(rows)["start"]]
    [1, 3, 5]
    """
    chosen = []
    for _, rows in forecasts.groupby("measure", sort=True):
        latest, taken = dt.date.max, 0
        for row in rows.sort_values("start", ascending=False).itertuples():
            if row.end <= latest and taken < newest:
                chosen.append(row.Index)
                latest, taken = row.start, taken + 1
    return forecasts.loc[chosen].sort_values(["measure", "start"], ignore_index=True)


def track_record(
    folder: Path, tables: Mapping[str, ir.Table], churn: Churn, as_of: dt.date, newest: int = NEWEST
) -> pd.DataFrame:
    """Past forecasts whose time is over, beside what came; their times do not overlap.

    Returns
    -------
    DataFrame
        As of `pipeline.retention.forecast.came.check_forecasts`.
    """
    past = stored(folder, before=as_of)
    over = past[(past["end"] <= as_of).to_numpy(bool)]
    return check_forecasts(apart(over, newest), tables, churn, as_of)


def model_errors(checked: pd.DataFrame) -> dict[str, float]:
    """Standard error of the mean probability by measure, beyond chance; 0 with fewer than three forecasts.

    Examples
    --------
    >>> rows = pd.DataFrame({"measure": "rate", "error": [5.0, -5.0, 5.0], "chance": 3.0})
    >>> model_errors(rows)
    {'rate': 0.04}
    """
    found = {}
    for measure, rows in checked.groupby("measure"):
        known = rows.dropna(subset="error")
        if len(known) >= FEWEST:
            beyond = float((known["error"] ** 2).mean() - (known["chance"] ** 2).mean())
            found[str(measure)] = max(beyond, 0.0) ** 0.5 / 100
    return found
