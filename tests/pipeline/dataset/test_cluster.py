"""A real Spark cluster: the matrix, the labels and the published night equal those of one machine."""

import datetime as dt
import json
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
from models.statistics import losses
from pipeline import demo
from pipeline.dataset.extract import write_matrix
from pipeline.dataset.labelling import build_labels, build_waits
from pipeline.dataset.matrix import build_matrix
from pipeline.dataset.sample import bounded
from pipeline.scoring import cluster_score
from pipeline.scoring.score import score
from pipeline.sources.opening import open_sources
from pipeline.training.train import train

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
        } | {"CHURN__TRACKING__URI": f"sqlite:///{folder}/mlflow.db"}
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


def test_matrix_own_features_and_labels_equal_duckdbs(company, tmp_path):
    own = tmp_path / "own.py"
    own.write_text(OWN)
    found = {}
    for kind in ("duckdb", "spark"):
        config, out = company(kind, CHURN__FEATURES__EXTRA=f"[{own}]"), tmp_path / f"{kind}.parquet"
        told = write_matrix(config, AS_OF, 5, out, labels=True, say=lambda line: None)
        frame = pd.read_parquet(out).sort_values(["snapshot", "customer_id"], ignore_index=True)
        assert told.values["rows"] == len(frame)
        assert out.with_suffix(".catalogue.json").exists()
        texts = frame.select_dtypes("category").columns
        found[kind] = frame.astype(dict.fromkeys(texts, "str"))
        found[kind]["snapshot"] = pd.to_datetime(frame["snapshot"])
    expected = found["duckdb"]
    assert len(expected) > 300
    assert expected["half_of_the_purchases"].max() > 1
    assert expected["churned"].isna().any()
    assert set(expected["churned"].dropna()) == {0, 1}
    pd.testing.assert_frame_equal(found["spark"], expected, rtol=1e-6, atol=1e-6, check_dtype=False)


@pytest.fixture(scope="session")
def trained(company):
    """The company, with a champion of few trees."""
    quick = {f"CHURN__MODEL__{k}": v for k, v in {"SEEDS": "1", "TREES": "20", "TEST_SNAPSHOTS": "1"}.items()}
    small = {"CHURN__FEATURES__WINDOWS_DAYS": "[30, 180]", "CHURN__RETENTION__SEGMENTS": "[plan]"}
    quick |= {**small, "CHURN__RETENTION__GOALS": "[]", "CHURN__RETENTION__PERIODS": "3"}
    train(company("duckdb", **quick), AS_OF)
    return lambda kind, **more: company(kind, **quick, **more)


def test_the_night_equals_that_of_one_machine(trained, tmp_path, monkeypatch):
    monkeypatch.setenv("CHURN_CONTROL_KEY", "the same for both")
    nights, logged = {}, {}
    for kind in ("duckdb", "spark"):
        rows = counted_at_the_driver(monkeypatch) if kind == "spark" else []
        # Those whose contract has ended compete for a block of their own on one machine alone, which is said.
        more = {"CHURN__OUTPUTS__FOLDER": str(tmp_path / kind), "CHURN__OUTREACH__WIN_BACK_DAYS": "0"}
        config = trained(kind, **more)
        logged[kind] = score(config, AS_OF, None, dry_run=False, say=lambda line: None)
        nights[kind] = tmp_path / kind / config.name / "latest"
    said = [result.text.splitlines()[:-1] for result in logged.values()]  # the last line names the folder
    assert said[0] == said[1]
    here, there = ({p.name for p in night.iterdir()} for night in nights.values())
    assert here == there
    assert {"outreach.csv", "suppressed.csv", "contact_calendar.csv", "retention.csv", "report.html"} < there
    for name in sorted(here):
        if name.endswith(".parquet"):
            one, other = (pd.read_parquet(night / name) for night in nights.values())
            pd.testing.assert_frame_equal(one, other, rtol=1e-9, check_dtype=False)
        elif name.endswith((".csv", ".ics", ".html")):
            assert (nights["duckdb"] / name).read_text() == (nights["spark"] / name).read_text(), name
    ledgers = [pd.read_parquet(n.parent / f"ledger/as_of={AS_OF}/part.parquet") for n in nights.values()]
    pd.testing.assert_frame_equal(*ledgers, rtol=1e-9)
    one, other = (json.loads((night / "manifest.json").read_text()) for night in nights.values())
    assert one["rows"] == other["rows"]
    assert one["rows"]["not_considered"] == 0
    assert other["files"].keys() == one["files"].keys()
    assert max(rows) <= one["rows"]["customers"]
    kept = {"runs", "latest", "ledger", "champion.json", "unsent"}
    assert {p.name for p in (tmp_path / "spark" / config.name).iterdir()} == kept


