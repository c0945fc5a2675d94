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
    """AutoGluon, medium quality, told to validate on the newest snapshot; on rows of its own where there is but one."""
    from autogluon.tabular import TabularPredictor

    newest = train["snapshot"] == train["snapshot"].max()
    data = train.drop(columns=["snapshot", "customer"])
    predictor = TabularPredictor("churned", eval_metric="log_loss", path=str(folder / "ag"), verbosity=0)
    rows = (
        {"train_data": data} if newest.all() else {"train_data": data[~newest], "tuning_data": data[newest]}
    )
    predictor.fit(**rows, time_limit=seconds, presets="medium_quality")
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


def getml(train: pd.DataFrame, test: pd.DataFrame, folder: Path, seconds: float) -> np.ndarray:
    """FastProp of getML over the purchases before each snapshot, at its defaults, then LightGBM at its own."""
    import getml as ml
    import lightgbm as lgb

    ml.engine.launch(launch_browser=False, quiet=True)
    try:
        ml.engine.set_project("peer")
        # A purchase of the same second counts as known.
        rows = [
            ml.DataFrame.from_pandas(
                pd.DataFrame(
                    {
                        "customer": part["customer"],
                        "time": part["snapshot"] - pd.Timedelta(seconds=1),
                        "churned": part["churned"],
                    }
                ),
                name=name,
                roles={"join_key": ["customer"], "time_stamp": ["time"], "target": ["churned"]},
            )
            for name, part in (("train", train), ("test", test))
        ]
        bought = pd.read_parquet(folder / "events.parquet")
        bought = bought.rename(columns={"customer_id": "customer", "occurred_at": "time"})
        roles = {"join_key": ["customer"], "time_stamp": ["time"], "numerical": ["amount"]}
        events = ml.DataFrame.from_pandas(bought, name="events", roles=roles)
        plan = ml.data.DataModel(rows[0].to_placeholder("rows"))
        plan.add(events.to_placeholder("events"))
        plan.rows.join(plan.events, on="customer", time_stamps="time")
        pipeline = ml.Pipeline(plan, feature_learners=[ml.feature_learning.FastProp(num_threads=2)])
        pipeline.fit(rows[0], {"events": events}, check=False)
        X, ahead = (np.asarray(pipeline.transform(part, {"events": events})) for part in rows)
    finally:
        ml.engine.shutdown()
    model = lgb.LGBMClassifier(random_state=7, n_jobs=2, verbose=-1).fit(X, train["churned"])
    return model.predict_proba(ahead)[:, 1]


def perpetual(train: pd.DataFrame, test: pd.DataFrame, folder: Path, seconds: float) -> np.ndarray:
    """PerpetualBooster at its default budget: it has nothing to tune."""
    from perpetual import PerpetualBooster

    X, y = train.drop(columns=KEYS), train["churned"]
    model = PerpetualBooster(objective="LogLoss", num_threads=2, timeout=seconds)
    model.fit(X, y)
    return np.asarray(model.predict_proba(test[X.columns]))[:, 1]


def tuned(train: pd.DataFrame, test: pd.DataFrame, folder: Path, seconds: float) -> np.ndarray:
    """LightGBM, its sizes searched within the seconds on the newest snapshot, or on a fifth where there is but one."""
    import lightgbm as lgb
    import optuna

    X, y = train.drop(columns=KEYS), train["churned"]
    newest = (train["snapshot"] == train["snapshot"].max()).to_numpy()
    held = newest if not newest.all() else np.random.default_rng(7).random(len(train)) < 0.2
    always = {"objective": "binary", "num_threads": 2, "verbose": -1, "seed": 7, "bagging_freq": 1}
    data, back = lgb.Dataset(X[~held], y[~held], free_raw_data=False), lgb.Dataset(X[held], y[held])

    def loss(trial: optuna.Trial) -> float:
        sizes = {
            "num_leaves": trial.suggest_int("num_leaves", 4, 128, log=True),
            "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.2, log=True),
            "min_data_in_leaf": trial.suggest_int("min_data_in_leaf", 5, 200, log=True),
            "lambda_l2": trial.suggest_float("lambda_l2", 1e-3, 30, log=True),
            "feature_fraction": trial.suggest_float("feature_fraction", 0.4, 1.0),
            "bagging_fraction": trial.suggest_float("bagging_fraction", 0.4, 1.0),
        }
        stop = lgb.early_stopping(30, verbose=False)
        fixed = {"feature_pre_filter": False}
        model = lgb.train(always | sizes | fixed, data, 1_000, valid_sets=[back], callbacks=[stop])
        trial.set_user_attr("trees", model.best_iteration)
        return float(model.best_score["valid_0"]["binary_logloss"])

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=7))
    study.optimize(loss, timeout=seconds)
    best = study.best_trial
    model = lgb.train(always | best.params, lgb.Dataset(X, y), best.user_attrs["trees"])
    return np.asarray(model.predict(test[X.columns]))


PEERS = {
    "catboost": catboost,
    "flaml": flaml,
    "autogluon": autogluon,
    "featuretools": featuretools,
    "getml": getml,
    "perpetual": perpetual,
    "LightGBM tuned": tuned,
}


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
