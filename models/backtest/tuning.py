"""Sizes of the trees, searched on older snapshots and kept only when they prove better on later ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from models.backtest.left_out import small_trees
from models.backtest.progress import Progress, no_progress
from models.backtest.split import Fold, fold_at, origins, reach
from models.prediction.blend import mean_loss
from models.prediction.boosted import Settings
from models.prediction.calibration import NEEDED_GAIN
from models.prediction.sample import Sample, enough

SEARCHED, CONFIRMED = 2, 2
SIZES = ("trees", "leaves", "learning_rate", "l2")


@dataclass(frozen=True)
class TriedSizes:
    """One try: its sizes, and the mean log loss on the searched snapshots."""

    sizes: dict[str, float]
    log_loss: float


@dataclass(frozen=True)
class Tuned:
    """What the search gave.

    Parameters
    ----------
    settings
        Those to train with: tuned ones, or the given ones.
    adopted
        Whether the tuned ones are taken.
    tried
        In order; the first is the given settings.
    note
        One line with numbers.
    """

    settings: Settings
    adopted: bool
    tried: tuple[TriedSizes, ...]
    note: str


def tune(
    sample: Sample,
    settings: Settings,
    tests: int,
    trials: int,
    seconds: float,
    say: Callable[[str], None],
    progress: Progress = no_progress,
) -> Tuned:
    """Search by a seeded tree-structured Parzen estimator (Bergstra et al. 2011, Optuna).

    Three groups of snapshots, each with labels known before the next: searched on the oldest, confirmed on later
    ones, and none of the `tests` newest, on which the model will be judged, is looked at.

    Parameters
    ----------
    sample
        All mature, labelled rows.
    settings
        The sizes to beat.
    tests
        How many newest origins are left alone.
    trials
        At most so many tries, the given sizes included.
    seconds
        No further try after so long; 0 for no limit. With a limit a slower machine may try less, and find other
        sizes: for the same result everywhere limit the trials only.
    say
        Receives progress.
    progress
        Shows how many tries are done.
    """
    search, confirm = _folds(sample, settings, tests)
    if not search or not confirm:
        return Tuned(
            settings, False, (), "not tuned: the history is too short to search and to confirm apart"
        )
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=settings.seed))
    # A logarithmic range has no 0.
    study.enqueue_trial({key: max(getattr(settings, key), 1e-3) for key in SIZES})

    begun = time.monotonic()
    found: list[TriedSizes] = []
    for number in progress(range(trials), "tree sizes", trials):
        if seconds and found and time.monotonic() - begun >= seconds:
            break
        trial = study.ask()
        loss = _loss(sample, search, _suggested(trial, settings))
        study.tell(trial, loss)
        found.append(TriedSizes(dict(trial.params), loss))
        say(f"trial {number + 1} of {trials}: log loss {loss:.4f}")
    done = tuple(found)
    best = min(done, key=lambda t: t.log_loss)
    return _confirmed(sample, settings, replace(settings, **_typed(best.sizes)), confirm, done)


def untuned_table(settings: Settings) -> Tuned:
    """What to say to a wish for a search on a table without dates, where the same rows are tested in turn."""
    return Tuned(
        settings,
        False,
        (),
        "not tuned: without dates there are no later rows to confirm sizes on (model.tune_trials is not used); "
        "small or large trees are chosen by the cross-validation",
    )


def _suggested(trial: Any, settings: Settings) -> Settings:
    return replace(
        settings,
        trees=trial.suggest_int("trees", *_around(settings.trees, 30, 800), log=True),
        leaves=trial.suggest_int("leaves", *_around(settings.leaves, 2, 48), log=True),
        learning_rate=trial.suggest_float(
            "learning_rate", *_around(settings.learning_rate, 0.005, 0.2), log=True
        ),
        l2=trial.suggest_float("l2", *_around(max(settings.l2, 1e-3), 0.1, 100.0), log=True),
    )


def _around(given: Any, low: Any, high: Any) -> tuple[Any, Any]:
    """The range, widened so that it holds what was given."""
    return min(given, low), max(given, high)


def _typed(sizes: dict[str, float]) -> dict[str, Any]:
    return {k: int(v) if k in ("trees", "leaves") else float(v) for k, v in sizes.items()}


def _confirmed(
    sample: Sample, settings: Settings, tuned: Settings, confirm: Sequence[Fold], done: tuple[TriedSizes, ...]
) -> Tuned:
    before = np.array([_loss(sample, [fold], settings) for fold in confirm])
    after = np.array([_loss(sample, [fold], tuned) for fold in confirm])
    gain = float(np.mean(before - after))
    adopted = gain > NEEDED_GAIN and bool((after < before).all())
    dates = ", ".join(str(fold.test) for fold in confirm)
    sizes = ", ".join(f"{key} {getattr(tuned, key):.3g}" for key in SIZES)
    verdict = "adopted" if adopted else "not adopted, the given sizes stay"
    note = (
        f"tuned in {len(done)} trials: {sizes}; log loss {-gain:+.4f} on later snapshots ({dates}): {verdict}"
    )
    return Tuned(tuned if adopted else settings, adopted, done, note)


def _folds(sample: Sample, settings: Settings, tests: int) -> tuple[list[Fold], list[Fold]]:
    """Folds to search on and to confirm on, each newest first."""
    window = reach(settings.gap_days, settings.horizon_days)
    at = origins(sample.snapshots, settings.gap_days, settings.horizon_days, len(sample.snapshots))
    if len(at) <= tests:
        return [], []
    confirm = _usable(sample, [t for t in at if t + window <= at[tests - 1]], settings)[:CONFIRMED]
    if not confirm:
        return [], []
    return _usable(sample, [t for t in at if t + window <= confirm[-1].test], settings)[:SEARCHED], confirm


def _usable(sample: Sample, tests: Sequence[np.datetime64], settings: Settings) -> list[Fold]:
    folds = [fold_at(sample, t, settings.gap_days, settings.horizon_days) for t in tests]
    return [
        f
        for f in folds
        if f is not None and enough(sample.churned[f.train_rows]) and enough(sample.churned[f.test_rows])
    ]


def _loss(sample: Sample, folds: Sequence[Fold], settings: Settings) -> float:
    def loss(fold: Fold) -> float:
        test = sample.rows(fold.test_rows)
        z = small_trees(sample.rows(fold.train_rows), test, settings)
        return mean_loss(test.churned, z, test.weight)

    with ThreadPoolExecutor(settings.threads) as pool:
        return float(np.mean(list(pool.map(loss, folds))))
