"""`churn train`: labels, backtest, fit, compare with the champion, log, promote."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from configs.arrays import Floats
from configs.errors import DataError, Fault, TryAgainError
from configs.schema import Config
from features.matrix import Matrix
from models.backtest.best_members import same_for_all
from models.backtest.left_out import without_each
from models.backtest.recipe import Training, run_recipe
from models.backtest.tuning import Tuned, tune, untuned_table
from models.backtest.undated import WARNING, run_undated
from models.effects.censoring import Untouched
from models.prediction import still_there
from models.prediction.boosted import Settings
from models.prediction.sample import ColumnReport, Sample, inspect_columns, require_enough
from models.tracking import registry
from models.tracking.registry import Champion, Logged, Parcel, TrackingStore
from pipeline.commit import settle_when_free
from pipeline.dataset.attributes import constant_of_late, doubts_of_table, suspects_of
from pipeline.dataset.labelled import read_labelled
from pipeline.dataset.labelling import build_labels
from pipeline.dataset.matrix import build_matrix, training_snapshots
from pipeline.dataset.sample import bounded
from pipeline.layout import Layout, layout_of
from pipeline.log import Say, logged_stage
from pipeline.outcomes.untouched import notes_of_labels, untouched
from pipeline.progress import progress
from pipeline.result import LOOK, Result
from pipeline.sources.opening import Sources, read_sources
from pipeline.tracking.champion import tracking_of
from pipeline.tracking.delivery import champion_kept, deliver, keep_unsent, send_trainings
from pipeline.training.comparison import compare
from pipeline.training.horizons import learn_horizons
from pipeline.training.page import training_summary
from pipeline.training.record import make_record
from pipeline.training.trained import Trained, by_source


def train(config: Config, as_of: dt.date, say: Say = lambda line: None) -> Result:
    """Train on what was known before a date, and promote the result when it is proven better.

    Parameters
    ----------
    config
        The company's set-up.
    as_of
        Midnight that counts as now; nothing at or after it is used.
    say
        Receives progress, a line at a time.

    Returns
    -------
    Result
        Exit code 3 when a person should look: the comparison failed, or nothing beats the simple rules.

    Raises
    ------
    DataError
        A source breaks its contract, or a column gives the answer away.
    HistoryError
        Too little history, too few churners, or one class only.
    StoreError
        The tracking store refuses. One that is away keeps nobody from training: the result is sent by a later run.
    """
    tracking, layout = tracking_of(config), layout_of(config)
    for line in settle_when_free(layout):
        say(line)
    away, unsent = _reached(config, tracking, layout, say)
    undated = config.churn.kind == "labelled"
    found = (prepare_table if undated else prepare_history)(config, as_of, say)
    sources, every, matrix = found.sources, found.sample, found.matrix
    report = usable(every, allowed=config.model.allow_leaks)
    sample = every.columns(list(report.used))
    doubted = doubts(config, every, report.used)
    for line in doubted:
        say(f"look: {line}")
    settings = backtest_settings(config)
    tuned, training = _backtested(config, sample, settings, say)
    with logged_stage("sources left out", say):
        worth = without_each(
            sample, settings, training.tested[0].fold, by_source(matrix.columns, report.used)
        )
    with logged_stage("comparison", say):
        load, against, away = _champion(tracking, layout, away)
        verdict, champion = compare(config, load, training, every, sources)
    horizons = None
    if config.model.horizons_days and not undated:
        with logged_stage("horizons", say):
            horizons = learn_horizons(config, sources, sample, training, settings, as_of)
    there = None if undated else still_there_of(sources, config, matrix, as_of)
    trained = Trained(
        config,
        as_of,
        sources,
        matrix,
        sample,
        report,
        training,
        verdict,
        found.censored,
        tuned,
        there,
        found.untouched,
        champion,
        horizons,
        worth,
    )
    with logged_stage("tracking", say):
        record = make_record(trained)
        ahead = horizons.held if horizons else {}
        models = {"model": training.deployed, **training.held, **ahead}
        parcel = Parcel(record, models, verdict.promote, verdict.reason, against, trained.waits)
        logged, kept = _handed_over(tracking, layout, parcel, away)
    text, values = training_summary(trained, record, logged)
    look = _looks(trained, [*unsent, *kept], doubted)
    return Result(text, values, LOOK if verdict.failed else 0).with_look(look)


def _backtested(
    config: Config, sample: Sample, settings: Settings, say: Say
) -> tuple[Tuned | None, Training]:
    """What the search for sizes gave, where one is wanted, and the backtest with the sizes that it took."""
    trials, seconds = config.model.tune_trials, config.model.tune_seconds
    tests, tuned = config.model.test_snapshots, None
    if config.churn.kind == "labelled":
        tuned = untuned_table(settings) if trials else None
    elif trials:
        with logged_stage("tuning", say) as counted:
            tuned = tune(sample, settings, tests, trials, seconds, say, progress)
            counted(trials=len(tuned.tried))
    with logged_stage("backtest", say) as counted:
        if config.churn.kind == "labelled":
            training = run_undated(sample, settings, say, progress)
        else:
            training = run_recipe(sample, tuned.settings if tuned else settings, tests, say, progress)
        counted(folds=len(training.tested), rows=training.training_rows)
    return tuned, training


def _looks(trained: Trained, sent: Sequence[str], doubted: Sequence[str]) -> list[str]:
    """What a person should look at: the champion's place, what was sent, the model, its fairness and its sources."""
    config, sources, verdict = trained.config, trained.sources, trained.verdict
    replaced = f"the champion was replaced because it can't be used any more: {verdict.unfit}"
    return [
        *([replaced] if verdict.unfit and verdict.promote else []),
        *sent,
        *same_for_all(trained.training.deployed.weights),
        *trained.fairness.looks,
        *sources.look,
        *([] if config.churn.kind == "labelled" else map(str, suspects_of(sources, config))),
        *doubted,
    ]


