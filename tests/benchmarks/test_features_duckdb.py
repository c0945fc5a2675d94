"""The DuckDB plan that is measured beside our features makes the same columns."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from benchmarks.features import WINDOWS, prepared, product, snapshots
from benchmarks.features_duckdb import duckdb_plan
from benchmarks.workload import AS_OF
from configs.schema import load_config
from pipeline.dataset.matrix import build_matrix
from pipeline.sources.opening import open_sources

SNAPSHOTS = 4
OURS = {
    "n": "purchase_count_ever",
    "spend": "spend_sum_ever",
    "mean": "spend_mean",
    "top": "spend_max",
    "recency_days": "recency_days",
    "tenure_days": "purchase_tenure_days",
    "gap": "purchase_gap_mean_days",
    "recency_ratio": "recency_ratio",
    "recency_share": "recency_share",
    "rate": "purchase_rate",
    "wait": "second_purchase_wait_days",
    "regularity": "purchase_regularity",
}
OURS |= {f"count_{w}": f"purchase_count_{w}d" for w in WINDOWS}
OURS |= {f"count_change_{w}": f"purchase_count_change_{w}d" for w in WINDOWS}
OURS |= {f"spend_{w}": f"spend_sum_{w}d" for w in WINDOWS}
OURS |= {f"spend_change_{w}": f"spend_change_{w}d" for w in WINDOWS}
OURS |= {f"intensity_{w}": f"purchase_intensity_{w}d" for w in WINDOWS}
OF_A_YEAR = {
    f"{kind}_{w}": f"purchase_count_{kind}_{w}d" for kind in ("year_ago", "season") for w in WINDOWS[:-1]
}


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Our matrix and the plan's rows of a small company, in the same order."""
    folder = prepared("small", tmp_path_factory.mktemp("bench"), (300, 9_000, 10, 10))
    config = load_config(folder / "purchases.yaml", {})
    ours = build_matrix(open_sources(config, AS_OF), config, snapshots(SNAPSHOTS)).frame
    plan = duckdb_plan(folder, SNAPSHOTS, WINDOWS).to_pandas()
    assert product(folder, SNAPSHOTS, purchases_only=True) == ours.shape
    days = [pd.Timestamp(AS_OF - dt.timedelta(days=30 * k)) for k in plan["snapshot"]]
    keys = ["snapshot", "customer_id"]
    plan = plan.assign(snapshot=pd.Series(days).astype(ours["snapshot"].dtype))
    return [frame.sort_values(keys, ignore_index=True) for frame in (ours, plan)]


def test_the_plan_makes_the_columns_of_the_product(both):
    ours, plan = both
    assert len(ours) > 1_000
    pd.testing.assert_frame_equal(
        ours[["snapshot", "customer_id"]], plan[["snapshot", "customer_id"]], check_dtype=False
    )
    assert set(plan.columns) == {"snapshot", "customer_id", *OURS, *OF_A_YEAR}
    for theirs, name in OURS.items():
        found, want = plan[theirs].to_numpy(np.float64), ours[name].to_numpy(np.float64)
        np.testing.assert_allclose(found, want, rtol=1e-5, atol=1e-4, err_msg=name)
    for theirs, name in OF_A_YEAR.items():
        known = ours[name].notna().to_numpy()  # ours are empty where nobody has looked for a year
        assert known.mean() > 0.9
        assert plan[theirs].to_numpy()[known].tolist() == ours[name].to_numpy()[known].tolist()
