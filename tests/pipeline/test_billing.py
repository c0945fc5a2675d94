"""A billing export from the first look to the list, by the commands."""

import json
import os
import subprocess

import pandas as pd
import pytest
from billing import AS_OF, export
from typer.testing import CliRunner

from pipeline.cli import app
from tests.forked import forked_churn

SMALL = {
    "CHURN__MODEL__SEEDS": "1",
    "CHURN__MODEL__TREES": "20",
    "CHURN__MODEL__TEST_SNAPSHOTS": "1",
    "CHURN__SNAPSHOTS__MAX_COUNT": "6",
    "CHURN_CONFIG": "saas.yaml",
}


def churn(*arguments, cwd):
    return subprocess.run(
        [forked_churn(), *arguments],
        cwd=cwd,
        env={**os.environ, **SMALL},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("billing")
    export(folder)
    return folder


@pytest.mark.slow
def test_from_the_export_to_the_list(home):
    seen = churn("check", cwd=home)
    assert seen.returncode == 0, seen.stderr
    assert "rows read: 439 contracts" in seen.stdout
    trained = churn("train", "-q", cwd=home)
    # 3: of late nobody of so few has a second contract, and that is said.
    assert trained.returncode in (0, 3), trained.stderr
    scored = churn("score", "-q", cwd=home)
    assert scored.returncode == 0, scored.stderr
    night = home / "data" / "saas" / "runs" / AS_OF
    listed = pd.read_csv(night / "outreach.csv")
    failed = pd.read_csv(home / "failed.csv")
    unpaid = set(failed[failed["Paid At"].isna() | (failed["Paid At"] >= AS_OF)]["Customer"])
    dunned = set(listed[listed["action"] == "dunning"]["customer_id"])
    assert dunned
    assert dunned <= unpaid
    subs = pd.read_csv(home / "subs.csv", parse_dates=["Created (UTC)", "Ended At (UTC)"])
    running = set(subs[subs["Ended At (UTC)"].isna()]["Customer"])
    # Within `outreach.win_back_days`, 90, and 7 days of grace.
    lately = set(subs[subs["Ended At (UTC)"] >= "2024-03-26"]["Customer"]) - running
    back = listed[listed["block"] == "win back"]
    assert set(back["action"]) == {"win_back"}
    assert set(back["customer_id"]) <= lately
    assert back["reason_1"].str.fullmatch(r"the contract ended \d+ days? ago").all()
    assert not running & set(back["customer_id"])
    assert listed["customer_id"].is_unique
    # The list knows what the contracts bring.
    assert "no amounts are known" not in scored.stdout + scored.stderr
    assert listed["value"].nunique() > 2
    assert (night / "retention_contracts.csv").exists()


def test_the_rate_counts_who_returned(home, monkeypatch):
    monkeypatch.chdir(home)

    def told(*arguments):
        return CliRunner().invoke(app, ["retention", *arguments, "--config", "saas.yaml"]).stdout

    rate = json.loads(told("--periods", "12", "--json"))
    assert sum(row["returned"] for row in rate["rows"]) > 3
    reasons = told("reasons", "--periods", "12")
    assert "a payment failed" in reasons
    assert "involuntary: " in reasons
    assert "involuntary: of 2 of 10 lost (20.0 %)" in told("audit")
