"""How much more data would help: the loss out of time when there are fewer customers, or less history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from threadpoolctl import threadpool_limits

from configs.arrays import Floats
from models.prediction.blend import blend, equal_shares
from models.prediction.boosted import Settings
from models.prediction.classifier import fit_members
from models.prediction.sample import Sample, enough
from models.statistics.metrics import auc, row_log_loss

FRACTIONS = (0.125, 0.25, 0.5, 1.0)
CURVE_ROWS = 40_000
REPEATS = 3


@dataclass(frozen=True)
class LearningPoint:
    """One size of the training data.

    Parameters
    ----------
    what
        `customers` or `snapshots`.
    size
        How many of them.
    rows
        Training rows.
    log_loss, auc
        On the test rows, mean of the repeats.
    """

    what: str
    size: int
    rows: int
    log_loss: float
    auc: float


@dataclass(frozen=True)
class LearningCurve:
    """Loss by size, and what the next doubling should bring.

    Parameters
    ----------
    points
        The smallest first.
    gain
        Fall of the log loss that another doubling should bring, extrapolated from the last two doublings; 0 when
        the last one brought nothing beyond `noise`; below 0, as it was, when the last one did harm beyond it.
    noise
        Standard error of the last doubling's gain on these test rows.
    drawn
        How many customers were drawn, and of how many, where all have too many rows; None where all are used.
    """

    points: tuple[LearningPoint, ...]
    gain: float
    noise: float
    drawn: tuple[int, int] | None = None

    @property
    def best(self) -> LearningPoint:
        """The size with the lowest log loss."""
        return min(self.points, key=lambda p: p.log_loss)


def _bounded(train: Sample, seed: int) -> tuple[Sample, tuple[int, int] | None]:
    """So few customers that the largest fit is quick: cut before the sizes are drawn, so that each has its rows."""
    part = train.at_most(CURVE_ROWS, seed)
    if part is train:
        return train, None
    return part, (len(np.unique(part.customer)), len(np.unique(train.customer)))


def customer_curve(
    train: Sample, test: Sample, settings: Settings, say: Callable[[str], None]
) -> LearningCurve:
    """Train on shares of the customers; each share is drawn several times."""
    train, drawn = _bounded(train, settings.seed)
    ids, position = np.unique(train.customer, return_inverse=True)
    points, losses = [], []
    for fraction in FRACTIONS:
        count = max(1, round(fraction * len(ids)))
        found = []
        for repeat in range(REPEATS if fraction < 1 else 1):
            kept = np.zeros(len(ids), dtype=bool)
            kept[np.random.default_rng([settings.seed, repeat]).permutation(len(ids))[:count]] = True
            found.append((train.rows(kept[position]), repeat))
        if not all(enough(part.churned) for part, _ in found):
            continue
        say(f"learning curve: {count:,} customers")
        z = [_scores(part, test, settings, seed) for part, seed in found]
        points.append(_point("customers", count, len(found[0][0]), test, z))
        losses.append(np.mean([_loss(test, one) for one in z], axis=0))
    return replace(_curve(points, losses), drawn=drawn)


def history_curve(
    train: Sample, test: Sample, settings: Settings, say: Callable[[str], None]
) -> LearningCurve:
    """Train on the newest snapshots only: 1, 2, 4, ... of them, always of the same customers."""
    train, drawn = _bounded(train, settings.seed)
    newest = train.snapshots
    sizes = sorted({2**i for i in range(10) if 2**i < len(newest)} | {len(newest)})
    points, losses = [], []
    for size in sizes:
        part = train.rows(train.snapshot >= newest[size - 1])
        if not enough(part.churned):
            continue
        say(f"learning curve: {size} snapshots")
        z = _scores(part, test, settings, 0)
        points.append(_point("snapshots", size, len(part), test, [z]))
        losses.append(_loss(test, z))
    return replace(_curve(points, losses), drawn=drawn)


def _scores(train: Sample, test: Sample, settings: Settings, seed: int) -> Floats:
    with threadpool_limits(1, user_api="blas"):
        parts = fit_members(train, replace(settings, seed=settings.seed + seed), 1, optional=())
        scores = parts.scores(test.X)
    return blend(scores, equal_shares(scores))


def _loss(test: Sample, z: Floats) -> Floats:
    return row_log_loss(test.churned, 1 / (1 + np.exp(-z)))


def _point(what: str, size: int, rows: int, test: Sample, scores: Sequence[Floats]) -> LearningPoint:
    loss = float(np.mean([_loss(test, z).mean() for z in scores]))
    return LearningPoint(what, size, rows, loss, float(np.mean([auc(test.churned, z) for z in scores])))


def _curve(points: Sequence[LearningPoint], losses: Sequence[Floats]) -> LearningCurve:
    """What a doubling should bring falls by the factor that it fell last time."""
    if len(points) < 2:
        return LearningCurve(tuple(points), float("nan"), float("nan"))
    last = losses[-2] - losses[-1]
    gain, noise = float(last.mean()), float(last.std() / np.sqrt(len(last)))
    doublings = np.log2(points[-1].size / points[-2].size)
    if gain <= 2 * noise:
        return LearningCurve(tuple(points), gain if gain < -2 * noise else 0.0, noise)
    before = float((losses[-3] - losses[-2]).mean()) if len(losses) > 2 else gain
    factor = float(np.clip(gain / before, 0.3, 0.9)) if before > 0 else 0.5
    return LearningCurve(tuple(points), gain * factor / max(doublings, 0.5), noise)
