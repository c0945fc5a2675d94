"""The recipe for tables without dates: cross-validation by customer instead of rolling origins."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from hashlib import blake2b
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from configs.arrays import Floats
from models.backtest.best_members import members_above_rules, note_of_members
from models.backtest.progress import Progress, in_threads, no_progress
from models.backtest.recipe import Training, put_aside, rule_wins
from models.backtest.split import Fold
from models.backtest.tested import Tested
from models.prediction.blend import FoldForecast, learn_weights
from models.prediction.boosted import Settings
from models.prediction.calibration import UNCALIBRATED, learn_calibrator_across
from models.prediction.classifier import FittedModel, Members, fit_members
from models.prediction.sample import Sample, require_enough

CROSS_VALIDATION_FOLDS = 5
SALTS = 40
SALTED_ROWS = 20_000
WARNING = (
    "time order could not be checked: the table has no dates, and figures may be better than what comes true"
)


def fold_of(customer: Sequence[str] | NDArray[np.str_], salt: int, folds: int) -> NDArray[np.int64]:
    """The fold of each customer, by a hash of the id: the same tomorrow, whoever else is in the table.

    Examples
    --------
    >>> fold_of(["a", "c", "a"], salt=1, folds=5)
    array([0, 3, 0])
    """
    key = salt.to_bytes(8, "big")
    ids, position = np.unique(np.asarray(customer, dtype=np.str_), return_inverse=True)
    of = [int.from_bytes(blake2b(i.encode(), digest_size=8, key=key).digest(), "big") % folds for i in ids]
    return np.array(of, dtype=np.int64)[position]


def stratifying_salt(sample: Sample, folds: int = CROSS_VALIDATION_FOLDS) -> int:
    """The salt that spreads rows and churners most evenly over the folds; large tables are even without a search."""
    if len(sample) > SALTED_ROWS:
        return 0
    spread = []
    for salt in range(SALTS):
        of = fold_of(sample.customer, salt, folds)
        rows = np.bincount(of, minlength=folds)
        ones = np.bincount(of, weights=sample.churned, minlength=folds)
        spread.append(np.ptp(ones) / max(ones.mean(), 1) + np.ptp(rows) / rows.mean())
    return int(np.argmin(spread))


def run_undated(
    sample: Sample, settings: Settings, say: Callable[[str], None], progress: Progress = no_progress
) -> Training:
    """Cross-validate and fit.

    Parameters
    ----------
    sample
        All labelled rows, with usable columns only; the snapshot is the same for all.
    settings
        Sizes; dates do not count.
    say
        Receives one line of progress at a time.
    progress
        Shows how many folds are done.

    Returns
    -------
    Training
        One test: every row predicted by the model of the folds that its customer is not in, with shares and
        calibrator learned on the other folds' predictions. These models are kept as `held`.

    Raises
    ------
    HistoryError
        Too few rows, or one class only.
    """
    require_enough(sample.churned, "labelled rows")
    notes = [WARNING]
    rows = sample.at_most(settings.max_rows, settings.seed)
    if len(rows) < len(sample):
        notes.append(f"fitted on a sample of customers: {len(rows):,} of {len(sample):,} rows")
    with threadpool_limits(1, user_api="blas"):
        salt = stratifying_salt(rows)
        of = fold_of(rows.customer, salt, CROSS_VALIDATION_FOLDS)
        parts, forecasts = _cross(rows, of, settings, say, progress)
        held = {f"fold_{i}": _held(i, parts, forecasts, salt) for i in range(CROSS_VALIDATION_FOLDS)}
        weights = learn_weights(forecasts, parts[0].members)
        name, calibrator = learn_calibrator_across(forecasts, weights)
        positions = np.flatnonzero(np.isin(sample.customer, rows.customer))
        test = _test(rows, positions, of, held, forecasts, weights, name, settings)
        if (shares := members_above_rules([test])) is not None:
            weights, name, calibrator = shares, "none", UNCALIBRATED
            test = put_aside(test, shares)
            held = {f"fold_{i}": _assembled(i, parts, shares, calibrator, salt) for i in range(len(parts))}
            notes.append(note_of_members(shares))
        say(f"fit deployed model on {len(rows):,} rows")
        every = fit_members(rows, settings, settings.seeds, optional=weights)
        deployed = FittedModel.assemble(every, weights, calibrator)
    return Training(deployed, held, (test,), name, len(rows), (*notes, *rule_wins(weights)), every)


def _cross(
    rows: Sample, of: NDArray[np.int64], settings: Settings, say: Callable[[str], None], progress: Progress
) -> tuple[list[Members], list[FoldForecast]]:
    single = replace(settings, threads=1)

    def fit(i: int) -> tuple[Members, FoldForecast]:
        train, held_out = rows.rows(of != i), rows.rows(of == i)
        require_enough(train.churned, f"the rows outside fold {i + 1} of {CROSS_VALIDATION_FOLDS}")
        say(f"fold {i + 1} of {CROSS_VALIDATION_FOLDS}: train {len(train):,} rows, test {len(held_out):,}")
        parts = fit_members(train, single, settings.seeds)
        scores = parts.scores(held_out.X)
        return parts, FoldForecast(rows.snapshots[0], scores, held_out.churned, customer=held_out.customer)

    jobs = [partial(fit, i) for i in range(CROSS_VALIDATION_FOLDS)]
    found = in_threads(jobs, [1.0] * len(jobs), settings.threads, progress, "cross-validation")
    return [parts for parts, _ in found], [forecast for _, forecast in found]


def _held(i: int, parts: Sequence[Members], forecasts: Sequence[FoldForecast], salt: int) -> FittedModel:
    """The model of the customers in fold i, which nothing of it has seen."""
    others = [o for j, o in enumerate(forecasts) if j != i]
    weights = learn_weights(others, parts[i].members)
    _, calibrator = learn_calibrator_across(others, weights)
    return _assembled(i, parts, weights, calibrator, salt)


def _assembled(
    i: int, parts: Sequence[Members], weights: dict[str, float], calibrator: Mapping[str, Any], salt: int
) -> FittedModel:
    model = FittedModel.assemble(parts[i], weights, calibrator)
    return replace(
        model, spec={**model.spec, "fold": {"index": i, "of": CROSS_VALIDATION_FOLDS, "salt": salt}}
    )


def out_of_fold(
    held: Mapping[str, FittedModel],
    X: pd.DataFrame,
    customer: Sequence[str] | NDArray[np.str_],
    threads: int = 1,
) -> Floats:
    """Probability of every row by the model that its customer was not trained on; shape (rows,)."""
    p = np.full(len(X), np.nan)
    for model in held.values():
        fold = model.spec["fold"]
        at = fold_of(customer, fold["salt"], fold["of"]) == fold["index"]
        if at.any():
            p[at] = model.probability(X.loc[at], threads)
    return p


def _test(
    rows: Sample,
    positions: NDArray[np.int64],
    of: NDArray[np.int64],
    held: Mapping[str, FittedModel],
    forecasts: Sequence[FoldForecast],
    weights: dict[str, float],
    calibrator: str,
    settings: Settings,
) -> Tested:
    said = {"model": out_of_fold(held, rows.X, rows.customer, settings.threads)}
    for name in forecasts[0].scores:
        p = np.full(len(rows), np.nan)
        for i, forecast in enumerate(forecasts):
            p[of == i] = 1 / (1 + np.exp(-forecast.scores[name]))
        said[name] = p
    day = rows.snapshots[0]
    fold = Fold(day, day, day, positions, positions, crossed=CROSS_VALIDATION_FOLDS)
    return Tested(fold, rows.churned, rows.customer, said, weights, calibrator)
