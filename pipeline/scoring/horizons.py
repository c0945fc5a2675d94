"""Other horizons than the trained one, and the day expected: columns of scores.parquet, and losses for the rate."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

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


def horizon_columns(customers: Sequence[str], numbers: Mapping[str, Floats], as_of: dt.date) -> pd.DataFrame:
    """The published columns by `customer_id`; a day that lies beyond what the model looks at is null.

    Examples
    --------
    >>> horizon_columns(["7"], {"expected_on": np.array([3.0])}, dt.date(2026, 7, 1)).iloc[0].astype(str).tolist()
    ['7', '2026-07-04']
    """
    date = pd.ArrowDtype(pa.date32())
    found: dict[str, object] = {"customer_id": customers}
    for name, values in numbers.items():
        if name in DATES:
            days = [None if np.isnan(x) else as_of + dt.timedelta(days=int(x)) for x in values]
            found[name] = pd.Series(days, dtype=date)
        elif name != LOST:
            found[name] = values
    return pd.DataFrame(found)
