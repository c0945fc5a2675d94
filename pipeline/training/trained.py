"""Everything that a training produced, and what follows from it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from configs.arrays import Floats
from configs.schema import Config
from features.matrix import Matrix
from features.spec import FeatureColumn
from models.backtest.compare import Verdict
from models.backtest.evaluate import Slice, intervals, measure, slices
from models.backtest.left_out import LeftOut
from models.backtest.recipe import Training
from models.backtest.split import reach
from models.backtest.tuning import Tuned
from models.effects.censoring import Untouched
from models.prediction.explain import contributions, importance
from models.prediction.sample import ColumnReport, Sample
from models.tracking.registry import Champion
from pipeline.outcomes.untouched import notes_of_labels
from pipeline.sources.opening import Sources
from pipeline.training.fairness import Fairness, fairness_of
from pipeline.training.horizons import Horizons

EXPLAINED_ROWS = 2_000
DRIFT = 0.02
# Of the log-odds: less than any digit that is shown.
IDLE = 0.0005


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
    champion: Champion | None = None
    horizons: Horizons | None = None
    left_out: tuple[LeftOut, ...] = ()

    @cached_property
    def tests(self) -> list[dict[str, dict[str, float]]]:
        """Metrics by test snapshot, newest first, and contender."""
        size = self.config.outreach.capacity
        return [
            {n: measure(t.y, p, size, t.weight, value) for n, p in t.probability.items()}
            for t in self.training.tested
            for value in (spend_of(self.sample.X.iloc[t.fold.test_rows]),)
        ]

    @cached_property
    def intervals(self) -> dict[str, tuple[float, float]]:
        """95 % intervals of the model on the newest test snapshot."""
        newest, size = self.training.tested[0], self.config.outreach.capacity
        value = spend_of(self.sample.X.iloc[newest.fold.test_rows])
        said = newest.probability["model"]
        return intervals(
            newest.y, said, newest.customer, self.config.seed, size, weight=newest.weight, value=value
        )

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
    def idle(self) -> tuple[str, ...]:
        """Columns that the model reads and makes nothing of."""
        return tuple(sorted(name for name, value in self.importance.items() if value < IDLE))

    @cached_property
    def worst(self) -> Slice | None:
        """The segment with the clearest error of calibration."""
        newest = self.training.tested[0]
        frame = self.sample.X.iloc[newest.fold.test_rows]
        found = slices(frame, newest.y, newest.probability["model"], weight=newest.weight)
        return found[0] if found else None

    @cached_property
    def fairness(self) -> Fairness:
        """How the model serves the groups of the protected attributes."""
        newest = self.training.tested[0]
        return fairness_of(self.config, self.sources, newest, self.sample.X.iloc[newest.fold.test_rows])

    @property
    def waits(self) -> bool:
        """Whether the model scores beside the champion first; one that can't be used makes no lists to stand beside."""
        return bool(
            self.verdict.promote
            and self.config.model.canary_nights
            and self.champion
            and not self.verdict.unfit
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of this training."""
        tuned = (self.tuned.note,) if self.tuned is not None else ()
        touched = (
            notes_of_labels(self.untouched, len(self.sample) + self.censored)
            if self.untouched is not None
            else ()
        )
        ahead = self.horizons.notes if self.horizons is not None else ()
        return (
            *tuned,
            *touched,
            *self.training.notes,
            *behind_base_rate(*self.above_base_rate),
            *self._drift,
            *ahead,
        )

    @cached_property
    def above_base_rate(self) -> tuple[float, float, float]:
        """The model's log loss less the base rate's on the newest test snapshot, and its 95 % interval."""
        return self.training.tested[0].above_base_rate(self.config.seed)

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


def behind_base_rate(above: float, low: float, high: float) -> tuple[str, ...]:
    """Say that one number for all customers is better on the newest test snapshot than the model, where it is.

    Parameters
    ----------
    above, low, high
        The model's log loss less the base rate's, and its 95 % interval.

    Examples
    --------
    >>> behind_base_rate(-0.01, -0.02, 0.001)
    ()
    >>> behind_base_rate(0.01, -0.002, 0.02)
    ('on the newest test snapshot the base rate is better: log loss +0.0100 [-0.0020, +0.0200] above it, not proven',)
    """
    if above < 0:
        return ()
    proven = "proven" if low > 0 else "not proven"
    return (
        "on the newest test snapshot the base rate is better: log loss "
        f"{above:+.4f} [{low:+.4f}, {high:+.4f}] above it, {proven}",
    )


def spend_of(X: pd.DataFrame) -> Floats | None:
    """Spend in the longest window, never below 0: what the value captured by a ranking counts; None where unknown.

    Examples
    --------
    >>> spend_of(pd.DataFrame({"spend_sum_30d": [1.0], "spend_sum_360d": [np.nan], "plan": ["a"]}))
    array([0.])
    """
    windows = [int(match[1]) for name in X if (match := re.fullmatch(r"spend_sum_(\d+)d", str(name)))]
    if not windows:
        return None
    spent = X[f"spend_sum_{max(windows)}d"].to_numpy(dtype=np.float64, na_value=0.0)
    return np.maximum(np.nan_to_num(spent), 0.0)


def by_source(columns: Sequence[FeatureColumn], used: Collection[str]) -> dict[str, list[str]]:
    """Role of a source to the columns that can't be made without it.

    Examples
    --------
    >>> def column(name, source):
    ...     return FeatureColumn(name, "", "", "", "", source, False)
    >>> columns = [column("age", "customers.age"), column("rate", "customers.started_at+usage"), column("x", "usage")]
    >>> by_source(columns, {"age", "rate"})
    {'customers': ['age', 'rate'], 'usage': ['rate']}
    """
    found: dict[str, list[str]] = {}
    for column in columns:
        for role in (
            {part.partition(".")[0] for part in column.source.split("+")} if column.name in used else ()
        ):
            found.setdefault(role, []).append(column.name)
    return dict(sorted(found.items()))


def newest_label(config: Config, sources: Sources, sample: Sample) -> str:
    """Which rows a training had: the end of its newest label window, or the digest of a table without dates."""
    if config.churn.kind == "labelled":
        return str(sources.fingerprints["customers"]["digest"])
    window = reach(config.churn.gap_days, config.churn.horizon_days)
    return str(max(sample.snapshots) + window)