def _reached(
    config: Config, tracking: TrackingStore, layout: Layout, say: Say
) -> tuple[TryAgainError | None, tuple[str, ...]]:
    """Why the store is away, or None; and what a person should look at of what an earlier training had left to send."""
    try:
        registry.check_store(tracking)
    except TryAgainError as error:
        say(f"{error}; the training goes on, and is sent by a later run")
        return error, ()
    return None, send_trainings(config, layout.untold, say)


def _champion(
    tracking: TrackingStore, layout: Layout, away: TryAgainError | None
) -> tuple[Callable[[], Champion] | None, int | None, TryAgainError | None]:
    """What reads the champion, its version, and why the store is away: then it is the one that scored last."""
    if away is None:
        try:
            version = registry.champion_version(tracking)
            return (None if version is None else partial(registry.load_champion, tracking)), version, None
        except TryAgainError as error:
            away = error
    if not layout.champion.is_file():
        return None, None, away
    champion = champion_kept(layout.champion)
    return (lambda: champion), champion.version, away


def _handed_over(
    tracking: TrackingStore, layout: Layout, parcel: Parcel, away: TryAgainError | None
) -> tuple[Logged | None, list[str]]:
    """Log a training and promote it, or keep it where the store is away; what a person should look at then."""
    if away is None:
        try:
            return deliver(tracking, parcel), []
        except TryAgainError as error:
            away = error
    kept = keep_unsent(layout.untold, parcel)
    return None, [
        f"the training is kept in {kept} and sent by the next run that reaches the tracking store: {away}"
    ]


def doubts(config: Config, sample: Sample, used: Sequence[str]) -> list[str]:
    """What a person should look at before a model of these rows is believed: a line each."""
    if config.churn.kind == "labelled":
        return doubts_of_table(sample, used, config.model.allow_leaks)
    return constant_of_late(sample, used)


def backtest_settings(config: Config) -> Settings:
    """What the recipe needs of a config."""
    model = config.model
    return Settings(
        horizon_days=config.churn.horizon_days,
        gap_days=config.churn.gap_days,
        contractual=config.churn.kind != "non_contractual",
        trees=model.trees,
        leaves=model.leaves,
        learning_rate=model.learning_rate,
        l2=model.l2,
        seeds=model.seeds,
        threads=model.threads,
        max_rows=model.max_training_rows,
        seed=config.seed,
    )


@dataclass(frozen=True)
class _Prepared:
    """Rows to learn from.

    Parameters
    ----------
    sources, matrix
        Where they come from.
    sample
        Those with a label.
    censored
        How many have none.
    untouched
        What our own list did to the labels; None where it did nothing.
    """

    sources: Sources
    sample: Sample
    matrix: Matrix
    censored: int
    untouched: Untouched | None = None


