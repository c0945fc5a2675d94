"""What came of forecasts whose time is over: the only part of a night that looks at outcomes.

Scoring reaches the labels through this module alone, and an import contract proves it. Of a window that is not over
at the as-of date it says nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from configs.schema import Churn
from features.definition import customers_at
from features.labels import labelled, mature_of, window_outcomes
from pipeline.retention.definition.movements import count_movements


def window_rate(
    tables: Mapping[str, ir.Table], churn: Churn, snapshot: dt.date, as_of: dt.date
) -> tuple[int, int] | None:
    """Customers at a snapshot whose label is known, and how many of them churned, on the definition of the labels.

    None while the label window is not over at `as_of`: nobody may look into it.

    Without a gap, contractual customers kept over [t, t + horizon) are those of the rate. For purchases the label
    asks for a purchase in the window itself, which is the stricter question while horizon < active_days.
    """
    rows = labels_at(tables, churn, snapshot, as_of)
    if rows is None:
        return None
    row = rows.aggregate(known=rows.churned.count(), churned=rows.churned.sum()).execute().iloc[0]
    return int(row.known or 0), int(row.churned or 0)


def labels_at(
    tables: Mapping[str, ir.Table], churn: Churn, snapshot: dt.date, as_of: dt.date
) -> ir.Table | None:
    """Customers at a snapshot with `churned`, null where unknown; None while the window is not over at `as_of`."""
    if not mature_of([snapshot], churn, as_of):
        return None
    here = customers_at(tables, churn, dt.datetime.combine(snapshot, dt.time()))
    return labelled(here.mutate(snapshot_number=0), window_outcomes(tables, churn, [snapshot]), churn)


def check_forecasts(
    forecasts: pd.DataFrame, tables: Mapping[str, ir.Table], churn: Churn, as_of: dt.date
) -> pd.DataFrame:
    """Past forecasts beside what came.

    Parameters
    ----------
    forecasts
        One row a forecast, with the fields of `RateForecast`, such as the ledger keeps.
    tables, churn
        As known at `as_of`.
    as_of
        That midnight UTC is now; windows that are not over stay open.

    Returns
    -------
    DataFrame
        The forecasts with `came` in percent of `known` customers, `error` = came - forecast in points and `inside` the
        interval or not; null while the window is not over.
    """
    whole = _rates_that_came(forecasts, tables, churn, as_of)
    rows = []
    for forecast in forecasts.itertuples():
        if getattr(forecast, "measure", "window") == "rate":
            known, churned = whole.get((forecast.as_of, forecast.end), (0, 0))
            over = known > 0
        else:
            found = window_rate(tables, churn, pd.Timestamp(forecast.as_of).date(), as_of)
            over, (known, churned) = found is not None, found or (0, 0)
        came = 100 * (1 - churned / known) if known else np.nan
        inside = None if np.isnan(came) else bool(forecast.low <= came <= forecast.high)
        rows.append((known if over else None, came, came - forecast.rate, inside))
    found = pd.DataFrame(rows, columns=["known", "came", "error", "inside"], index=forecasts.index)
    return forecasts.assign(
        **found.astype({"known": "Int64", "came": float, "error": float, "inside": "boolean"}).to_dict(
            "series"
        )
    )


def _rates_that_came(
    forecasts: pd.DataFrame, tables: Mapping[str, ir.Table], churn: Churn, as_of: dt.date
) -> dict[tuple[dt.date, dt.date], tuple[int, int]]:
    """Customers and lost of the periods that are over, for all forecasts of the classic rate in one pass."""
    if "measure" not in forecasts:
        return {}
    of_rate = forecasts[forecasts["measure"] == "rate"]
    spans = [
        (start, end) for start, end in zip(of_rate["as_of"], of_rate["end"], strict=True) if end <= as_of
    ]
    if not spans:
        return {}
    moments = [tuple(dt.datetime.combine(day, dt.time()) for day in span) for span in spans]
    counts = count_movements(tables, churn, [(start, end) for start, end in moments])
    known, lost = counts["S"] - counts["not_churn"], counts["lost"] - counts["not_churn"]
    return {spans[k]: (int(n), int(m)) for k, n, m in zip(counts["span"], known, lost, strict=True)}
