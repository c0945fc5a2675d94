"""How good the curves of `models.prediction.horizons` are on test snapshots, and which levels hold 80 % there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from configs.arrays import Bools, Floats
from models.prediction.classifier import FittedModel
from models.prediction.horizons import USUAL_LEVELS, Curves, hazard_curves, interval_of, tied_curves
from models.prediction.waits import Waits

MODEL, EVEN, EVERYBODY = "model", "even", "kaplan_meier"
FEWEST_INTERVALS = 100
LEAST_LEVEL, MOST_LEVEL = 0.01, 0.99


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
    tied = tied_curves(model, frame, probability, threads)
    days = [int(day) for day in tied.edges[1:] if day <= horizon]
    flat = Curves(tied.edges, np.broadcast_to(tied.edges, tied.hazard.shape))
    means = {
        MODEL: integrated(tied, waits, days, weight),
        EVEN: integrated(flat.tied(horizon, survival), waits, days, weight),
        EVERYBODY: integrated(hazard_curves(model, frame, everybody=True), waits, days, weight),
    }
    return HorizonTest(means, {day: brier_at(tied.survival(day), waits, day, weight) for day in days})


def reached_levels(found: Curves, waits: Waits) -> tuple[Floats, Bools]:
    """At which level of its curve each row's day came, for rows of which an interval is told.

    Returns
    -------
    levels, came
        0..1, in no order; where the day has not come yet, the level up to which the row has been watched. Uniform where
        the curves are right.
    """
    told = ~np.isnan(interval_of(found, *USUAL_LEVELS)[1])
    watched = np.minimum(waits.followed, found.edges[-1])
    came = waits.event & (waits.days + 0.5 < watched)
    until = np.fmin(waits.days + 0.5, watched)
    return found.reached(until)[told], came[told]


def calibrated_levels(levels: Floats, came: Bools) -> tuple[float, float]:
    """Levels between which four days of five come, each tail on its own.

    Conformal prediction on rows that the curves have not seen (Candès, Lei and Ren 2023 for censored times): the levels
    at which a tenth and nine tenths of their days had come, by Kaplan and Meier where some are still to come.

    Parameters
    ----------
    levels, came
        As of `reached_levels`. With fewer than 100, or where too few have come, the usual ones stay.

    Examples
    --------
    >>> even = np.linspace(0, 1, 1_001)
    >>> calibrated_levels(even / 2, even < 2), calibrated_levels(even[:99], even[:99] < 2)
    ((0.05, 0.5), (0.1, 0.9))
    """
    if len(levels) < FEWEST_INTERVALS:
        return USUAL_LEVELS
    reached = stats.ecdf(stats.CensoredData.right_censored(levels, ~came)).cdf
    place = np.searchsorted(reached.probabilities, USUAL_LEVELS)
    found = [
        float(reached.quantiles[i]) if i < len(reached.quantiles) else usual
        for i, usual in zip(place, USUAL_LEVELS, strict=True)
    ]
    return min(max(found[0], LEAST_LEVEL), 0.5), max(min(found[1], MOST_LEVEL), 0.5)
