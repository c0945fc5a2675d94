"""What was said of one test snapshot, and what came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from configs.arrays import Floats
from models.backtest.split import Fold


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
