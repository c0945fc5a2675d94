"""Did it come as was said? The newest recorded night whose outcome is known by now: calibration, and the top tenth."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from configs.arrays import Floats
from configs.schema import Churn
from models.statistics.metrics import lift_at
from pipeline.languages.said import said
from pipeline.monitoring.checks import Check, judged_by_band, not_judged
from pipeline.outcomes import ledger
from pipeline.retention.forecast.came import labels_at
from pipeline.sources.databases import arrow

FLOOR_RATE, ERRORS, FEWEST = 0.05, 4.0, 200
TENTH, FEWEST_TOP = 0.1, 20
# Of what the backtest promised beyond chance, so much must be there.
KEPT_LIFT = 0.3


def outcome_of(
    record: Path, tables: Mapping[str, ir.Table], churn: Churn, as_of: dt.date, promised_lift: float | None
) -> Iterator[Check]:
    """The scores of the newest night that is over, of customers whom the list left as they were.

    Parameters
    ----------
    record
        The ledger.
    tables
        The sources on one engine.
    promised_lift
        Of the top tenth, by the champion's backtest.
    """
    days = dt.timedelta(days=churn.gap_days + churn.horizon_days)
    over = [night for night in ledger.dates(record) if night + days <= as_of]
    labels = labels_at(tables, churn, over[-1], as_of) if over else None
    if labels is None:
        yield not_judged("outcome", "scores", said("no recorded night is over yet"))
        return
    scored = _untouched(record, over[-1])
    came = arrow(labels.filter(labels.churned.notnull()).select("customer_id", "churned")).to_pandas()
    both = scored.merge(came, on="customer_id")
    p, y = (both[c].to_numpy(np.float64) for c in ("churn_probability", "churned"))
    if len(y) < FEWEST:
        few = said("fewer than {n} customers of {day} can be judged", n=FEWEST, day=over[-1])
        yield not_judged("outcome", "scores", few)
        return
    yield _calibration(p, y, over[-1])
    yield from _top(p, y, over[-1], promised_lift)


def _untouched(record: Path, night: dt.date) -> pd.DataFrame:
    """Customers who were not listed, so that what came is not what the contact made of it."""
    columns = ["customer_id", "churn_probability", "chosen"]
    rows = ledger.read_ledger(record, night, night + dt.timedelta(days=1), columns=columns)
    return rows.loc[~rows["chosen"].astype(bool) & rows["churn_probability"].notna()]


def _calibration(p: Floats, y: Floats, night: dt.date) -> Check:
    stated, came = float(p.mean()), float(y.mean())
    limit = max(FLOOR_RATE, ERRORS * float(np.sqrt((p * (1 - p)).sum())) / len(p))
    what = said("the rate has moved since {day}; run `churn train`, then `churn outcomes`", day=night)
    low, high = max(stated - limit, 0.0), min(stated + limit, 1.0)
    return judged_by_band(
        "outcome",
        "calibration",
        came,
        low,
        high,
        said("of those scored on {day} left", day=night),
        what,
        abs(came - stated) / limit,
    )


def _top(p: Floats, y: Floats, night: dt.date, promised: float | None) -> Iterator[Check]:
    """Whether those with the highest tenth of the scores left more often; by chance is 1."""
    expected = TENTH * float(y.sum())
    if promised is None or expected < FEWEST_TOP:
        yield not_judged("outcome", "top tenth", said("too few have left to judge the highest scores"))
        return
    lift = float(lift_at(y, p, TENTH))
    least = 1 + KEPT_LIFT * (promised - 1) - 2 / float(np.sqrt(expected))
    least = min(max(least, 1.0), promised)
    what = said("the scores of {day} hardly told who would leave; run `churn train`", day=night)
    yield judged_by_band(
        "outcome",
        "top tenth",
        lift,
        least,
        max(promised, lift),
        said("times as many leavers as by chance"),
        what,
        2.0 if lift < least else 0.0,
    )