def prepare_history(config: Config, as_of: dt.date, say: Say) -> _Prepared:
    """Build the matrix of the mature snapshots and join the labels; where our list was at work, weigh the rows."""
    sources = read_sources(config, as_of, say)
    sources.freshness.require()
    with sources.freshness.told():
        return _labelled_history(sources, config, as_of, say)


def _labelled_history(sources: Sources, config: Config, as_of: dt.date, say: Say) -> _Prepared:
    days = training_snapshots(config, sources, as_of)
    sources = bounded(sources, config, days, say)
    with logged_stage("features", say) as counted:
        matrix = build_matrix(sources, config, days)
        counted(
            f"{days[-1]} to {days[0]}",
            snapshots=len(days),
            rows=len(matrix.frame),
            columns=len(matrix.columns),
        )
    with logged_stage("labels", say) as counted:
        churned = build_labels(sources, config, matrix, as_of)
        counted(churned=int(np.nansum(churned)))
    touched = untouched(config, matrix.frame)
    if touched is not None:
        for line in notes_of_labels(touched, len(churned)):
            say(line)
        churned = np.where(touched.weight > 0, churned, np.nan)
    known = np.isfinite(churned)
    require_enough(churned[known], f"snapshots {days[-1]} to {days[0]}")
    weight = None if touched is None else touched.weight[known]
    sample = _sample(matrix.frame.loc[known], matrix, churned[known], weight)
    return _Prepared(sources, sample, matrix, int((~known).sum()), touched)


def still_there_of(sources: Sources, config: Config, matrix: Matrix, as_of: dt.date) -> dict[str, Any] | None:
    """Learn who of the silent comes back, from snapshots old enough; None for contracts, whose ends are known."""
    frame = matrix.frame
    if config.churn.kind != "non_contractual" or not set(still_there.NEEDED) <= set(frame):
        return None
    oldest = pd.Timestamp(frame["snapshot"].min())
    days = still_there.window_days((pd.Timestamp(as_of) - oldest).days, config.churn.horizon_days)
    old = frame["snapshot"] <= pd.Timestamp(as_of) - pd.Timedelta(days=days)
    rows = frame.loc[old, ["customer_id", "snapshot", *still_there.NEEDED]].reset_index(drop=True)
    churn = config.churn.model_copy(update={"gap_days": 0, "horizon_days": days})
    gone = build_labels(
        sources, config.model_copy(update={"churn": churn}), replace(matrix, frame=rows), as_of
    )
    known = np.isfinite(gone)
    return still_there.fit_still_there(rows.loc[known], 1 - gone[known], days)


def prepare_table(config: Config, as_of: dt.date, say: Say) -> _Prepared:
    """Read a table without dates, and take the rows that have a label."""
    table = read_labelled(config, as_of)
    known = np.isfinite(table.churned)
    say(f"table of {len(known):,} rows, {known.sum():,} with a label; {WARNING}")
    learn = table.rows(known)
    sample = _sample(learn.matrix.frame, table.matrix, learn.churned)
    return _Prepared(table.sources, sample, table.matrix, 0)


def _sample(frame: pd.DataFrame, matrix: Matrix, churned: Floats, weight: Floats | None = None) -> Sample:
    return Sample(
        X=frame[[c.name for c in matrix.columns]].reset_index(drop=True),
        churned=churned,
        customer=frame["customer_id"].to_numpy(dtype=np.str_),
        snapshot=frame["snapshot"].to_numpy().astype("datetime64[D]"),
        weight=weight,
    )


def usable(sample: Sample, allowed: list[str]) -> ColumnReport:
    """Leave out columns that cannot help, and refuse those that give the answer away.

    Raises
    ------
    DataError
        With the name and AUC of every leaking column that is not allowed.
    """
    report = inspect_columns(sample)
    faults = [
        Fault(
            name,
            f"alone it separates churned from kept customers with AUC {value:.4f}",
            "it probably knows the outcome: exclude it under features.exclude, or map its known_at",
        )
        for name, value in report.leaking.items()
        if name not in allowed
    ]
    if faults:
        raise DataError(f"{len(faults)} column{'s' * (len(faults) > 1)} give the answer away", faults)
    return report
