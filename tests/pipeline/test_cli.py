"""The command line as its user meets it: one process per command, real files, exit codes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml

from pipeline.output_columns import OUTPUTS
from pipeline.sources.quarantine import QUARANTINE_FILE as QUARANTINE
from tests.forked import forked_churn

ROOT = Path(__file__).parents[2]
CHURN = Path(sys.executable).with_name("churn")
SMALL = {"CHURN__MODEL__SEEDS": "1", "CHURN__MODEL__TREES": "30", "CHURN__MODEL__TEST_SNAPSHOTS": "1"}

pytestmark = pytest.mark.slow  # a company of its own, one process a command


def churn(*arguments, cwd, command=None, **environment):
    """Run the command; standard output, standard error and exit code."""
    return subprocess.run(
        [command or forked_churn(), *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **SMALL, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """A home with a small demo company, trained and scored once."""
    home = tmp_path_factory.mktemp("company")
    (home / "configs").mkdir()
    for name in ("demo.yaml", "playbook.yaml"):
        shutil.copy(ROOT / "configs" / name, home / "configs" / name)
    done = churn("demo", "--customers", 400, "--json", cwd=home, command=CHURN)
    assert done.returncode == 0, done.stderr
    return home, json.loads(done.stdout)


def test_help_is_fast_because_nothing_heavy_is_imported():
    heavy = "pandas", "ibis", "mlflow", "sklearn", "duckdb", "numpy"
    code = f"import sys, pipeline.cli; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_rate_of_three_numbers(tmp_path):
    assert (
        churn("retention", "rate", "--start", 44, "--new", 12, "--end", 43, cwd=tmp_path).stdout
        == "70.45 %\n"
    )
    wrong = churn("retention", "rate", "--start", 0, "--new", 0, "--end", 0, cwd=tmp_path)
    assert wrong.returncode != 0
    assert wrong.stdout == ""
    assert len(wrong.stderr.strip().splitlines()) <= 3


def test_the_runs_in_mlflow_name_no_customer_and_say_what_they_are(company):
    import mlflow

    home, _ = company
    client = mlflow.MlflowClient(f"sqlite:///{home}/mlflow.db")
    (night,) = client.search_runs([client.get_experiment_by_name("demo nightly").experiment_id])
    (training,) = client.search_runs([client.get_experiment_by_name("demo").experiment_id])
    assert night.data.tags["mlflow.source.name"] == "churn score"
    assert training.data.tags["verdict"] == "promoted"
    ids = pd.read_parquet(next(home.glob("data/demo/latest/scores.parquet")))["customer_id"]
    owners = pd.read_csv(next(home.glob("data/demo/latest/outreach.csv")))["owner"].dropna()
    persons = {owner for owner in owners if " " in owner}
    assert persons
    for run in (night, training):
        texts = [run.info.run_name, *run.data.tags.values(), *run.data.params.values()]
        names = [file.path for file in client.list_artifacts(run.info.run_id)]
        for name in names:
            content = Path(client.download_artifacts(run.info.run_id, name)).read_bytes()
            texts += [content.decode()] if not name.endswith(".png") else []
        words = set(re.findall(r"[\w ]+", "\n".join(map(str, texts))))
        assert not words & {*ids, *persons}
    assert {"retention.csv", "monitoring.csv"} <= {
        file.path for file in client.list_artifacts(night.info.run_id)
    }
    assert {"gain.png", "overview.html"} <= {
        file.path for file in client.list_artifacts(training.info.run_id)
    }


def test_the_demo_publishes_a_whole_night(company):
    home, said = company
    latest = home / "data" / "demo" / "latest"
    names = {p.name for p in latest.iterdir()}
    assert {
        "outreach.csv",
        "suppressed.csv",
        "scores.parquet",
        "retention.csv",
        "report.html",
        "manifest.json",
    } <= names
    manifest = json.loads((latest / "manifest.json").read_text())
    assert manifest["as_of"] == "2026-07-01"
    assert manifest["run_id"].startswith("demo-2026-07-01-")
    scores = pq.read_table(latest / "scores.parquet").to_pandas()
    assert len(scores) == said["score"]["customers"] == manifest["rows"]["customers"]
    assert scores["churn_probability"].between(0, 1).all()
    assert scores["customer_id"].str.len().eq(6).all()  # leading zeros are kept
    listed = pd.read_csv(latest / "outreach.csv", dtype=str)
    left_out = pd.read_csv(latest / "suppressed.csv", dtype=str)
    assert set(listed["customer_id"]).isdisjoint(left_out["customer_id"])
    assert set(listed["customer_id"]) | set(left_out["customer_id"]) == set(scores["customer_id"])


def test_every_column_of_the_night_is_explained_in_the_reference(company):
    latest = company[0] / "data" / "demo" / "latest"
    for name, columns in OUTPUTS.items():
        if name == QUARANTINE:  # there is no bad row
            assert not (latest / name).exists()
            continue
        file = latest / name
        if file.exists():
            is_csv = file.suffix == ".csv"
            found = pd.read_csv(file, nrows=0).columns if is_csv else pq.read_schema(file).names
            assert set(found) <= set(columns), name
    others = {file.name for file in latest.glob("*.csv")} - set(OUTPUTS)
    assert not others


def test_scoring_twice_gives_the_same_bytes(company):
    home, _ = company
    first = {
        p.name: p.read_bytes() for p in sorted((home / "data" / "demo" / "latest").iterdir()) if p.is_file()
    }
    assert churn("score", cwd=home).returncode in (0, 3)
    second = {
        p.name: p.read_bytes() for p in sorted((home / "data" / "demo" / "latest").iterdir()) if p.is_file()
    }
    assert [n for n in first if first[n] != second[n]] == []
    assert first.keys() == second.keys()


def test_a_dry_run_writes_nothing(company):
    home, _ = company
    before = {p: p.stat().st_mtime_ns for p in sorted((home / "data").rglob("*"))}
    done = churn("score", "--dry-run", cwd=home)
    assert done.returncode in (0, 3), done.stderr
    assert "nothing was written" in done.stdout
    assert before == {p: p.stat().st_mtime_ns for p in sorted((home / "data").rglob("*"))}


def test_a_plan_says_who_enters_and_leaves_and_writes_nothing_else(company, tmp_path):
    home, _ = company
    before = {p: p.stat().st_mtime_ns for p in sorted((home / "data").rglob("*"))}
    table = tmp_path / "changes.csv"
    smaller = "--set", "outreach.capacity=4", "--set", "outreach.start=full"
    done = churn("plan", *smaller, "--out", table, "--json", cwd=home)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["now"]["contacts"] <= 4 + 5  # the block of those to be won back has a capacity of its own
    changes = pd.read_csv(table, dtype=str)
    moved = {c: (changes["change"] == c).sum() for c in ("enters", "leaves")}
    assert said["now"]["contacts"] == said["before"]["contacts"] + moved["enters"] - moved["leaves"]
    assert len(said["changes"]) == len(changes)
    assert changes["why"].notna().all()
    assert said["past"] == {"nights": 0, "rows": 0, "parts": said["past"]["parts"]}
    assert before == {p: p.stat().st_mtime_ns for p in sorted((home / "data").rglob("*"))}


def test_a_plan_without_a_change_of_the_list_changes_nobody(company):
    home, _ = company
    done = churn("plan", "--against", "configs/demo.yaml", cwd=home)
    assert done.returncode == 0, done.stderr
    assert "0 enter the list" in done.stdout
    assert "0 leave the list" in done.stdout


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ((), "nothing changes: give --against OLD.yaml, --set outreach.capacity=100"),
        (("--set", "capacity 4", "--set", "=3"), "'capacity 4', '=3': expected KEY=VALUE"),
        (("--set", "outreach.capacity=many"), "--set outreach.capacity"),
        (("--set", "outreach.capasity=4"), "capacity"),
    ],
)
def test_a_wrong_plan_is_wrong_usage(company, given, told):
    home, _ = company
    done = churn("plan", *given, cwd=home)
    assert done.returncode == 2
    assert told in done.stderr


def test_a_plan_for_a_version_that_is_not_there_says_so(company):
    home, _ = company
    done = churn("plan", "--model", 99, cwd=home)
    assert done.returncode == 1
    assert "99" in done.stderr


def test_another_folder_gets_the_scores(company, tmp_path):
    home, _ = company
    done = churn("score", "--out", tmp_path / "out", "--as-of", "2026-06-01", cwd=home)
    assert done.returncode == 3, done.stderr  # the champion is younger than that day: a person should look
    scores = pq.read_table(tmp_path / "out" / "2026-06-01" / "scores.parquet")
    assert {"customer_id", "as_of", "churn_probability"} <= set(scores.column_names)
    told = scores.to_pandas()
    chances = np.column_stack([told[f"churn_probability_{days}d"] for days in (30, 90, 180)])
    assert (np.diff(chances, axis=1) <= 1e-9).all()
    assert (chances[:, 0] >= told["churn_probability"] - 1e-9).all()  # who buys within 30 days buys within 60
    days = told[["expected_from", "expected_on"]].dropna()
    assert len(days)
    assert (days["expected_from"] <= days["expected_on"]).all()
    assert (home / "data" / "demo" / "ledger" / "forecasts").is_dir()
    hindsight = tmp_path / "out" / "ledger" / "forecasts"
    assert not hindsight.exists()


def test_a_listed_customer_is_explained(company, tmp_path):
    home, _ = company
    for day in ("2026-06-29", "2026-06-30"):
        assert churn("score", "--out", tmp_path, "--as-of", day, cwd=home).returncode in (0, 3)
    listed = pd.read_csv(tmp_path / "2026-06-30" / "outreach.csv", dtype=str)
    customer = listed["customer_id"][0]
    asked = ("explain", customer, "--out", tmp_path, "--json", "--as-of", "2026-06-30")
    done = churn(*asked, "--steps", cwd=home)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["churn_probability"] == pytest.approx(
        said["as_read_now"]
    )  # the rows of the night can be made again
    since = said["since"]
    parts = since["data"] + since["model"] + since["rest"]
    assert said["churn_probability"] - since["before"] == pytest.approx(parts)
    assert (since["model"], since["since"]) == (0.0, "2026-06-29")
    assert since["rest"] == pytest.approx(0.0, abs=1e-6)
    assert len(said["for_the_customer"]) > 100
    steps = said["steps"]
    assert steps["probability"] == pytest.approx(said["churn_probability"])
    assert steps["base"] + sum(one["adds"] for one in steps["features"]) == pytest.approx(steps["calibrated"])
    purchases = pd.read_parquet(home / "data" / "demo" / "transactions.parquet")
    own = purchases["customer_id"].eq(customer) & purchases["occurred_at"].lt("2026-06-30")
    assert steps["rows"]["transactions"] == own.sum() > 0
    assert "steps" not in json.loads(churn(*asked, cwd=home).stdout)
    missing = churn("explain", "nobody", "--out", tmp_path, cwd=home)
    assert missing.returncode == 1
    assert "nobody" in missing.stderr


def test_paths_count_from_the_config_not_from_the_working_directory(company, tmp_path):
    home, _ = company
    out = tmp_path / "f.parquet"
    config = home / "configs" / "demo.yaml"
    done = churn("features", "--config", config, "--snapshots", 4, "--labels", "--out", out, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    frame = pq.read_table(out).to_pandas()
    assert frame["snapshot"].nunique() == 4
    mature = frame.groupby("snapshot")["churned"].apply(lambda c: c.notna().any())
    assert mature.tolist() == [True, True, False, False]  # 60 days of horizon, steps of 30
    catalogue = json.loads(out.with_suffix(".catalogue.json").read_text())
    assert set(catalogue) == set(frame.columns) - {"customer_id", "snapshot", "churned"}


def test_the_catalogue_is_printed(company):
    home, _ = company
    done = churn("features", "--list", cwd=home)
    assert "Days since the last purchase" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "said"),
    [
        (("score", "--config", "nowhere.yaml"), {}, 2, "no such config file"),
        (("score", "--as-of", "tomorrow"), {}, 2, "expected a date such as 2026-01-31"),
        (("score",), {"CHURN__CHURN__HORIZN_DAYS": "9"}, 2, "did you mean 'horizon_days'?"),
        (("score",), {"CHURN__SOURCES__TRANSACTIONS__URI": "data/none.parquet"}, 1, "no file at"),
        (("train", "--as-of", "2023-08-01"), {}, 1, "too short"),
        (("score", "--as-of", "2020-01-01"), {}, 1, "choose a later --as-of"),
        (("features",), {}, 2, "--out FILE.parquet"),
        (
            ("promote", "1", "--reason", "it is better"),
            {"CHURN__TRACKING__URI": "http://127.0.0.1:9"},
            75,
            "does not answer",
        ),
    ],
)
def test_a_mistake_is_one_clear_answer_and_leaves_yesterday_whole(
    company, arguments, environment, code, said
):
    home, _ = company
    before = (home / "data" / "demo" / "latest" / "manifest.json").read_bytes()
    done = churn(*arguments, cwd=home, **environment)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert (home / "data" / "demo" / "latest" / "manifest.json").read_bytes() == before


def test_errors_are_json_for_machines_and_tracebacks_on_demand(company):
    home, _ = company
    done = churn("score", "--config", "nowhere.yaml", "--json", cwd=home)
    assert json.loads(done.stdout)["exit_code"] == 2
    assert "Traceback" in churn("score", "--config", "nowhere.yaml", "--debug", cwd=home).stderr


def test_a_source_that_lost_a_column_is_told_by_a_diff(company, tmp_path):
    home, _ = company
    config = yaml.safe_load((home / "configs" / "demo.yaml").read_text())
    del config["sources"]["usage"]
    without = home / "configs" / "without.yaml"
    without.write_text(yaml.safe_dump(config))
    done = churn("score", "--config", without, cwd=home)
    assert done.returncode == 1
    assert "usage_recency_days" in done.stderr
    assert "the model reads it, the data do not have it" in done.stderr


def test_the_champion_moves_by_hand_with_a_reason(company):
    home, _ = company
    assert "champion" in churn("promote", 1, "--reason", "checked by hand", cwd=home).stdout
    none = churn("rollback", "--reason", "there is nothing before", cwd=home)
    assert none.returncode == 1
    assert "no previous champion" in none.stderr
    assert churn("promote", 1, "--reason", " ", cwd=home).returncode == 2


def test_old_nightly_runs_are_cleaned_up(company):
    home, _ = company
    kept = churn("ui", "--clean", "--json", cwd=home)
    assert json.loads(kept.stdout)["deleted"] == 0
    gone = churn("ui", "--clean", "--json", "--as-of", "2028-01-01", cwd=home)
    assert json.loads(gone.stdout)["deleted"] >= 1


LEAKING = """
from features.spec import feature

@feature("transactions", unit="purchases", driver="d")
def purchases_to_come(at):
    "Purchases of the next 30 days."
    return at.purchases.last(30, before=-30).count()
"""


def test_a_feature_of_ones_own_that_sees_the_future_is_named(company):
    home, _ = company
    (home / "mine.py").write_text(LEAKING)
    done = churn("features", "--check", "--json", cwd=home, CHURN__FEATURES__EXTRA="mine.py")
    assert done.returncode == 1, done.stderr
    assert {leak["column"] for leak in json.loads(done.stdout)["leaks"]} == {"purchases_to_come"}
