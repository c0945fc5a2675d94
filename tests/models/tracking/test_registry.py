import datetime as dt
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from configs.errors import ModelError, TryAgainError
from models.prediction.boosted import Settings
from models.prediction.calibration import UNCALIBRATED
from models.prediction.classifier import FittedModel, fit_members
from models.tracking import registry, store
from models.tracking.leftovers import PROCESS
from models.tracking.registry import TrainingRecord
from models.tracking.session import experiment_id, spoken_to
from tests.models.model_data import random_sample
from tests.models.tracking.stores import tracking_in

RECORD = TrainingRecord(
    run_name="26-01-01 blend tiny",
    description="**Promoted**: first champion",
    params={"as_of": "2026-01-01"},
    metrics={"auc": 0.7, "log_loss": float("nan")},
    tags={"as_of": "2026-01-01", "verdict": "promoted"},
    steps={"backtest/auc": [(0, 1_700_000_000_000, 0.6), (1, 1_710_000_000_000, 0.7)]},
    baselines={"recency rule": {"auc": 0.6}},
    datasets={"transactions": {"rows": 3, "digest": "abc"}},
    files={"overview.html": b"<p>", "a.png": b"png"},
    metadata={"as_of": "2026-01-01", "labels_until": "2025-12-01"},
)
LOADS_ALONE = """
import json, sys
import mlflow, pandas as pd
try:
    import models
except ImportError:
    pass
else:
    sys.exit("the project is importable here, so this proves nothing")
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model(sys.argv[2])
print(json.dumps([float(p) for p in model.predict(pd.read_parquet(sys.argv[3]))]))
"""


@pytest.fixture(scope="module")
def sample():
    return random_sample()


def two_models():
    sample = random_sample()
    parts = fit_members(sample, Settings(horizon_days=30, trees=10), seeds=2)
    return [
        FittedModel.assemble(parts, w, UNCALIBRATED)
        for w in ({"boosted": 0.5, "linear": 0.3, "bg/nbd": 0.2}, {"linear": 1.0})
    ]


@pytest.fixture(scope="module")
def models():
    return two_models()


@pytest.fixture(scope="module")
def first(prepared, tmp_path_factory, models):
    """A store with one version that is champion; no test changes it."""
    home = tmp_path_factory.mktemp("home")
    shutil.copy(prepared, home / "mlflow.db")
    tracking = tracking_in(home)
    logged = registry.log_training(tracking, RECORD, models[0], {"holdout": models[1]})
    registry.make_champion(tracking, logged.version, "first")
    return tracking, logged


def files_of(tracking):
    return [f for f in (tracking.home / "mlartifacts").rglob("*") if f.is_file()]


def test_the_champion_that_is_loaded_is_the_model_that_was_logged(first, models, sample):
    tracking, logged = first
    champion = registry.load_champion(tracking)
    assert champion.version == logged.version == registry.champion_version(tracking)
    assert champion.model.files() == models[0].files()
    assert champion.holdout.files() == models[1].files()
    assert (champion.model.probability(sample.X) == models[0].probability(sample.X)).all()
    assert champion.metadata == dict(RECORD.metadata)


def test_nothing_logged_is_a_pickle(first):
    names = [f.name for f in files_of(first[0])]
    assert not [n for n in names if n.endswith((".pkl", ".pickle", ".joblib", ".cloudpickle"))]
    assert not [f for f in files_of(first[0]) if f.read_bytes()[:2] in (b"\x80\x04", b"\x80\x05")]
    assert {"model.json", "booster_0.txt", "churn_model.py", "metadata.json", "overview.html"} <= set(names)


