"""A real Spark cluster: the matrix, the scores and the rates equal those of DuckDB."""

import datetime as dt
import os
from pathlib import Path

import pandas as pd
import pytest
import spark_cluster

from configs.schema import load_config
from pipeline import demo
from pipeline.dataset import build_matrix
from pipeline.sources import open_sources

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
AS_OF = dt.date(2026, 7, 1)
SNAPSHOTS = [dt.date(2026, 7, 1), dt.date(2026, 4, 2)]
CONFIGS = {"non_contractual": "demo", "contractual": "demo_contractual"}


@pytest.fixture(scope="session")
def master():
    """The URL of a running master with two workers; skips with a reason, fails where it is required."""
    reason = spark_cluster.missing()
    if reason:
        if os.environ.get("CHURN_REQUIRE_DATASETS") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with spark_cluster.running() as url:
        yield url
        from pyspark.sql import SparkSession

        if session := SparkSession.getActiveSession():
            session.stop()


@pytest.fixture(scope="session", params=CONFIGS)
def company(request, tmp_path_factory, master):
    """A small company on files, and its config for both engines."""
    folder = tmp_path_factory.mktemp(f"spark_{request.param}")
    demo.simulate(folder, request.param, 150, demo.START, demo.END, seed=7)

    def config(kind, **more):
        file = ROOT / "configs" / f"{CONFIGS[request.param]}.yaml"
        environ = {
            f"CHURN__SOURCES__{role.upper()}__URI": f"{folder}/{source.uri.rpartition('/')[2]}"
            for role, source in load_config(file, environ={}).sources.given.items()
        }
        if kind == "spark":
            environ |= {
                "CHURN__ENGINE__KIND": "spark",
                "CHURN__ENGINE__MASTER": master,
                "CHURN__ENGINE__PARTITIONS": "4",
                "CHURN__ENGINE__OPTIONS": "{spark.sql.shuffle.partitions: '4', spark.driver.host: 127.0.0.1, "
                "spark.driver.bindAddress: 127.0.0.1, spark.executor.memory: 512m, spark.ui.enabled: 'false'}",
            }
        return load_config(file, environ={**environ, **more})

    return config


def test_the_matrix_equals_duckdbs(company, tmp_path):
    from pipeline.cluster_jobs import write_matrix

    here = company("duckdb")
    expected = build_matrix(open_sources(here, AS_OF), here, SNAPSHOTS).frame
    there = company("spark")
    write_matrix(open_sources(there, AS_OF), there, SNAPSHOTS, tmp_path / "matrix.parquet")
    found = pd.read_parquet(tmp_path / "matrix.parquet")
    found = found.sort_values(["snapshot", "customer_id"], ignore_index=True)
    assert len(expected) > 100
    found["snapshot"] = pd.to_datetime(found["snapshot"]).astype(expected["snapshot"].dtype)
    for name in expected.select_dtypes("category"):
        expected[name] = expected[name].astype("str")
    pd.testing.assert_frame_equal(found, expected, rtol=1e-6, atol=1e-6, check_dtype=False)
