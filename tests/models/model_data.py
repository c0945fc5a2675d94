"""Random samples for the tests of the models."""

import numpy as np
import pandas as pd

from models.prediction.sample import Sample

STEP = np.timedelta64(30, "D")
FIRST = np.datetime64("2025-01-01")


def random_sample(seed=0, customers=300, snapshots=8, signal=1.5):
    """Customers seen at several snapshots; silence and the plan drive churn, `noise` does not."""
    rng = np.random.default_rng(seed)
    n = customers * snapshots
    silence = rng.gamma(1.0, 30.0, n)
    plan = rng.choice(["basic", "plus", "pro"], n, p=[0.6, 0.3, 0.1])
    z = signal * (np.log1p(silence) - 3) + np.where(plan == "basic", 0.5, -0.5)
    X = pd.DataFrame(
        {
            "recency_days": silence,
            "purchase_count_ever": 1 + rng.poisson(5, n),
            "purchase_tenure_days": silence + rng.gamma(2.0, 60.0, n),
            "purchase_count_90d": rng.poisson(2, n),
            "score_mean": np.where(rng.random(n) < 0.4, np.nan, rng.normal(7, 1, n)),
            "noise": rng.normal(size=n),
        }
    ).astype("float32")
    X["plan"] = pd.Categorical(plan)
    return Sample(
        X=X,
        churned=(rng.random(n) < 1 / (1 + np.exp(-z))).astype(float),
        customer=np.tile([f"{i:05d}" for i in range(customers)], snapshots).astype(str),
        snapshot=np.repeat(FIRST + STEP * np.arange(snapshots), customers).astype("datetime64[D]"),
    )
