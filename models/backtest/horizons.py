"""How good the curves of `models.prediction.horizons` are on the newest test snapshot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from configs.arrays import Floats
from models.prediction.classifier import FittedModel
from models.prediction.horizons import Curves, hazard_curves
from models.prediction.waits import Waits

MODEL, EVEN, EVERYBODY = "model", "even", "kaplan_meier"


@dataclass(frozen=True)
class HorizonTest:
    """Brier scores of the chance that nothing happens by each day, up to the trained horizon.

    Parameters
    ----------
    integrated
        Contender to the mean over the days: `model`, `even` (the probability at the trained horizon carried to other
        days at an even rate) and `kaplan_meier` (one curve for all).
    by_day
        Days to the model's.
    """

    integrated: Mapping[str, float]
    by_day: Mapping[int, float]

    @property
    def better(self) -> bool:
        """Whether the curves beat the even rate."""
        return self.integrated[MODEL] < self.integrated[EVEN]


def brier_at(survival: Floats, waits: Waits, days: float, weight: Floats | None = None) -> float:
    """Mean squared error of the chance that nothing happens within so many days, over the rows known by then.

    Examples
    --------
    >>> waits = Waits(np.array([3.0, np.nan]), np.array([True, False]), np.array([9.0, 9.0]))
    >>> brier_at(np.array([0.0, 0.5]), waits, 7)
    0.125
    """
    known, waiting = waits.by(days)
    error = (survival - waiting)[known] ** 2
    return float(np.average(error, weights=None if weight is None else weight[known]))


def integrated(found: Curves, waits: Waits, days: Sequence[int], weight: Floats | None = None) -> float:
    """Mean of the Brier scores over time, the days weighed by what lies between them."""
    scores = [brier_at(found.survival(day), waits, day, weight) for day in days]
    return scores[0] if len(days) < 2 else float(np.trapezoid(scores, days) / (days[-1] - days[0]))


def judge_horizons(
    model: FittedModel,
    frame: pd.DataFrame,
    probability: Floats,
    waits: Waits,
    weight: Floats | None = None,
    threads: int = 1,
) -> HorizonTest:
    """Judge curves on rows that neither they nor the probabilities have seen.

    Parameters
    ----------
    model
        What `models.prediction.horizons.fit` gave on earlier rows.
    probability
        Churn probabilities of the rows at the trained horizon, shape (rows,).
    """
    said = model.spec["horizons"]
    horizon, survival = said["horizon"], 1 - probability if said["endings"] else probability
    learned = hazard_curves(model, frame, threads)
    days = [int(day) for day in learned.edges[1:] if day <= horizon]
    flat = Curves(learned.edges, np.broadcast_to(learned.edges, learned.hazard.shape))
    tied = learned.tied(horizon, survival)
    means = {
        MODEL: integrated(tied, waits, days, weight),
        EVEN: integrated(flat.tied(horizon, survival), waits, days, weight),
        EVERYBODY: integrated(hazard_curves(model, frame, everybody=True), waits, days, weight),
    }
    return HorizonTest(means, {day: brier_at(tied.survival(day), waits, day, weight) for day in days})
