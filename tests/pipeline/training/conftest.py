"""One training of a small shop, before it is logged: what its pages and its record are made of."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from configs.schema import Config
from models.backtest.compare import Verdict
from models.backtest.recipe import run_recipe
from pipeline.training.train import backtest_settings, prepare_history, usable
from pipeline.training.trained import Trained

AS_OF = dt.date(2025, 12, 1)


def shop_in(home, customers=200, seed=0):
    """The config of a shop whose customers buy at their own pace; a part silently leaves, sooner with the plan a."""
    rng = np.random.default_rng(seed)
    rows, plans = [], []
    for i in range(customers):
        plans.append(rng.choice(["a", "b"]))
        gap, leaves = rng.gamma(2, 8) + 2, rng.exponential(250 if plans[-1] == "a" else 450)
        days = np.cumsum(rng.exponential(gap, 300)) + rng.uniform(0, 60)
        rows += [(f"id{i:05d}", float(d)) for d in days[(days < leaves + 60) & (days < 334)]]
    bought = pd.DataFrame(rows, columns=["customer_id", "day"])
    bought["occurred_at"] = pd.Timestamp("2025-01-01") + pd.to_timedelta(bought.pop("day"), unit="D")
    bought.assign(amount=rng.gamma(2, 20, len(bought))).to_parquet(home / "bought.parquet")
    ids = [f"id{i:05d}" for i in range(customers)]
    pd.DataFrame({"customer_id": ids, "plan": plans}).to_parquet(home / "people.parquet")
    names = {name: name for name in ("customer_id", "occurred_at", "amount")}
    return Config.model_validate(
        {
            "name": "shop",
            "home": home,
            "churn": {"kind": "non_contractual", "horizon_days": 30, "active_days": 90},
            "sources": {
                "transactions": {"uri": "bought.parquet", "columns": names},
                "customers": {
                    "uri": "people.parquet",
                    "columns": {"customer_id": "customer_id"},
                    "attributes": ["plan"],
                },
            },
            "features": {"windows_days": [30, 90]},
            "model": {"trees": 10, "seeds": 1, "threads": 1, "test_snapshots": 2},
            "snapshots": {"step_days": 30, "min_history_days": 60},
        }
    )


def quiet(line):
    """Nobody listens."""


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """The training of the shop; nobody was champion before."""
    config = shop_in(tmp_path_factory.mktemp("shop"))
    found = prepare_history(config, AS_OF, quiet)
    report = usable(found.sample, allowed=[])
    sample = found.sample.columns(list(report.used))
    training = run_recipe(sample, backtest_settings(config), 2, quiet)
    verdict = Verdict(True, "no champion yet")
    return Trained(
        config, AS_OF, found.sources, found.matrix, sample, report, training, verdict, found.censored
    )
