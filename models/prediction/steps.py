"""How a row gets its probability, step by step: what each member says, their blend, the calibrator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.prediction.classifier import FittedModel
from models.prediction.scoring import SURE_LOGIT, calibrate, encode, member_score


@dataclass(frozen=True)
class MemberStep:
    """One member of the model on one row: its log-odds, the share it has, and of each tree model its own."""

    name: str
    share: float
    log_odds: float
    boosters: tuple[float, ...] = ()


@dataclass(frozen=True)
class ScoringSteps:
    """One row on its way through the model.

    Parameters
    ----------
    members
        In the model's order.
    blended
        Sum of share times log-odds.
    calibrator
        Its kind; `calibrated` is the log-odds after it.
    probability
        What the model says of the row.
    """

    members: tuple[MemberStep, ...]
    blended: float
    calibrator: str
    calibrated: float
    probability: float


def scoring_steps(model: FittedModel, row: pd.DataFrame) -> ScoringSteps:
    """Follow one row through a model by the functions that score every night.

    Examples
    --------
    >>> rule = {"name": "r", "kind": "steps", "inputs": [0], "edges": [5.0], "values": [-1.0, 1.0], "missing": 0.0}
    >>> spec = {"columns": [{"name": "a", "kind": "number"}], "boosters": [], "members": [rule | {"weight": 0.5}],
    ...         "calibrator": {"kind": "linear", "slope": 2.0, "intercept": -1.0}}
    >>> steps = scoring_steps(FittedModel(spec, ()), pd.DataFrame({"a": [9.0]}))
    >>> steps.members[0].log_odds, steps.blended, steps.calibrated, steps.probability
    (1.0, 0.5, 0.0, 0.5)
    """
    X = encode(model.spec["columns"], row)
    members = tuple(
        MemberStep(
            m["name"],
            float(m["weight"]),
            float(member_score(m, model.boosters, X)[0]),
            tuple(float(model.boosters[i].predict(X, raw_score=True)[0]) for i in m.get("boosters", ())),
        )
        for m in model.spec["members"]
    )
    blended = sum(one.share * one.log_odds for one in members)
    calibrator = model.spec["calibrator"]
    z = float(calibrate(calibrator, np.array([blended]))[0])
    chance = float(1 / (1 + np.exp(-np.clip(z, -SURE_LOGIT, SURE_LOGIT))))
    return ScoringSteps(members, blended, calibrator["kind"], z, chance)
