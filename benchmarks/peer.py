"""One peer in an environment of its own: reads a folder, fits, writes probabilities and seconds. No project import.

    PYTHON benchmarks/peer.py NAME FOLDER SECONDS

FOLDER holds train.parquet and test.parquet (features, `churned`, `snapshot`, `customer`) and may hold events.parquet
(customer_id, occurred_at, amount); `p.npy` and `seconds.txt` are written beside them.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

KEYS = ["churned", "snapshot", "customer"]


def catboost(train: pd.DataFrame, test: pd.DataFrame, folder: Path, seconds: float) -> np.ndarray:
    """CatBoost at its defaults."""
    from catboost import CatBoostClassifier

    X, y = train.drop(columns=KEYS), train["churned"]
    model = CatBoostClassifier(
        verbose=False, random_seed=7, train_dir=str(folder / "catboost"), thread_count=2
    )
    return model.fit(X, y).predict_proba(test[X.columns])[:, 1]


def flaml(train: pd.DataFrame, test: pd.DataFrame, folder: Path, seconds: float) -> np.ndarray:
    """FLAML within its budget, told to minimise the log loss."""
    from flaml import AutoML

    X, y = train.drop(columns=KEYS), train["churned"]
    model = AutoML()
    settings = {"task": "classification", "metric": "log_loss", "seed": 7, "n_jobs": 2, "verbose": 0}
    model.fit(X, y, time_budget=seconds, **settings)
    return model.predict_proba(test[X.columns])[:, 1]


def autogluon(train: pd.DataFrame, test: pd.DataFrame, folder: Path, seconds: float) -> np.ndarray:
    """AutoGluon, medium quality, told to validate on the newest snapshot."""
    from autogluon.tabular import TabularPredictor

    newest = train["snapshot"] == train["snapshot"].max()
    data = train.drop(columns=["snapshot", "customer"])
    predictor = TabularPredictor("churned", eval_metric="log_loss", path=str(folder / "ag"), verbosity=0)
    predictor.fit(data[~newest], tuning_data=data[newest], time_limit=seconds, presets="medium_quality")
    return predictor.predict_proba(test.drop(columns=KEYS))[1].to_numpy()


def featuretools(train: pd.DataFrame, test: pd.DataFrame, folder: Path, seconds: float) -> np.ndarray:
    """Deep feature synthesis over the purchases before each snapshot, then LightGBM at its defaults."""
    import featuretools as ft
    import lightgbm as lgb

    events = pd.read_parquet(folder / "events.parquet").reset_index(names="event")
    customers = pd.DataFrame({"customer_id": events["customer_id"].unique()})
    data = ft.EntitySet("shop")
    data.add_dataframe(dataframe_name="customers", dataframe=customers, index="customer_id")
    data.add_dataframe(dataframe_name="events", dataframe=events, index="event", time_index="occurred_at")
    data.add_relationship("customers", "customer_id", "events", "customer_id")
    rows = pd.concat([train, test], ignore_index=True)
    # It counts what happens at the cutoff itself as known.
    cutoff = pd.DataFrame(
        {
            "customer_id": rows["customer"],
            "time": rows["snapshot"] - pd.Timedelta(seconds=1),
            "row": rows.index,
        }
    )
    X, _ = ft.dfs(
        entityset=data,
        target_dataframe_name="customers",
        cutoff_time=cutoff,
        agg_primitives=["count", "sum", "mean", "max", "min", "std", "time_since_last", "avg_time_between"],
        trans_primitives=[],
    )
    X = X.set_index("row").sort_index().astype(float)
    known = np.arange(len(rows)) < len(train)
    model = lgb.LGBMClassifier(random_state=7, n_jobs=2, verbose=-1).fit(X[known], train["churned"])
    return model.predict_proba(X[~known])[:, 1]


PEERS = {"catboost": catboost, "flaml": flaml, "autogluon": autogluon, "featuretools": featuretools}


def main() -> None:
    """Run one peer."""
    name, place, seconds = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])
    train, test = pd.read_parquet(place / "train.parquet"), pd.read_parquet(place / "test.parquet")
    start = time.perf_counter()
    p = PEERS[name](train, test, place, seconds)
    (place / "seconds.txt").write_text(f"{time.perf_counter() - start:.1f}")
    np.save(place / "p.npy", np.asarray(p, dtype=np.float64))


if __name__ == "__main__":
    main()
