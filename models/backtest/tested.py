"""What was said of one test snapshot, and what came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from configs.arrays import Floats
from models.backtest.split import Fold
from models.prediction.blend import BASE_RATE
from models.statistics.bootstrap import mean_interval
from models.statistics.metrics import row_log_loss


@dataclass(frozen=True)
class Tested:
    """One test snapshot.

    Parameters
    ----------
    fold
        Its dates and rows.
    y, customer
        Labels and customers of the test rows.
    probability
        Contender name to probabilities of the test rows; `model` is the blend.
    weights
        Shares that were known at this origin.
    calibrator
        Name of the correction.
    weight
        For how many rows each test row stands; None where each stands for itself.
    """

    fold: Fold
    y: Floats
    customer: np.ndarray[Any, np.dtype[np.str_]]
    probability: dict[str, Floats]
    weights: dict[str, float]
    calibrator: str
    weight: Floats | None = None

    def above_base_rate(self, seed: int) -> tuple[float, float, float]:
        """By how much the model's log loss is above that of the churn rate alone, and the 95 % interval of it."""
        mine, none = (row_log_loss(self.y, self.probability[name]) for name in ("model", BASE_RATE))
        return mean_interval(mine - none, self.customer, seed, self.weight)
