"""One peer in an environment of its own: reads a folder, fits, writes probabilities and seconds. No project import.

    PYTHON benchmarks/peer.py NAME FOLDER SECONDS

FOLDER holds train.parquet and test.parquet (features, `churned`, and `snapshot` in train); `p.npy` and `seconds.txt`
are written beside them.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd


def catboost(train: pd.DataFrame, test: pd.DataFrame, folder: Path, seconds: float) -> np.ndarray:
    """CatBoost at its defaults."""
    from catboost import CatBoostClassifier

    X, y = train.drop(columns=["churned", "snapshot"]), train["churned"]
    model = CatBoostClassifier(
        verbose=False, random_seed=7, train_dir=str(folder / "catboost"), thread_count=2
    )
    return model.fit(X, y).predict_proba(test[X.columns])[:, 1]


def flaml(train: pd.DataFrame, test: pd.DataFrame, folder: Path, seconds: float) -> np.ndarray:
    """FLAML within its budget, told to minimise the log loss."""
    from flaml import AutoML

    X, y = train.drop(columns=["churned", "snapshot"]), train["churned"]
    model = AutoML()
    settings = {"task": "classification", "metric": "log_loss", "seed": 7, "n_jobs": 2, "verbose": 0}
    model.fit(X, y, time_budget=seconds, **settings)
    return model.predict_proba(test[X.columns])[:, 1]


def autogluon(train: pd.DataFrame, test: pd.DataFrame, folder: Path, seconds: float) -> np.ndarray:
    """AutoGluon, medium quality, told to validate on the newest snapshot."""
    from autogluon.tabular import TabularPredictor

    newest = train["snapshot"] == train["snapshot"].max()
    data = train.drop(columns="snapshot")
    predictor = TabularPredictor("churned", eval_metric="log_loss", path=str(folder / "ag"), verbosity=0)
    predictor.fit(data[~newest], tuning_data=data[newest], time_limit=seconds, presets="medium_quality")
    return predictor.predict_proba(test.drop(columns="churned"))[1].to_numpy()


def main() -> None:
    """Run one peer."""
    name, place, seconds = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])
    train, test = pd.read_parquet(place / "train.parquet"), pd.read_parquet(place / "test.parquet")
    start = time.perf_counter()
    p = {"catboost": catboost, "flaml": flaml, "autogluon": autogluon}[name](train, test, place, seconds)
    (place / "seconds.txt").write_text(f"{time.perf_counter() - start:.1f}")
    np.save(place / "p.npy", np.asarray(p, dtype=np.float64))


if __name__ == "__main__":
    main()
