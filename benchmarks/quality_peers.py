"""What people would pick instead, on the rows of one fold: some in this environment, some in one of their own."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.tasks import Floats, Told
from models.backtest.split import Fold
from models.prediction.classifier import learn_columns
from models.prediction.sample import Sample
from models.prediction.scoring import encode, input_names

Fit = Callable[[pd.DataFrame, Floats, pd.DataFrame], Floats]
BASIC = ("recency_days", "purchase_tenure_days", "purchase_gap_mean_days", "purchase_count_", "spend_sum_")
# What is installed from the package registry for each of those that have an environment of their own.
PACKAGES = {
    "catboost": ["catboost", "pandas"],
    "flaml": ["flaml[automl]", "pandas"],
    "autogluon": ["autogluon.tabular[lightgbm,catboost,xgboost]==1.6.*"],
    "featuretools": ["featuretools", "lightgbm", "scikit-learn", "pandas<2.3", "numpy<2.3"],
    "getml": ["getml==1.5.*", "lightgbm", "scikit-learn", "pandas<2.3"],
    "perpetual": ["perpetual", "pandas", "scikit-learn"],
}
TUNED = "LightGBM tuned"
# Their packages hold no weights, and load them from a hub when they run.
NOT_HAD = ("TabICL", "TabPFN")
# Those that make their own columns of the purchases.
FROM_PURCHASES = ("featuretools", "getml")
FEATURETOOLS_ROWS = 20_000


def environment(name: str, folder: Path, packages: Sequence[str]) -> Path | None:
    """The virtual environment of a peer below a folder, made when it is not there; None where it can't be had."""
    place = folder / name
    if (place / "complete").exists():
        return place
    python = shutil.which("python3.11") or sys.executable
    for line in (
        [python, "-m", "venv", place],
        [place / "bin" / "pip", "install", "-q", "pyarrow", *packages],
    ):
        done = subprocess.run(line, check=False, capture_output=True, text=True)
        if done.returncode:
            said = done.stderr.strip().splitlines()
            print(f"{name}: can't be had here: {said[-1] if said else done.returncode}", flush=True)
            return None
    (place / "complete").touch()
    return place


def environments_of(folder: Path | None, names: Sequence[str]) -> dict[str, Path]:
    """Peer to its environment: LightGBM tuned is in this one, the others only with a folder for them."""
    made = {n: environment(n, folder, PACKAGES[n]) for n in names if n != TUNED} if folder else {}
    here = {TUNED: Path(sys.prefix)} if TUNED in names else {}
    return here | {n: place for n, place in made.items() if place is not None}


def _lightgbm(X: pd.DataFrame, y: Floats, test: pd.DataFrame) -> Floats:
    return lgb.LGBMClassifier(random_state=7, n_jobs=1, verbose=-1).fit(X, y).predict_proba(test)[:, 1]


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


def basic(X: pd.DataFrame) -> list[dict[str, Any]]:
    """The columns that peers get; of a task without purchases all, a text as a flag for each frequent level."""
    names = [n for n in X.columns if n.startswith(BASIC) and not n.endswith(("trend", "ratio", "share"))]
    return [{"name": n, "kind": "number"} for n in names] or list(learn_columns(X))


def peers(
    sample: Sample, fold: Fold, environments: dict[str, Path], seconds: float, events: pd.DataFrame | None
) -> Iterator[tuple[str, Told]]:
    """Every peer that can be run, on the rows of one fold; `events` are the purchases, for those that read them."""
    train, test = sample.rows(fold.train_rows), sample.rows(fold.test_rows)
    columns = basic(train.X)
    given = [
        f"x{i}" for i in range(len(input_names(columns)))
    ]  # levels hold signs that LightGBM takes for JSON
    train, test = (replace(s, X=pd.DataFrame(encode(columns, s.X), columns=given)) for s in (train, test))
    names = [n for n in given if train.X[n].nunique() > 1]
    for name, fit in HERE.items():
        start = time.perf_counter()
        p = fit(train.X[names], train.churned, test.X[names])
        yield name, Told(test.churned, p, time.perf_counter() - start)
    for name, folder in environments.items():
        if name in FROM_PURCHASES and events is None:
            print(f"{name}: skipped, no purchases here")
            continue
        part = train.at_most(FEATURETOOLS_ROWS, 7) if name == "featuretools" else train
        with tempfile.TemporaryDirectory() as place:
            _write(part, names, Path(place) / "train.parquet")
            _write(test, names, Path(place) / "test.parquet")
            if events is not None:
                events.to_parquet(Path(place) / "events.parquet")
            script = Path(__file__).with_name("peer.py")
            line = [folder / "bin" / "python", script, name, place, str(seconds)]
            done = subprocess.run(line, check=False, capture_output=True, text=True)
            if done.returncode:
                said = done.stderr.strip().splitlines()
                print(f"{name} failed: {said[-1] if said else done.returncode}")
                continue
            took = float((Path(place) / "seconds.txt").read_text())
            yield name, Told(test.churned, np.load(Path(place) / "p.npy"), took)


def _write(part: Sample, names: list[str], file: Path) -> None:
    keys = {
        "churned": part.churned.astype(int),
        "snapshot": part.snapshot.astype("datetime64[s]"),
        "customer": part.customer,
    }
    part.X[names].assign(**keys).to_parquet(file)
