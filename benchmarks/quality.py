"""Prediction on real tasks: this product at one default configuration, its baselines, and its alternatives.

    python -m benchmarks.quality
    python -m benchmarks.quality --catboost VENV --flaml VENV --autogluon VENV --seconds 120

Tasks as fixed in REFERENCE.md: the test rows are the customers at one snapshot that no training label reaches, and
everybody trains on the same earlier snapshots. Peers get recency, tenure, mean gap, counts and sums by window; the
product builds its own columns. Then the same over several test snapshots (each predicted by what was known then),
and as deployed: trained as of D, scored at D, judged by what came. Then how stable the first reason is when the
model is trained on other customers. The data are read from CHURN_DATASETS (default ../shared/datasets).
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from configs.schema import Config, load_config
from models.classifier import FittedModel
from models.explain import contributions
from models.metrics import auc, average_precision, ece, lift_at, log_loss
from models.recipe import Training, run
from models.sample import Sample
from models.split import Fold
from pipeline.dataset.labelling import build_labels
from pipeline.dataset.matrix import build_matrix
from pipeline.outreach.reasons import COUNT
from pipeline.result import table
from pipeline.sources.opening import open_sources
from pipeline.training.train import prepare_history, settings_of, usable

ROOT = Path(__file__).parents[1]
TASKS = {
    "cdnow": dt.date(1998, 6, 30),
    "online_retail": dt.date(2011, 12, 9),
    "open_university": dt.date(2014, 12, 1),
}
DEPLOYED = {
    "cdnow": ["1997-12-01", "1998-01-15", "1998-02-15", "1998-04-01"],
    "online_retail": ["2011-07-15", "2011-08-15", "2011-09-15", "2011-10-10"],
}
BASIC = ("recency_days", "purchase_tenure_days", "purchase_gap_mean_days", "purchase_count_", "spend_sum_")
Floats = np.ndarray
Fit = Callable[[pd.DataFrame, Floats, pd.DataFrame], Floats]
EXPLAINED = 600
HEADER = ["", "AUC", "AP", "log loss", "ECE", "lift 10%", "seconds"]


@dataclass(frozen=True)
class Told:
    """What a contender said of the test rows, and how long its training took."""

    y: Floats
    p: Floats
    seconds: float

    @property
    def figures(self) -> list[float]:
        """AUC, average precision, log loss, ECE, lift in the top tenth, seconds."""
        y, p = self.y, self.p
        return [
            auc(y, p),
            average_precision(y, p),
            log_loss(y, p),
            ece(y, p),
            lift_at(y, p, 0.1),
            self.seconds,
        ]


def config_of(name: str) -> Config:
    """A shipped config, its files taken from the folder of the data sets."""
    folder = Path(os.environ.get("CHURN_DATASETS", ROOT.parent / "shared" / "datasets"))
    file = ROOT / "configs" / f"{name}.yaml"
    sources = load_config(file, environ={}).sources.given
    places = {role: folder.resolve().joinpath(*Path(s.uri).parts[-2:]) for role, s in sources.items()}
    return load_config(file, {f"CHURN__SOURCES__{role.upper()}__URI": str(p) for role, p in places.items()})


def history(config: Config, as_of: dt.date) -> Sample:
    """All that may be learned from as of a date."""
    _, sample, _, _ = prepare_history(config, as_of, lambda line: None)
    return sample.columns(list(usable(sample, config.model.allow_leaks).used))


def product(sample: Sample, config: Config) -> tuple[Training, float]:
    """The product, with the backtest that belongs to every training."""
    start = time.perf_counter()
    training = run(sample, settings_of(config), config.model.test_snapshots, lambda line: None)
    return training, time.perf_counter() - start


def _lightgbm(X: pd.DataFrame, y: Floats, test: pd.DataFrame) -> Floats:
    return lgb.LGBMClassifier(random_state=7, n_jobs=2, verbose=-1).fit(X, y).predict_proba(test)[:, 1]


def _hist(X: pd.DataFrame, y: Floats, test: pd.DataFrame) -> Floats:
    return HistGradientBoostingClassifier(random_state=7).fit(X, y).predict_proba(test)[:, 1]


def _logistic(X: pd.DataFrame, y: Floats, test: pd.DataFrame) -> Floats:
    model = make_pipeline(
        SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression(max_iter=500)
    )
    return model.fit(np.log1p(X.clip(lower=0)), y).predict_proba(np.log1p(test.clip(lower=0)))[:, 1]


HERE: dict[str, Fit] = {
    "LightGBM defaults": _lightgbm,
    "HistGradientBoosting (sklearn)": _hist,
    "logistic regression (sklearn)": _logistic,
}


def basic(X: pd.DataFrame) -> pd.DataFrame:
    """The columns that peers get; of a task without purchases all numbers."""
    names = [n for n in X.columns if n.startswith(BASIC) and not n.endswith(("trend", "ratio", "share"))]
    return X[names] if names else X.select_dtypes("number")


def peers(
    sample: Sample, fold: Fold, environments: dict[str, Path], seconds: float
) -> Iterator[tuple[str, Told]]:
    """Every peer that can be run, on the rows of one fold."""
    train, test = sample.rows(fold.train_rows), sample.rows(fold.test_rows)
    X = basic(train.X)
    X = X[[n for n in X.columns if X[n].nunique() > 1]]
    ahead = test.X[X.columns]
    for name, fit in HERE.items():
        start = time.perf_counter()
        yield name, Told(test.churned, fit(X, train.churned, ahead), time.perf_counter() - start)
    for name, folder in environments.items():
        with tempfile.TemporaryDirectory() as place:
            data = X.assign(
                churned=train.churned.astype(int), snapshot=train.snapshot.astype("datetime64[s]")
            )
            data.to_parquet(Path(place) / "train.parquet")
            ahead.assign(churned=test.churned.astype(int)).to_parquet(Path(place) / "test.parquet")
            python, script = folder / "bin" / "python", Path(__file__).with_name("peer.py")
            line = [python, script, name, place, str(seconds)]
            done = subprocess.run(line, check=False, capture_output=True, text=True)
            if done.returncode:
                print(
                    f"{name} failed: {done.stderr.strip().splitlines()[-1] if done.stderr else done.returncode}"
                )
                continue
            took = float((Path(place) / "seconds.txt").read_text())
            yield name, Told(test.churned, np.load(Path(place) / "p.npy"), took)


def rows_of(told: dict[str, list[float]]) -> str:
    """A table, one contender a row."""
    shown = [
        [n, *(f"{v:.3f}" for v in f[:4]), f"{f[4]:.2f}", f"{f[5]:.0f}" if f[5] else ""]
        for n, f in told.items()
    ]
    return table(HEADER[: len(shown[0])], shown)


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
    by_snapshot = []
    for at, tested in enumerate(training.tested):
        said = contenders(training, at, took)
        there = environments if at == 0 else {n: p for n, p in environments.items() if n == "catboost"}
        said |= {n: t.figures for n, t in peers(sample, tested.fold, there, seconds)}
        by_snapshot.append(said)
        if at == 0:
            rate = f"{tested.y.mean():.1%} churn; {sample.churned[tested.fold.train_rows].mean():.1%} in training"
            print(f"\n{name}, {tested.fold}, {rate}\n{rows_of(said)}")
            print("\n".join(note for note in training.notes))
    if len(by_snapshot) > 1:
        everywhere = [n for n in by_snapshot[0] if all(n in said for said in by_snapshot)]
        mean = {n: list(np.mean([said[n] for said in by_snapshot], axis=0)) for n in everywhere}
        dates = ", ".join(str(t.fold.test) for t in training.tested)
        print(f"\n{name}, mean of the test snapshots {dates}\n{rows_of(mean)}")


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
    """How often a customer's first driver is the same when the model is trained on other customers."""
    config = config_of(name)
    sample = history(config, TASKS[name])
    matrix = build_matrix(open_sources(config, TASKS[name]), config, [TASKS[name]])
    driver = {c.name: c.driver for c in matrix.columns}
    ids = np.unique(sample.customer)
    half = np.random.default_rng(7).permutation(len(ids)) % 2
    side = half[np.searchsorted(ids, sample.customer)]
    settings = replace(settings_of(config), max_rows=60_000)
    models = [run(sample.rows(side == i), settings, 1, lambda line: None).deployed for i in (0, 1)]
    risks = [model.probability(matrix.features) for model in models]
    order = np.argsort(-(risks[0] + risks[1]), kind="stable")
    chance = np.random.default_rng(7).permutation(len(order))
    print(f"\n{name}: two models, each trained on half of the customers")
    for what, picked in (("most at risk", order[:EXPLAINED]), ("at random", order[chance[:EXPLAINED]])):
        rows = matrix.features.iloc[picked]
        found = [contributions(model, rows, matrix.features) for model in models]
        sums = [pd.DataFrame(f.values, columns=f.columns).T.groupby(driver).sum().T for f in found]
        first = np.mean(sums[0].idxmax(axis=1).to_numpy() == sums[1].idxmax(axis=1).to_numpy())
        top = [s.rank(axis=1, ascending=False).to_numpy() <= COUNT for s in sums]
        shared = (top[0] & top[1]).sum() / (COUNT * len(rows))
        print(
            f"  of {len(rows)} customers {what} {first:.1%} have the same first driver, {shared:.1%} of the"
        )
        print(f"  {COUNT} strongest drivers are the same")
    close = float(np.mean(np.abs(risks[0] - risks[1])))
    rank = pd.Series(risks[0]).corr(pd.Series(risks[1]), method="spearman")
    print(f"  probabilities differ by {close:.3f} on average, rank correlation {rank:.3f}")


def main() -> None:
    """Print everything."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--parts", nargs="+", default=["peers", "deployed", "stability"])
    parser.add_argument("--seconds", type=float, default=120.0, help="budget of FLAML and AutoGluon")
    for name in ("catboost", "flaml", "autogluon"):
        parser.add_argument(f"--{name}", type=Path, help="its virtual environment")
    asked = parser.parse_args()
    environments = {n: p for n in ("catboost", "flaml", "autogluon") if (p := getattr(asked, n)) is not None}
    for name in sorted({"catboost", "flaml", "autogluon"} - set(environments)):
        print(f"{name}: skipped, no --{name} VENV given")
    parts = {"peers": lambda task: compare(task, environments, asked.seconds), "deployed": deployed}
    for part in asked.parts:
        for task in asked.tasks:
            if part == "stability":
                stability(task)
            elif part == "peers" or task in DEPLOYED:
                parts[part](task)


if __name__ == "__main__":
    main()
