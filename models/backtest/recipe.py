"""The whole recipe: backtest, blend, calibrate, and fit what is deployed, without a look ahead.

Every origin t has contenders fitted on snapshots whose label windows ended by t, and predictions on t. What is
learned from predictions (shares, calibrator) for an origin uses only older origins whose labels were known at t.
The newest mature snapshot is the test. Its model is the holdout model E; D, the deployed model, is the same recipe
with all mature snapshots.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from configs.errors import HistoryError
from models.backtest.best_members import blended, members_above_rules, note_of_members
from models.backtest.progress import SIDE_BY_SIDE, Progress, in_threads, no_progress
from models.backtest.split import Fold, fold_at, origins, reach
from models.backtest.tested import Tested
from models.prediction.blend import FoldForecast, learn_weights, promising, telling
from models.prediction.boosted import LARGE, OPTIONAL, TREES, Settings
from models.prediction.calibration import UNCALIBRATED, learn_calibrator
from models.prediction.classifier import FittedModel, Members, cost_of_fit, fit_members
from models.prediction.sample import Sample, enough, require_enough

FOLD_ROWS = 40_000
COMPARABLE = 0.5
NEWEST_FOLDS = 4
FEWEST_JUDGES = 2
CUSTOMER_FOLDS = 3


@dataclass(frozen=True)
class Training:
    """Everything that a training leaves.

    Parameters
    ----------
    deployed
        D, fitted on all mature snapshots.
    held
        Models that have not seen some labelled rows: E as `holdout`, which never saw the newest mature snapshot nor
        labels that reach into it; or those of a cross-validation.
    tested
        Test snapshots, newest first; the first one is the test of E.
    calibrator
        Name of the correction in D.
    training_rows
        Rows that D was fitted on.
    notes
        What a person should know: samples drawn, a rule that won, a blend learned without time order.
    parts
        All contenders fitted on the rows of D, those too that got no share; large and fading trees only with one.
    """

    deployed: FittedModel
    held: Mapping[str, FittedModel]
    tested: tuple[Tested, ...]
    calibrator: str
    training_rows: int
    notes: tuple[str, ...]
    parts: Members

    @property
    def holdout(self) -> FittedModel:
        """E."""
        return self.held["holdout"]


@dataclass(frozen=True)
class _Origin:
    fold: Fold
    parts: Members
    forecast: FoldForecast


@dataclass(frozen=True)
class _Known:
    """What shares and what the calibrator are learned on."""

    shares: list[FoldForecast]
    calibrator: list[FoldForecast]


def run_recipe(
    sample: Sample,
    settings: Settings,
    tests: int,
    say: Callable[[str], None],
    progress: Progress = no_progress,
) -> Training:
    """Backtest, evaluate and fit.

    Parameters
    ----------
    sample
        All mature, labelled rows, with usable columns only.
    settings
        Sizes and the label window.
    tests
        How many test snapshots, the newest included.
    say
        Receives one line of progress at a time.
    progress
        Shows how many origins are done.

    Raises
    ------
    HistoryError
        Too few rows, one class only, or no snapshot whose labels ended before the newest mature one.
    """
    require_enough(sample.churned, "training data")
    # Many small problems: threads of the linear algebra cost more than they bring, and make sums depend on the machine.
    with threadpool_limits(1, user_api="blas"):
        return _run(sample, settings, tests, say, progress)


def _run(
    sample: Sample, settings: Settings, tests: int, say: Callable[[str], None], progress: Progress
) -> Training:
    fitted = _fit_origins(sample, settings, tests, say, progress)
    notes: list[str] = []
    tested, holdout = [], None
    for i, origin in enumerate(fitted[:tests]):
        older = [o for o in fitted if o.forecast.at + _window(settings) <= origin.forecast.at]
        if not older and i > 0:
            break
        learn_on = _Known(
            [o.forecast for o in _like(older, len(origin.fold.train_rows))],
            [o.forecast for o in _comparable(older, len(origin.fold.train_rows))],
        )
        if not older:
            notes.append(
                "too few snapshots to learn the blend in time order: learned across customers instead"
            )
            across = _across_customers(sample, origin.fold, settings)
            learn_on = _Known(across, across)
        model, result = _test(origin, learn_on, sample, settings)
        tested.append(result)
        holdout = holdout or model
    if holdout is None:
        raise HistoryError("no test snapshot")
    rows = sample.at_most(settings.max_rows, settings.seed)
    if len(rows) < len(sample):
        notes.append(f"fitted on a sample of customers: {len(rows):,} of {len(sample):,} rows")
    like, members = [o.forecast for o in _like(fitted, len(rows))], fitted[0].parts.members
    weights = learn_weights(like, members)
    if len(telling(like, members)) < len(like):
        notes.append(
            f"the base rate is proven better than equal shares of the trees at {like[0].at}: shares are learned on "
            "this snapshot alone"
        )
    comparable = [o.forecast for o in _comparable(fitted, len(rows))]
    name, calibrator = learn_calibrator(comparable, weights, _window(settings))
    if (shares := members_above_rules(tested)) is not None:
        weights, name, calibrator = shares, "none", UNCALIBRATED
        tested = [put_aside(t, shares) for t in tested]
        holdout = FittedModel.assemble(fitted[0].parts, shares, UNCALIBRATED)
        notes.append(note_of_members(shares))
    say(f"fit deployed model on {len(rows):,} rows")
    parts = fit_members(rows, settings, settings.seeds, optional=weights)
    deployed = FittedModel.assemble(parts, weights, calibrator)
    notes += rule_wins(weights)
    return Training(deployed, {"holdout": holdout}, tuple(tested), name, len(rows), tuple(notes), parts)


def put_aside(tested: Tested, shares: dict[str, float]) -> Tested:
    """The same test of a model with other shares and no calibrator."""
    probability = tested.probability | {"model": blended(tested, shares)}
    return replace(tested, probability=probability, weights=shares, calibrator="none")


def _comparable(origins: Sequence[_Origin], rows: int) -> list[_Origin]:
    """Those whose fits had about as many rows as a model of so many; shares and calibration depend on it."""
    return [o for o in origins if _is_comparable(len(o.fold.train_rows), rows)]


def _is_comparable(fitted: int, rows: int) -> bool:
    return min(fitted, FOLD_ROWS) >= COMPARABLE * min(rows, FOLD_ROWS)


def _like(origins: Sequence[_Origin], rows: int) -> list[_Origin]:
    """The newest of the comparable ones."""
    return _comparable(origins, rows)[:NEWEST_FOLDS]


def _window(settings: Settings) -> np.timedelta64:
    return reach(settings.gap_days, settings.horizon_days)


def _fit_origins(
    sample: Sample, settings: Settings, tests: int, say: Callable[[str], None], progress: Progress
) -> list[_Origin]:
    """Fit the contenders at each origin; the newest one on all rows, older ones on 40,000 at most.

    Returns
    -------
    list of _Origin
        Newest first. Large trees are left out where they promise nothing on the older origins whose labels were known:
        they take the longest, and would get no share.
    """
    folds: list[Fold] = []
    for i, test in enumerate(origins(sample.snapshots, settings.gap_days, settings.horizon_days, tests)):
        fold = fold_at(sample, test, settings.gap_days, settings.horizon_days)
        if i == 0:
            _require_fold(fold, sample, settings)
        if fold is None or not enough(sample.churned[fold.train_rows]):
            break
        folds.append(fold)
    folds.reverse()
    limits = [*[min(FOLD_ROWS, settings.max_rows)] * (len(folds) - 1), settings.max_rows]
    rows = [min(len(fold.train_rows), most) for fold, most in zip(folds, limits, strict=True)]
    before = [_judged_by(folds, rows, i, _window(settings)) for i in range(len(folds))]
    fitted: list[Future[_Origin]] = [Future() for _ in folds]

    def fit(i: int) -> _Origin:
        # One thread an origin, but for the newest, which comes last: side by side they use the cores better than each
        # on all of them.
        newest = i == len(folds) - 1
        size, seeds = (settings, settings.seeds) if newest else (replace(settings, threads=1), 1)
        train = sample.rows(folds[i].train_rows).at_most(limits[i], settings.seed)
        told = [fitted[j].result().forecast for j in before[i]]
        optional = promising(told) if told else OPTIONAL
        for j in range(i, len(folds)):
            costs[j] = cost(j, LARGE in optional) if told and before[j] else costs[j]
        say(str(folds[i]))
        parts = fit_members(train, size, seeds, optional=optional)
        ahead = sample.rows(folds[i].test_rows)
        scores = parts.scores(ahead.X, size.threads)
        said = FoldForecast(folds[i].test, scores, ahead.churned, ahead.weight, ahead.customer)
        return _Origin(folds[i], parts, said)

    def keep(i: int) -> None:
        try:
            fitted[i].set_result(fit(i))
        except BaseException as error:
            fitted[i].set_exception(error)
            raise

    def cost(i: int, large: float) -> float:
        newest = i == len(folds) - 1
        seeds, faster = (settings.seeds, settings.threads**SIDE_BY_SIDE) if newest else (1, 1.0)
        return cost_of_fit(rows[i], sample.X.shape[1], sample.churned.mean(), seeds, large) / faster

    costs = [cost(i, large=0.5 if before[i] else 1.0) for i in range(len(folds))]
    jobs = [partial(keep, i) for i in range(len(folds))]
    in_threads(jobs, costs, settings.threads, progress, "backtest")
    return [origin.result() for origin in reversed(fitted)]


def _judged_by(folds: Sequence[Fold], rows: Sequence[int], i: int, window: np.timedelta64) -> list[int]:
    """Positions of the older folds that say whether large trees are fitted at all: those that shares are learned on.

    Empty where there is little to save, or where too few can say it.
    """
    known = [j for j in range(i) if folds[j].test + window <= folds[i].test]
    like = [j for j in known if _is_comparable(rows[j], rows[i])][-NEWEST_FOLDS:]
    return like if rows[i] >= COMPARABLE * FOLD_ROWS and len(like) >= FEWEST_JUDGES else []


def _require_fold(fold: Fold | None, sample: Sample, settings: Settings) -> None:
    if fold is None:
        raise HistoryError(
            f"{len(sample.snapshots)} mature snapshot(s) from {sample.snapshots[-1]} to {sample.snapshots[0]}: none "
            f"has a label window that ends before the newest one starts "
            f"(gap {settings.gap_days} + horizon {settings.horizon_days} days). Give more history, or shorten "
            "churn.horizon_days, snapshots.step_days or snapshots.min_history_days"
        )
    require_enough(sample.churned[fold.train_rows], f"training rows before the test snapshot {fold.test}")


def _test(origin: _Origin, known: _Known, sample: Sample, settings: Settings) -> tuple[FittedModel, Tested]:
    weights = learn_weights(known.shares, origin.parts.members)
    name, calibrator = learn_calibrator(known.calibrator, weights, _window(settings))
    model = FittedModel.assemble(origin.parts, weights, calibrator)
    rows = sample.rows(origin.fold.test_rows)
    said = {"model": model.probability(rows.X, settings.threads)}
    said |= {n: 1 / (1 + np.exp(-z)) for n, z in origin.forecast.scores.items()}
    return model, Tested(origin.fold, rows.churned, rows.customer, said, weights, name, rows.weight)


def _across_customers(sample: Sample, fold: Fold, settings: Settings) -> list[FoldForecast]:
    """Predictions on customers that the fit did not see, where no older snapshot can be held back."""
    train = sample.rows(fold.train_rows).at_most(FOLD_ROWS, settings.seed)
    ids, position = np.unique(train.customer, return_inverse=True)
    part = np.random.default_rng(settings.seed).permutation(len(ids))[position] % CUSTOMER_FOLDS
    found = []
    for i in range(CUSTOMER_FOLDS):
        fit_on, held = train.rows(part != i), train.rows(part == i)
        if len(held) and len(np.unique(fit_on.churned)) == 2:
            scores = fit_members(fit_on, settings, 1).scores(held.X, settings.threads)
            found.append(FoldForecast(fold.test, scores, held.churned, held.weight, held.customer))
    return found


def rule_wins(weights: dict[str, float]) -> list[str]:
    """Say so when a single simple member is the whole model."""
    if len(weights) > 1 or next(iter(weights)) in TREES:
        return []
    return [f"the model is {next(iter(weights))} alone: nothing else was better on later snapshots"]
