"""What to do with a blend that loses to a simple rule: the members that do not lose make the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from configs.arrays import Floats
from models.backtest.tested import Tested
from models.prediction.blend import BASE_RATE, blend, equal_shares
from models.statistics.metrics import SMALLEST, log_loss

RULES = (BASE_RATE, "recency rule")


def members_above_rules(tested: Sequence[Tested]) -> dict[str, float] | None:
    """Find shares that beat the simple rules on all test snapshots, where the model itself does not.

    Shares are learned on few folds and may be unlucky; a model is not refused for that while one of its members is
    better than the rules.

    Returns
    -------
    dict or None
        The usual shares, or the best member alone; None when the model holds against the rules, or nothing does.

    Examples
    --------
    >>> from models.backtest.split import Fold
    >>> y, none, day = np.array([0.0, 1.0] * 50), np.zeros(0, np.int64), np.datetime64("2026-01-01")
    >>> said = {"base rate": np.full(100, 0.5), "boosted": 0.3 + 0.4 * y, "model": 0.7 - 0.4 * y}
    >>> members_above_rules([Tested(Fold(day, day, day, none, none), y, y.astype(str), said, {}, "none")])
    {'boosted': 1.0}
    """
    names = [n for n in tested[0].probability if all(n in t.probability for t in tested)]
    loss = {n: _loss(tested, {n: 1.0}) for n in names}
    rules = [n for n in names if n in RULES]
    if not rules or loss["model"] <= (needed := min(loss[n] for n in rules)):
        return None
    members = [n for n in names if n != "model"]
    if _loss(tested, usual := equal_shares(members)) <= needed:
        return usual
    best = min((n for n in members if n != BASE_RATE), key=lambda n: loss[n], default=None)
    return None if best is None or loss[best] > needed else {best: 1.0}


def blended(tested: Tested, shares: dict[str, float]) -> Floats:
    """Probabilities of the test rows by other shares, without a calibrator."""
    inside = {n: np.clip(tested.probability[n], SMALLEST, 1 - SMALLEST) for n in shares}
    z = blend({n: np.log(p) - np.log1p(-p) for n, p in inside.items()}, shares)
    return np.asarray(1 / (1 + np.exp(-z)))


def _loss(tested: Sequence[Tested], shares: dict[str, float]) -> float:
    y, p = np.concatenate([t.y for t in tested]), np.concatenate([blended(t, shares) for t in tested])
    given = [t.weight for t in tested if t.weight is not None]
    return log_loss(y, p, np.concatenate(given) if given else None)


def same_for_all(weights: Mapping[str, float]) -> list[str]:
    """The line for a person to look at where the model tells nobody from another; none where it does.

    Examples
    --------
    >>> same_for_all({"boosted": 0.9, "base rate": 0.1})
    []
    """
    if list(weights) != [BASE_RATE]:
        return []
    return [
        "the model gives every customer the same chance, so its list is ordered by value and contact history alone: no "
        "column told who leaves; `churn check --all` says whether more customers or snapshots would help"
    ]


def note_of_members(shares: dict[str, float]) -> str:
    """The note that goes with such a model."""
    return (
        "the learned blend lost to a simple rule on the test snapshots, so it was put aside: the model is "
        f"{' and '.join(shares)}{'' if len(shares) > 1 else ' alone'}, chosen on these very snapshots"
    )
