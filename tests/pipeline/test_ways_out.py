"""Never a dead end: from a fault, whoever does what the message says comes to a published list."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sqlite3

import numpy as np
import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from models.tracking.moved import follow
from pipeline.cli import app
from tests.pipeline.shop import purchases

pytestmark = pytest.mark.slow

CONFIG = {
    "name": "shop",
    "as_of": "2024-07-01",
    "churn": {"kind": "non_contractual", "horizon_days": 30, "active_days": 90},
    "sources": {
        "transactions": {
            "uri": "sales.csv",
            "columns": {n: n for n in ("customer_id", "occurred_at", "amount")},
        },
        "customers": {
            "uri": "people.csv",
            "columns": {"customer_id": "customer_id"},
            "attributes": {"plan": "plan", "seats": "seats"},
        },
    },
    "features": {"windows_days": [30, 90]},
    "model": {"trees": 5, "seeds": 1, "test_snapshots": 1, "threads": 1},
    "snapshots": {"max_count": 4},
    "retention": {"periods": 2},
}
ADVICE = re.compile(r"`(mv [^`]*|churn (?:train|promote|rollback|score)[^`]*)`")


def run(home, *arguments):
    """A command with the home's config: exit code, and what it printed."""
    if arguments[0] == "mv":
        shutil.move(*arguments[1:])
        return 0, ""
    done = CliRunner().invoke(app, [*arguments, "--config", str(home / "c.yaml"), "-q"])
    return done.exit_code, done.output


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A home with a champion; tests work in copies."""
    home = tmp_path_factory.mktemp("homes") / "original"
    home.mkdir()
    purchases().to_csv(home / "sales.csv", index=False)
    rng = np.random.default_rng(0)
    people = pd.DataFrame({"customer_id": [f"{k:03d}" for k in range(120)]})
    people = people.assign(plan=rng.choice(["basic", "plus"], 120), seats=rng.integers(1, 9, 120))
    since = pd.Timestamp("2023-01-08") + pd.to_timedelta(rng.integers(0, 200, 120), unit="D")
    until = since + pd.to_timedelta(rng.exponential(300, 120).round(), unit="D")
    people.assign(since=since, until=until).to_csv(home / "people.csv", index=False)
    (home / "c.yaml").write_text(yaml.safe_dump(CONFIG))
    code, told = run(home, "train")
    assert code == 0, told
    assert "Promoted (version 1)" in told
    return home


def edit(home, **sections):
    config = yaml.safe_load((home / "c.yaml").read_text())
    for name, values in sections.items():
        config[name] = {**config.get(name, {}), **values}
    (home / "c.yaml").write_text(yaml.safe_dump(config))


def customers(home, **more):
    config = yaml.safe_load((home / "c.yaml").read_text())["sources"]
    edit(home, sources={"customers": {**config["customers"], **more}})


def renamed(home):
    customers(home, attributes={"tier": "plan", "seats": "seats"})


def new_column(home):
    people = pd.read_csv(home / "people.csv", dtype=str)
    people.assign(city="Ulm").to_csv(home / "people.csv", index=False)
    customers(home, attributes={"plan": "plan", "seats": "seats", "city": "city"})


def other_horizon(home):
    edit(home, churn={"horizon_days": 45})


def other_kind(home):
    edit(home, churn={"kind": "contractual"})
    customers(home, columns={"customer_id": "customer_id", "started_at": "since", "ended_at": "until"})


def truncated(home):
    file = next(f for f in sorted((home / "mlartifacts").rglob("model.json")) if f.parent.name == "model")
    file.write_bytes(file.read_bytes()[:100])


def lost_files(home):
    shutil.rmtree(home / "mlartifacts")


def not_promoted(home):
    with sqlite3.connect(home / "mlflow.db") as store:
        store.execute("DELETE FROM registered_model_aliases")


def lost_store(home):
    for file in home.glob("mlflow.db*"):
        file.unlink()


def damaged_store(home):
    lost_store(home)
    (home / "mlflow.db").write_bytes(b"SQLite format 3\0" + bytes(5000))


FAULTS = [
    renamed,
    new_column,
    other_horizon,
    other_kind,
    truncated,
    lost_files,
    not_promoted,
    lost_store,
    damaged_store,
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.__name__)
def test_the_advice_leads_from_the_fault_to_a_published_list(trained, tmp_path, fault):
    home = tmp_path / "home"
    shutil.copytree(trained, home)
    follow(home / "mlflow.db")
    fault(home)
    code, told = run(home, "score")
    done = []
    while code not in (0, 3):
        assert "unexpected" not in told
        advice = [found for found in ADVICE.findall(told) if found not in done]
        assert advice, f"after {done} nothing new is advised: {told}"
        done.append(advice[0])
        code, said = run(home, *shlex.split(advice[0].removeprefix("churn ")))
        assert code in (0, 3), f"{advice[0]}: {said}"
        if advice[0].startswith("mv"):  # the same message tells the command after it
            code = 1
        else:
            code, told = run(home, "score")
    manifest = json.loads((home / "data" / "shop" / "latest" / "manifest.json").read_text())
    assert manifest["rows"]["customers"] > 30
    assert (done == []) == (fault in (new_column,))
    assert len(done) <= (2 if fault is damaged_store else 1)


def contents(home):
    """Every file but those that SQLite makes and takes away when somebody looks."""
    files = sorted(
        p for p in home.rglob("*") if p.is_file() and not p.name.endswith(("-shm", "-wal", ".lock"))
    )
    return {p: p.read_bytes() for p in files}


def test_a_copy_of_a_home_lives_beside_it_and_a_moved_one_goes_on(trained, tmp_path):
    home, before = tmp_path / "a copy", contents(trained)
    shutil.copytree(trained, home)
    code, told = run(home, "train")
    assert code == 0, told
    assert f"{home / 'mlflow.db'}: has moved" in told
    assert "Not promoted (version 2): not proven better" in told  # so the champion was read
    assert contents(trained) == before
    moved = home.rename(tmp_path / "moved")
    code, told = run(moved, "score")
    assert code in (0, 3), told
    assert contents(trained) == before
    assert "has moved" not in run(moved, "promote", "2", "--reason", "read from its new place")[1]


def test_two_configs_of_one_home_do_not_touch(trained, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(trained, home)
    assert run(home, "score")[0] in (0, 3)
    before = contents(home / "data")
    sales = pd.read_csv(home / "sales.csv", dtype=str)
    sales.loc[sales["customer_id"] < "090"].to_csv(home / "sales.csv", index=False)
    edit(home, outreach={"capacity": 2})
    config = yaml.safe_load((home / "c.yaml").read_text())
    (home / "c.yaml").write_text(yaml.safe_dump(config | {"name": "other"}))
    assert "no champion of other" in run(home, "score")[1]
    for command in ("train", "score"):
        code, told = run(home, command)
        assert code in (0, 3), told
    after = contents(home / "data")
    assert {path: after.get(path) for path in before} == before
    assert {path.relative_to(home / "data").parts[0] for path in after.keys() - before.keys()} == {"other"}


@pytest.mark.parametrize("kind", ["non_contractual", "contractual"])
def test_data_that_end_long_before_the_date_are_said_by_every_command(trained, tmp_path, kind):
    home = tmp_path / "home"
    shutil.copytree(trained, home)
    commands = ["check", "train", "retention", "outcomes"]
    if kind == "contractual":
        other_kind(home)
        people = pd.read_csv(home / "people.csv", dtype=str)
        people.assign(until=people["until"].where(people["until"] < "2024-07-01")).to_csv(
            home / "people.csv", index=False
        )
    else:
        commands.append("score")
    for command in commands:
        code, told = run(home, command, "--as-of", "2026-07-01")
        assert code in (1, 3), (command, told)
        assert "the newest row is of 2024-06-30, 731 days before 2026-07-01" in told, (command, told)
        assert "write `as_of: 2024-07-01`" in told, (command, told)
