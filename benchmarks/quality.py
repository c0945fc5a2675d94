"""Prediction on real tasks: this product at one default configuration, its baselines, and its alternatives.

    python -m benchmarks.quality
    python -m benchmarks.quality --environments FOLDER --seconds 120     # peers too, each in an environment made there

The tasks are fixed: the test rows are the customers at one snapshot that no training label reaches, and everybody
trains on the same earlier snapshots; a table without dates is predicted across its customers, in five folds. Peers
get recency, tenure, mean gap, counts and sums by window, or the attributes where there are no purchases
(featuretools and getML build their own columns of the purchases, featuretools for 20,000 training rows); the product
builds its own. Then the same over several test snapshots (each predicted by what was known then), and as deployed:
trained as of D, scored at D, judged by what came. Then how stable the first reason is when the model is trained
again, and whether weights that fade with a snapshot's age would help. The data are read from
CHURN_DATASETS (default ../shared/datasets).
"""

from __future__ import annotations

import argparse
import datetime as dt
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd

from benchmarks.quality_peers import HERE, NOT_HAD, PACKAGES, TUNED, environments_of, peers
from benchmarks.tasks import DEPLOYED, TASKS, Told, config_of, history, rows_of
from configs.schema import Config
from models.backtest.compare import paired
from models.backtest.recipe import Training, run_recipe
from models.backtest.split import Fold
from models.backtest.undated import fold_of, run_undated
from models.prediction.boosted import Settings, capacity
from models.prediction.classifier import FittedModel, learn_columns
from models.prediction.explain import contributions
from models.prediction.sample import Sample
from models.prediction.scoring import encode
from models.statistics.metrics import auc, ece, log_loss
from pipeline.dataset.labelling import build_labels
from pipeline.dataset.matrix import build_matrix
from pipeline.outreach.reasons import COUNT
from pipeline.sources.opening import open_sources
from pipeline.training.train import backtest_settings

PARTS = ("peers", "deployed", "stability", "weights")
EXPLAINED = 600
HALF_LIVES = (60, 180, 360)


def product(sample: Sample, config: Config) -> tuple[Training, float]:
    """The product, with the backtest that belongs to every training."""
    start, settings = time.perf_counter(), backtest_settings(config)
    if config.churn.kind == "labelled":
        return run_undated(sample, settings, lambda line: None), time.perf_counter() - start
    training = run_recipe(sample, settings, config.model.test_snapshots, lambda line: None)
    return training, time.perf_counter() - start


def contenders(training: Training, at: int, took: float) -> dict[str, list[float]]:
    """The product and its baselines on one test snapshot."""
    tested = training.tested[at]
    return {
        ("churn" if n == "model" else f"  {n}"): Told(tested.y, p, took if n == "model" else 0.0).figures
        for n, p in tested.probability.items()
    }


def compare(name: str, environments: dict[str, Path], seconds: float) -> None:
    """One task, at its fixed snapshot and over the snapshots of the backtest."""
    config = config_of(name)
    sample = history(config, TASKS[name])
    training, took = product(sample, config)
    events = _purchases(config, name)
    by_snapshot, together = [], []
    for at, tested in enumerate(training.tested):
        said = contenders(training, at, took)
        told = dict(tested.probability)
        there = environments if at == 0 else {n: p for n, p in environments.items() if n == "catboost"}
        found = (
            crossed(sample, training, there, seconds)
            if tested.fold.crossed
            else peers(sample, tested.fold, there, seconds, events)
        )
        for n, t in found:
            said[n], told[n] = t.figures, t.p
        by_snapshot.append(said)
        together.append(
            {n: np.asarray(told[n], dtype=np.float64) for n in ("model", *HERE, *there) if n in told}
        )
        if at == 0:
            rate = f"{tested.y.mean():.1%} churn; {sample.churned[tested.fold.train_rows].mean():.1%} in training"
            more = _differences(tested.y, told, tested.customer)
            print(f"\n{name}, {tested.fold}, {rate}")
            print(rows_of(said, more, "log loss above churn's [95 %]"))
            print("\n".join(note for note in training.notes))
    if len(by_snapshot) > 1:
        everywhere = [n for n in by_snapshot[0] if all(n in said for said in by_snapshot)]
        mean = {n: list(np.mean([said[n] for said in by_snapshot], axis=0)) for n in everywhere}
        dates = ", ".join(str(t.fold.test) for t in training.tested)
        print(f"\n{name}, mean of the test snapshots {dates}\n{rows_of(mean)}")
    print(places(name, training, together), flush=True)