@pytest.mark.parametrize("company", ["non_contractual"], indirect=True)
def test_more_customers_than_come_to_the_driver(trained, tmp_path, monkeypatch):
    """Two are listed; only the forty most valuable ones at risk are looked at; nothing is written."""
    monkeypatch.setenv("CHURN_CONTROL_KEY", "the same for both")
    monkeypatch.setattr(losses, "EXACT_UP_TO", 10)
    monkeypatch.setattr(cluster_score, "COMPARED", 60)
    few = {"CANDIDATES": "2", "CAPACITY": "2", "EXPLORATION": "0"}
    found = {}
    for kind in ("duckdb", "spark"):
        rows = counted_at_the_driver(monkeypatch) if kind == "spark" else []
        more = {f"CHURN__OUTREACH__{k}": v for k, v in few.items()}
        config = trained(kind, CHURN__OUTPUTS__FOLDER=str(tmp_path / "home" / kind), **more)
        found[kind] = score(config, AS_OF, None, dry_run=True, say=lambda line: None)
    here, there = (found[kind].text.splitlines() for kind in ("duckdb", "spark"))
    # Reasons compare with a sample: all but the last column is the same. Notes tell of the engine.
    kept = [[line.split()[:5] for line in lines if not line.startswith("note: ")] for lines in (here, there)]
    assert kept[0] == kept[1]
    assert found["spark"].values["customers"] == found["duckdb"].values["customers"] > 60
    assert "considered for the list: the 40 of" in found["spark"].text
    assert "none of the others could have gained more" in found["spark"].text
    assert max(rows) <= 40
    assert not (tmp_path / "home").exists()


def counted_at_the_driver(monkeypatch):
    """How many customers each action brought to the driver, from now on."""
    from pyspark.sql.classic.dataframe import DataFrame

    rows = []
    for name in ("collect", "toPandas", "toArrow", "take", "toLocalIterator"):
        whole = getattr(DataFrame, name)

        def counting(self, *arguments, whole=whole):
            found = whole(self, *arguments)
            if "customer_id" in self.columns:
                table = found.to_pandas() if hasattr(found, "to_pandas") else pd.DataFrame(found)
                rows.append(table.iloc[:, self.columns.index("customer_id")].nunique())
            return found

        monkeypatch.setattr(DataFrame, name, counting)
    return rows


def test_training_takes_a_bounded_sample_of_the_customers(company):
    config = company("spark", CHURN__MODEL__MAX_TRAINING_ROWS="150")
    sources = open_sources(config, AS_OF)
    told = []
    drawn = bounded(sources, config, SNAPSHOTS, told.append)
    assert "% of 1" in told[0]
    assert drawn.notes[-1] == told[0]
    assert 0 < drawn.share < 1
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
    ids, day = expected["customer_id"].to_numpy(str), expected["snapshot"].to_numpy("datetime64[D]")
    waits = [build_waits(s, c, ids, day, AS_OF, [0, 7, 30]) for s, c in ((drawn, config), (opened, here))]
    np.testing.assert_array_equal(waits[0].days, waits[1].days)
    np.testing.assert_array_equal(waits[0].event, waits[1].event)


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
