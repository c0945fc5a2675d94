"""A real Spark cluster: the matrix, the scores and the rates equal those of DuckDB."""

import datetime as dt
import os
import socket
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import spark_cluster

from configs.errors import DataError, TryAgainError
from configs.schema import load_config
from models.recipe import run
from pipeline import demo
from pipeline.dataset.cluster_jobs import bounded, write_matrix, write_scores
from pipeline.dataset.labelling import build_labels
from pipeline.dataset.matrix import build_matrix
from pipeline.retention.rate import retention_table
from pipeline.sources.opening import open_sources
from pipeline.training.train import prepare_history, settings_of, usable

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]
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
    with spark_cluster.running() as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
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
                "spark.driver.bindAddress: 127.0.0.1, spark.executor.memory: 512m, spark.ui.enabled: 'false', "
                "spark.sql.adaptive.coalescePartitions.enabled: 'false'}",
            }
        return load_config(file, environ={**environ, **more})

    return config


def test_the_matrix_equals_duckdbs(company, tmp_path):
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


def a_model(config):
    """A champion of few trees, trained here."""
    _, sample, _, _ = prepare_history(config, AS_OF, lambda line: None)
    training = run(sample.columns(list(usable(sample, []).used)), settings_of(config), 2, lambda line: None)
    return training.deployed


def test_the_scores_equal_those_of_one_machine_and_nothing_is_collected(company, tmp_path, monkeypatch):
    here, there = company("duckdb", CHURN__MODEL__SEEDS="1"), company("spark")
    model = a_model(here)
    matrix = build_matrix(open_sources(here, AS_OF), here, [AS_OF])
    expected = pd.Series(model.probability(matrix.features), matrix.frame["customer_id"])
    rows = counted_at_the_driver(monkeypatch)
    write_scores(open_sources(there, AS_OF), there, AS_OF, model, tmp_path / "scores.parquet")
    assert rows
    assert max(rows) == 1, "more than the sums of a whole table came to the driver"
    found = pd.read_parquet(tmp_path / "scores.parquet")
    assert set(found["as_of"]) == {AS_OF}
    found = found.set_index("customer_id")["churn_probability"]
    pd.testing.assert_series_equal(found.sort_index(), expected.sort_index(), check_names=False, rtol=1e-6)
    assert len(list((tmp_path / "scores.parquet").glob("part-*.parquet"))) > 1


def counted_at_the_driver(monkeypatch):
    """How many rows each action brought to the driver, from now on."""
    from pyspark.sql.classic.dataframe import DataFrame

    rows = []
    for name in ("collect", "toPandas", "toArrow", "take", "toLocalIterator"):
        whole = getattr(DataFrame, name)

        def counting(self, *arguments, whole=whole):
            found = whole(self, *arguments)
            rows.append(len(found))
            return found

        monkeypatch.setattr(DataFrame, name, counting)
    return rows


def test_training_takes_a_bounded_sample_of_the_customers(company):
    config = company("spark", CHURN__MODEL__MAX_TRAINING_ROWS="150")
    sources = open_sources(config, AS_OF)
    told = []
    drawn = bounded(sources, config, SNAPSHOTS, told.append)
    assert "% of 1" in told[0]
    matrix = build_matrix(drawn, config, SNAPSHOTS)
    labels = build_labels(drawn, config, matrix, AS_OF)
    here = company("duckdb")
    opened = open_sources(here, AS_OF)
    whole = build_matrix(opened, here, SNAPSHOTS)
    chosen = whole.frame["customer_id"].isin(matrix.frame["customer_id"].unique()).to_numpy()
    assert 0 < len(matrix.frame) < len(whole.frame)
    expected = whole.frame[chosen].reset_index(drop=True)
    numbers = expected.select_dtypes("number").columns
    pd.testing.assert_frame_equal(matrix.frame[numbers], expected[numbers], rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(labels, build_labels(opened, here, whole, AS_OF)[chosen])


def test_the_rates_equal_duckdbs_and_nothing_is_collected(company, monkeypatch):
    here, there = company("duckdb"), company("spark")
    expected = retention_table(open_sources(here, AS_OF).local, here.churn, AS_OF, segment="plan")
    rows = counted_at_the_driver(monkeypatch)
    found = retention_table(open_sources(there, AS_OF).local, there.churn, AS_OF, segment="plan")
    pd.testing.assert_frame_equal(found, expected)
    assert max(rows) <= len(expected)


OWN = '''
import numpy as np
from features.spec import feature


def half(number):
    return number / 2


@feature("transactions", unit="count", driver="rhythm", null="never null")
def half_of_the_purchases(at):
    """Half of the purchases."""
    return half(np.asarray(at.purchases.count()))
'''


def test_a_feature_of_the_users_own_reaches_the_workers(company, tmp_path):
    own = tmp_path / "own.py"
    own.write_text(OWN)
    here, there = (company(kind, CHURN__FEATURES__EXTRA=f"[{own}]") for kind in ("duckdb", "spark"))
    expected = build_matrix(open_sources(here, AS_OF), here, [AS_OF]).frame
    write_matrix(open_sources(there, AS_OF), there, [AS_OF], tmp_path / "matrix.parquet")
    found = pd.read_parquet(tmp_path / "matrix.parquet").sort_values("customer_id")
    assert expected["half_of_the_purchases"].max() > 1
    assert found["half_of_the_purchases"].tolist() == expected["half_of_the_purchases"].tolist()


def test_a_master_that_is_away_is_said_at_once(company):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"spark://127.0.0.1:{closed.getsockname()[1]}"
    config = company("spark", CHURN__ENGINE__MASTER=url)
    began = time.monotonic()
    with pytest.raises(TryAgainError, match=f"no master at {url}: .*refused; see that it runs") as raised:
        open_sources(config, AS_OF)
    assert time.monotonic() - began < 20
    assert raised.value.exit_code == 75


def test_a_database_is_not_read_by_spark(company):
    config = company("spark", CHURN__SOURCES__FEEDBACK__URI="postgresql://me@host/shop#feedback")
    with pytest.raises(DataError, match="a database is not read by Spark; export the table to Parquet"):
        open_sources(config, AS_OF)
