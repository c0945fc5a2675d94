"""Everything that a training produced, and what follows from it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from configs.schema import Config
from features.matrix import Matrix
from models.backtest.compare import Verdict
from models.backtest.evaluate import Slice, intervals, measure, slices
from models.backtest.recipe import Training
from models.backtest.tuning import Tuned
from models.effects.censoring import Untouched
from models.prediction.explain import contributions, importance
from models.prediction.sample import ColumnReport, Sample
from pipeline.outcomes.untouched import told
from pipeline.sources.opening import Sources

EXPLAINED_ROWS = 2_000
DRIFT = 0.02


@dataclass(frozen=True)
class Trained:
    """Everything that a training produced, before it is logged."""

    config: Config
    as_of: dt.date
    sources: Sources
    matrix: Matrix
    sample: Sample
    report: ColumnReport
    training: Training
    verdict: Verdict
    censored: int
    tuned: Tuned | None = None
    still_there: Mapping[str, Any] | None = None
    untouched: Untouched | None = None

    @cached_property
    def tests(self) -> list[dict[str, dict[str, float]]]:
        """Metrics by test snapshot, newest first, and contender."""
        size = self.config.outreach.capacity
        return [
            {n: measure(t.y, p, size, t.weight) for n, p in t.probability.items()}
            for t in self.training.tested
        ]

    @cached_property
    def intervals(self) -> dict[str, tuple[float, float]]:
        """95 % intervals of the model on the newest test snapshot."""
        newest = self.training.tested[0]
        said = newest.probability["model"]
        return intervals(newest.y, said, newest.customer, self.config.seed, weight=newest.weight)

    @cached_property
    def importance(self) -> dict[str, float]:
        """Column to mean absolute contribution, on a sample of the newest test rows."""
        rows = self.training.tested[0].fold.test_rows
        some = np.random.default_rng(self.config.seed).permutation(rows)[:EXPLAINED_ROWS]
        return importance(contributions(self.training.deployed, self.sample.X.iloc[np.sort(some)]))

    @cached_property
    def drivers(self) -> dict[str, float]:
        """Driver to the sum of its columns' importance."""
        driver = {c.name: c.driver for c in self.matrix.columns}
        found: dict[str, float] = {}
        for name, value in self.importance.items():
            found[driver[name]] = found.get(driver[name], 0.0) + value
        return found

    @cached_property
    def worst(self) -> Slice | None:
        """The segment with the clearest error of calibration."""
        newest = self.training.tested[0]
        frame = self.sample.X.iloc[newest.fold.test_rows]
        found = slices(frame, newest.y, newest.probability["model"], weight=newest.weight)
        return found[0] if found else None

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of this training."""
        tuned = (self.tuned.note,) if self.tuned is not None else ()
        touched = told(self.untouched, len(self.sample) + self.censored) if self.untouched is not None else ()
        return (*tuned, *touched, *self.training.notes, *self._drift)

    @property
    def _drift(self) -> tuple[str, ...]:
        """Said when the churn rate has moved since the labels that were known at the test snapshot."""
        newest = self.training.tested[0]
        predicted, came = (
            float(np.average(values, weights=newest.weight))
            for values in (newest.probability["model"], newest.y)
        )
        error = (predicted * (1 - predicted) / len(newest.y)) ** 0.5
        if abs(predicted - came) < max(DRIFT, 4 * error):
            return ()
        return (
            f"the churn rate moved: {predicted:.1%} predicted at {newest.fold.test}, {came:.1%} came; "
            "probabilities lag behind such a drift",
        )

    @property
    def weights(self) -> str:
        """The members of the deployed model and their shares."""
        shares = self.training.deployed.weights
        return ", ".join(f"{name} {share:.2f}" for name, share in shares.items())

    @property
    def kind(self) -> str:
        """What the deployed model is, in one word."""
        weights = self.training.deployed.weights
        return "blend" if len(weights) > 1 else next(iter(weights))