def places(name: str, training: Training, told: list[dict[str, np.ndarray]]) -> str:
    """Say at which place the product is among its peers, over the rows of all test snapshots together."""
    y, who = (np.concatenate([getattr(t, field) for t in training.tested]) for field in ("y", "customer"))
    p = {n: np.concatenate([one[n] for one in told]) for n in told[0] if all(n in one for one in told)}
    ours, lines = p.pop("model"), []
    against = {n: paired(y, ours, other, who, seed=7, list_size=len(y) // 10) for n, other in p.items()}
    found = {n: (d.log_loss, *d.log_loss_interval) for n, d in against.items()}
    lifts = {n: d.top["lift_top_tenth"] for n, d in against.items()}
    for what, less, better, digits in (("log loss", found, 1, 4), ("lift 10%", lifts, -1, 2)):
        # What is ours less theirs stands above zero in log loss, and below in lift, where they are better.
        ahead = sorted(less, key=lambda n: -better * less[n][0])
        place = 1 + sum(better * less[n][0] > 0 for n in less)
        low, high = (f"{v:+.{digits}f}" for v in less[ahead[0]][1:])
        best = f"{less[ahead[0]][0]:+.{digits}f} [{low}, {high}] to {ahead[0]}"
        lines.append(f"{what}: place {place} of {len(p) + 1}, {best}")
    return f"{name}, {len(y):,} rows of {len(told)} tests, ECE {ece(y, ours):.3f}; " + "; ".join(lines)


def crossed(
    sample: Sample, training: Training, environments: dict[str, Path], seconds: float
) -> Iterator[tuple[str, Told]]:
    """Every peer on the folds of the product's cross-validation, each row predicted by the fit without its customer."""
    spec = training.held["fold_0"].spec["fold"]
    of = fold_of(sample.customer, spec["salt"], spec["of"])
    day, found = sample.snapshots[0], {}
    for i in range(spec["of"]):
        test = np.flatnonzero(of == i)
        fold = Fold(day, day, day, np.flatnonzero(of != i), test)
        for name, told in peers(sample, fold, environments, seconds, None):
            p, took = found.setdefault(name, (np.full(len(sample), np.nan), []))
            p[test] = told.p
            took.append(told.seconds)
    for name, (p, took) in found.items():
        yield name, Told(sample.churned, p, sum(took))


def _purchases(config: Config, name: str) -> pd.DataFrame | None:
    if config.churn.kind == "labelled":
        return None
    table = open_sources(config, TASKS[name]).local.get("transactions")
    return None if table is None else table.select("customer_id", "occurred_at", "amount").to_pandas()


def _differences(y: np.ndarray, told: dict[str, np.ndarray], customer: np.ndarray) -> dict[str, str]:
    """By how much each contender's log loss is above the product's, by a paired bootstrap over customers."""
    shown = {}
    for name, p in told.items():
        if name != "model":
            d = paired(y, np.asarray(p, dtype=np.float64), told["model"], customer, seed=7, list_size=50)
            text = f"{d.log_loss:+.4f} [{d.log_loss_interval[0]:+.4f}, {d.log_loss_interval[1]:+.4f}]"
            shown |= {name: text, f"  {name}": text}
    return shown


def deployed(name: str) -> None:
    """Trained as of D, scored at D, judged by what came after D."""
    config, found = config_of(name), {}
    ahead = dt.timedelta(days=config.churn.gap_days + config.churn.horizon_days)
    for text in DEPLOYED[name]:
        day = dt.date.fromisoformat(text)
        sample = history(config, day)
        training, took = product(sample, config)
        at_day = build_matrix(open_sources(config, day), config, [day])
        y = build_labels(open_sources(config, day + ahead), config, at_day, day + ahead)
        said = {"churn": Told(y, training.deployed.probability(at_day.features), took).figures}
        for rule in ("recency rule", "rfm"):
            alone = FittedModel.assemble(training.parts, {rule: 1.0}, {"kind": "none"})
            said[f"  {rule}"] = Told(y, alone.probability(at_day.features), 0.0).figures
        newest = sample.churned[sample.snapshot == sample.snapshots[0]].mean()
        print(
            f"\n{name} as deployed on {day}: {len(y):,} customers, {y.mean():.1%} churned; {newest:.1%} at the"
        )
        print(f"newest snapshot whose labels were known ({sample.snapshots[0]})\n{rows_of(said)}")
        for n, figures in said.items():
            found.setdefault(n, []).append(figures)
    print(f"\n{name} as deployed, mean of {len(DEPLOYED[name])} dates")
    print(rows_of({n: list(np.mean(f, axis=0)) for n, f in found.items()}))


def stability(name: str) -> None:
    """How often a customer's first driver is the same when the model is trained again on something else."""
    config = config_of(name)
    sample = history(config, TASKS[name])
    settings = replace(backtest_settings(config), max_rows=60_000)
    ids = np.unique(sample.customer)
    half = (np.random.default_rng(7).permutation(len(ids)) % 2)[np.searchsorted(ids, sample.customer)]
    first = _deployed(sample, settings)
    _steady(
        name,
        "each trained on another half of the customers",
        *(_deployed(sample.rows(half == i), settings) for i in (0, 1)),
    )
    _steady(name, "another seed", first, _deployed(sample, replace(settings, seed=8)))
    older = sample.rows(sample.snapshot < sample.snapshots[0])
    _steady(name, "trained one snapshot earlier", first, _deployed(older, settings))


def _deployed(sample: Sample, settings: Settings) -> FittedModel:
    return run_recipe(sample, settings, 1, lambda line: None).deployed


def _steady(name: str, what: str, *models: FittedModel) -> None:
    config = config_of(name)
    matrix = build_matrix(open_sources(config, TASKS[name]), config, [TASKS[name]])
    driver = {c.name: c.driver for c in matrix.columns}
    risks = [model.probability(matrix.features) for model in models]
    rank = pd.Series(risks[0]).corr(pd.Series(risks[1]), method="spearman")
    order = np.argsort(-(risks[0] + risks[1]), kind="stable")
    tenth = order[: max(1, len(order) // 10)]
    rng = np.random.default_rng(7)
    shown = []
    for picked in (rng.permutation(tenth)[:EXPLAINED], rng.permutation(order)[:EXPLAINED]):
        rows = matrix.features.iloc[picked]
        found = [contributions(model, rows, matrix.features) for model in models]
        sums = [pd.DataFrame(f.values, columns=f.columns).T.groupby(driver).sum().T for f in found]
        same = np.mean(sums[0].idxmax(axis=1).to_numpy() == sums[1].idxmax(axis=1).to_numpy())
        top = [s.rank(axis=1, ascending=False).to_numpy() <= COUNT for s in sums]
        shown.append(
            f"{same:.0%} ({(top[0] & top[1]).sum() / (COUNT * len(rows)):.0%} of the {COUNT} strongest)"
        )
    print(
        f"{name}, {what}: the same first driver of {shown[0]} in the top tenth, of {shown[1]} of all; "
        f"rank correlation {rank:.3f}, probabilities {np.mean(np.abs(risks[0] - risks[1])):.3f} apart",
        flush=True,
    )


def weights(name: str) -> None:
    """The boosted member with rows that fade with the age of their snapshot, by half-life; one seed."""
    config = config_of(name)
    sample = history(config, TASKS[name])
    settings = replace(backtest_settings(config), max_rows=40_000, seeds=1)
    tested = run_recipe(sample, settings, config.model.test_snapshots, lambda line: None).tested
    found: dict[str, list[tuple[float, float]]] = {}
    for fold in (t.fold for t in tested):
        train, test = sample.rows(fold.train_rows).at_most(40_000, 7), sample.rows(fold.test_rows)
        columns = learn_columns(train.X)
        X, ahead = encode(columns, train.X), encode(columns, test.X)
        minority = int(min(train.churned.mean(), 1 - train.churned.mean()) * len(np.unique(train.customer)))
        leaves, rows = capacity(settings.leaves, minority)
        chosen = {
            "objective": "binary",
            "num_leaves": leaves,
            "min_data_in_leaf": rows,
            "learning_rate": settings.learning_rate,
            "lambda_l2": settings.l2,
            "extra_trees": True,
            "num_threads": settings.threads,
            "verbose": -1,
        }
        age = (fold.last - train.snapshot).astype(float)
        for half in (0, *HALF_LIVES):
            fade = None if half == 0 else 0.5 ** (age / half)
            data = lgb.Dataset(X, train.churned, weight=fade)
            p = lgb.train(chosen, data, settings.trees).predict(ahead)
            found.setdefault(f"half-life {half} days" if half else "all alike", []).append(
                (auc(test.churned, p), log_loss(test.churned, p))
            )
    said = "; ".join(
        f"{n}: AUC {np.mean(v, axis=0)[0]:.4f}, log loss {np.mean(v, axis=0)[1]:.4f}"
        for n, v in found.items()
    )
    print(f"{name}, weights of snapshots, mean of {len(tested)} test snapshots: {said}", flush=True)


def main() -> None:
    """Print everything."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=PARTS)
    parser.add_argument("--seconds", type=float, default=120.0, help="budget of those that search")
    parser.add_argument("--environments", type=Path, help="folder of the peers' virtual environments")
    searched = [TUNED, *PACKAGES]
    parser.add_argument("--peers", nargs="*", default=searched, choices=searched, help="of these")
    asked = parser.parse_args()
    environments = {}
    if "peers" in asked.parts:
        environments = environments_of(asked.environments, asked.peers)
        for name in [n for n in (*searched, *NOT_HAD) if n not in environments]:
            why = "its package has no weights" if name in NOT_HAD else "not asked for, or not to be had"
            print(f"{name}: skipped, {why}")
    for part in asked.parts:
        for task in asked.tasks:
            if part == "peers":
                compare(task, environments, asked.seconds)
            elif task in DEPLOYED or (part != "deployed" and config_of(task).churn.kind != "labelled"):
                {"deployed": deployed, "stability": stability, "weights": weights}[part](task)


if __name__ == "__main__":
    main()
