"""The README's commands, run as they are written."""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from pipeline.demo import START, simulate

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks():
    """The fenced blocks without a language: each a list of lines."""
    return [block.strip().splitlines() for block in re.findall(r"^```\n(.*?)^```", README, re.M | re.S)]


def lines(start):
    """All lines of the blocks that begin like this, without their comments."""
    return [line.split("#")[0].strip() for block in blocks() for line in block if line.startswith(start)]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with a newcomer's two files: purchases and customers of a simulated company."""
    home = tmp_path_factory.mktemp("srv")
    (home / ".venv").symlink_to(Path(sys.executable).parents[1])
    simulate(home / "made", "non_contractual", 300, START, dt.date(2026, 7, 1), seed=7)
    pd.read_parquet(home / "made" / "transactions.parquet").to_csv(home / "orders.csv", index=False)
    shutil.copy(home / "made" / "customers.csv", home / "customers.csv")
    return home


def run(command, home):
    """Run a line in a shell, the installed `churn` on its path, with a small model."""
    small = {"CHURN__MODEL__SEEDS": "1", "CHURN__MODEL__TREES": "20", "CHURN__MODEL__TEST_SNAPSHOTS": "1"}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", command],
        cwd=home,
        env={**os.environ, **small, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def test_make_knows_the_commands():
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.M)
    for line in lines("make"):
        assert line.split()[1] in targets


def test_the_first_steps_on_own_data(home):
    commands = lines("churn ")
    assert [c.split()[1] for c in commands][:3] == ["init", "train", "score"]
    for command in commands:
        done = run(command, home)
        assert done.returncode in (0, 3), f"{command}\n{done.stderr}"


def test_the_cron_lines(home):
    commands = [re.sub(r"^\S+ \S+ \S+ \S+ \S+\s+", "", line) for line in lines("30 ")]
    assert len(commands) == 1
    for command in commands:
        done = run(command.replace("/srv/churn", str(home)), home)
        assert done.returncode in (0, 3), f"{command}\n{done.stderr}"
        assert bool(done.stdout) == (done.returncode == 3)
        assert list(home.glob("data/*/nights.jsonl"))


def test_every_command_named_in_the_text_exists(home):
    for name in set(re.findall(r"`churn ([a-z]+)", README)):
        assert run(f"churn {name} --help", home).returncode == 0, name


def test_the_pictures_are_there():
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", README):
        assert (ROOT / picture).is_file()
