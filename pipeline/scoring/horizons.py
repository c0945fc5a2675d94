"""Other horizons than the trained one, and the day expected: columns of scores.parquet, and losses for the rate."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import pandas as pd

from configs.arrays import Floats
from configs.schema import Config
from models.prediction.classifier import FittedModel
from models.prediction.horizons import HORIZONS, outlook
from models.tracking.registry import Champion
from pipeline.retention.forecast.expected import period_days

DATES = ("expected_on", "expected_from", "expected_until")
LOST = "lost_"


@dataclass(frozen=True)
class Further:
    """What is asked of a champion beside its probability.

    Parameters
    ----------
    model
        As of `models.prediction.horizons.fit`.
    wanted
        Horizons in days.
    lost_days
        Days for which the rate's forecast takes the curves; None where it does not.
    gap_days
        Days from the snapshot to the start of the label window.
    """

    model: FittedModel
    wanted: tuple[int, ...]
    lost_days: int | None
    gap_days: int

    @classmethod
    def of(cls, champion: Champion, config: Config, as_of: dt.date) -> Further | None:
        """None where the champion knows of one horizon only, or no other one is wanted."""
        model, wanted = champion.held.get(HORIZONS), tuple(config.model.horizons_days)
        if model is None or not wanted:
            return None
        days = period_days(as_of, config.churn, config.retention.unit)
        better = (champion.metadata.get("horizons") or {}).get("better_than_even", False)
        told = better and not config.churn.gap_days and days <= model.spec["horizons"]["edges"][-1]
        return cls(model, wanted, days if told else None, config.churn.gap_days)

    @property
    def names(self) -> tuple[str, ...]:
        """Columns of `numbers`."""
        return (*(name_of(days) for days in self.wanted), *DATES, *((LOST,) if self.lost_days else ()))

    def numbers(self, frame: pd.DataFrame, probability: Floats, threads: int = 1) -> dict[str, Floats]:
        """Of matrix rows: probabilities, days from the snapshot to the dates, and the chance to be lost in the period.

        Parameters
        ----------
        probability
            At the trained horizon, shape (rows,).
        """
        extra = () if self.lost_days is None else (self.lost_days,)
        found = outlook(self.model, frame, probability, [*self.wanted, *extra], threads)
        told = {name_of(days): found.churned[days] for days in self.wanted}
        told |= {
            n: x + self.gap_days for n, x in zip(DATES, (found.days, found.low, found.high), strict=True)
        }
        return told if self.lost_days is None else {**told, LOST: found.churned[self.lost_days]}


def name_of(days: int) -> str:
    """The column of a horizon.

    Examples
    --------
    >>> name_of(90)
    'churn_probability_90d'
    """
    return f"churn_probability_{days}d"


def horizon_columns(rows: ir.Table, as_of: dt.date) -> dict[str, ir.Value]:
    """The published columns of a table with those of `Further`; a day beyond what the model looks at is null.

    Examples
    --------
    >>> rows = ibis.memtable({"expected_on": [3.0, float("nan")]})
    >>> [str(day) for day in rows.select(**horizon_columns(rows, dt.date(2026, 7, 1))).to_pyarrow()["expected_on"]]
    ['2026-07-04', 'None']
    """
    found: dict[str, ir.Value] = {}
    for name in rows.columns:
        if name not in DATES and not name.startswith("churn_probability_"):
            continue
        found[name] = rows[name].isnan().ifelse(ibis.null("float64"), rows[name])
        if name in DATES:
            days = found[name].floor().cast("int32").as_interval("D")
            found[name] = (ibis.literal(as_of, "date") + days).cast("date")
    return found