@pytest.mark.slow
def test_it_loads_where_the_project_is_not_installed(first, models, sample, tmp_path):
    tracking, logged = first
    rows = sample.X.head(40).astype({"plan": "str"})
    rows = rows.astype({c: "float64" for c in rows.columns if c != "plan"})
    rows.to_parquet(tmp_path / "rows.parquet")
    blocker = "import sys; sys.modules['models'] = None\n"
    arguments = [tracking.uri, f"models:/tiny/{logged.version}", str(tmp_path / "rows.parquet")]
    done = subprocess.run(
        [sys.executable, "-I", "-c", blocker + LOADS_ALONE, *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    np.testing.assert_array_equal(json.loads(done.stdout), models[0].probability(sample.X.head(40)))


def test_the_run_shows_steps_baselines_and_data(first):
    import mlflow

    tracking, logged = first
    client = mlflow.MlflowClient(tracking.uri)
    run = client.get_run(logged.run_id)
    assert run.data.metrics == {"auc": 0.7, "backtest/auc": 0.7}
    assert [m.step for m in client.get_metric_history(logged.run_id, "backtest/auc")] == [0, 1]
    assert run.inputs.dataset_inputs[0].dataset.name == "transactions"
    children = client.search_runs([client.get_experiment_by_name("tiny baselines").experiment_id])
    assert [r.data.tags["mlflow.parentRunId"] for r in children] == [logged.run_id]


def test_promote_and_rollback_keep_the_reason(tracking, models):
    versions = [registry.log_training(tracking, RECORD, m, {"holdout": m}).version for m in models]
    for version in versions:
        registry.make_champion(tracking, version, f"reason {version}")
    assert registry.champion_version(tracking) == versions[1]
    assert registry.restore_champion(tracking, "list was odd") == (versions[1], versions[0])
    assert registry.load_champion(tracking).model.files() == models[0].files()
    import mlflow

    tags = mlflow.MlflowClient(tracking.uri).get_model_version("tiny", str(versions[0])).tags
    assert tags["promotion_reason"] == "rollback: list was odd"


def test_changed_files_are_refused(tracking, models):
    registry.make_champion(
        tracking, registry.log_training(tracking, RECORD, models[0], {"holdout": models[1]}).version, "first"
    )
    target = next(f for f in files_of(tracking) if f.name == "model.json")
    target.write_text(target.read_text().replace('"weight":0.5', '"weight":0.4'))
    with pytest.raises(ModelError, match="changed after training"):
        registry.load_champion(tracking)


def test_without_a_champion_the_next_step_is_said(tracking):
    assert registry.champion_version(tracking) is None
    with pytest.raises(ModelError, match="churn train"):
        registry.load_champion(tracking)
    with pytest.raises(ModelError, match="no previous champion"):
        registry.restore_champion(tracking, "x")


def test_a_server_that_is_away_is_told_within_seconds(tmp_path):
    started = time.monotonic()
    with pytest.raises(TryAgainError, match="does not answer"):
        registry.check_store(replace(tracking_in(tmp_path), uri="http://127.0.0.1:9"))
    assert time.monotonic() - started < 30


def test_several_that_start_at_once_create_one_store(tmp_path):
    tracking = tracking_in(tmp_path)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(registry.check_store, [tracking] * 4))
    assert store.revision(tmp_path / "mlflow.db")


def test_a_store_is_backed_up_whole(tracking, tmp_path):
    copy = store.back_up(tmp_path / "mlflow.db", "old")
    assert store.revision(copy) == store.revision(tmp_path / "mlflow.db")


def test_a_nightly_run_is_logged_beside_the_trainings(tracking, tmp_path):
    import mlflow

    steps = {"rate": [(1, 1_000, 70.0), (2, 2_000, float("nan")), (3, 3_000, 72.5)]}
    run = registry.log_scoring(tracking, "26-01-01 tiny", {"customers": 3.0}, {"as_of": "2026-01-01"}, steps)
    client = mlflow.MlflowClient(tracking.uri)
    assert [(m.step, m.timestamp, m.value) for m in client.get_metric_history(run, "rate")] == [
        (1, 1_000, 70.0),
        (3, 3_000, 72.5),
    ]
    experiment = client.get_experiment(client.get_run(run).info.experiment_id)
    assert experiment.name == "tiny nightly"
    assert experiment.artifact_location == (tmp_path / "mlartifacts").as_uri()


def test_runs_of_killed_processes_are_ended_and_no_others(tracking):
    here, dead = socket.gethostname(), 2**22 - 1
    tags = {
        "killed": {PROCESS: f"{here}/{dead}"},
        "at work": {PROCESS: f"{here}/{os.getpid()}"},
        "elsewhere": {PROCESS: f"other-{here}/{dead}"},
        "of a person": {},
    }
    with spoken_to(tracking) as client:
        names = ("tiny", "tiny baselines", "tiny nightly")
        runs = {
            client.create_run(experiment_id(client, tracking, name), tags=tag).info.run_id: kind
            for name in names
            for kind, tag in tags.items()
        }
        registry.check_store(tracking)
        found = [(runs[run], client.get_run(run).info.status) for run in runs]
    assert sorted(kind for kind, status in found if status == "KILLED") == ["killed"] * 3
    assert sum(status == "RUNNING" for _, status in found) == 9


def test_the_champion_of_a_day_is_the_newest_that_was_trained_by_then(tracking, models):
    days = "2026-01-01", "2026-02-01", "2026-03-01"
    for day in days:
        record = replace(RECORD, tags={**RECORD.tags, "as_of": day})
        registry.log_training(tracking, record, models[1], {})
    for version in (1, 3):
        registry.make_champion(tracking, version, "proven")
    asked = dt.date(2025, 12, 31), dt.date(2026, 1, 1), dt.date(2026, 2, 15), dt.date(2026, 3, 1)
    found = [registry.champion_at(tracking, day) for day in asked]
    assert [one and one.version for one in found] == [None, 1, 1, 3], "the second was never champion"


def test_without_a_store_nobody_was_champion(tmp_path):
    assert registry.champion_at(tracking_in(tmp_path), dt.date(2026, 1, 1)) is None
    assert not list(tmp_path.iterdir())
