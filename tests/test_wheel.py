"""The wheel in an empty folder: everything that a command needs comes with it."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The unpacked wheel, which comes before the checkout on the path."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def churn(installed, folder, *arguments, **environment):
    """Run the wheel's command, with nothing of the checkout before it."""
    code = "import sys, pipeline; sys.argv[0] = 'churn'; print(pipeline.__file__, file=sys.stderr); "
    return subprocess.run(
        [sys.executable, "-c", code + "from pipeline.cli import main; main()", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(installed), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def test_the_wheel_is_what_runs_and_knows_its_version(installed, tmp_path):
    done = churn(installed, tmp_path, "--version")
    assert done.stdout.startswith("churn ")
    assert Path(done.stderr.splitlines()[0]).is_relative_to(installed)


def test_what_stands_beside_the_code_comes_with_it(installed):
    for package in ("configs", "pipeline", "features", "models"):
        here = {
            str(path.relative_to(ROOT))
            for path in (ROOT / package).rglob("*")
            if path.is_file() and path.suffix != ".pyc" and "__pycache__" not in path.parts
        }
        assert here == {
            str(path.relative_to(installed))
            for path in (installed / package).rglob("*")
            if path.is_file() and path.suffix != ".pyc"
        }


def test_an_empty_folder_says_what_to_do_first(installed, tmp_path):
    done = churn(installed, tmp_path, "score")
    assert done.returncode == 2
    assert "`churn init FILES`" in done.stderr
    assert "`churn demo`" in done.stderr


@pytest.mark.slow
def test_the_rate_needs_nothing_at_all(installed, tmp_path):
    assert churn(installed, tmp_path, "retention", "rate", 44, 12, 43).stdout == "70.45 %\n"
    wrong = churn(installed, tmp_path, "retention", "rate", 44, 12)
    assert wrong.returncode == 2
    assert "give three numbers: churn retention rate 44 12 43" in wrong.stderr


@pytest.mark.slow
def test_a_config_of_ones_own_files_is_found_by_the_next_command(installed, tmp_path):
    rows = [
        f"{k % 40},2024-{1 + (k * 7 + k % 40) % 12:02d}-{1 + k % 28:02d},{k % 9 + 1}.50" for k in range(900)
    ]
    (tmp_path / "orders.csv").write_text("\n".join(["customer_id,ordered_at,total", *rows]))
    done = churn(installed, tmp_path, "init", "orders.csv", "--as-of", "2025-01-05")
    assert done.returncode in (0, 3), done.stderr
    assert (tmp_path / "churn.schema.json").is_file()
    keys = churn(installed, tmp_path, "config")
    assert "orders.csv" in keys.stdout


@pytest.mark.slow
def test_the_demo_runs_in_an_empty_folder(installed, tmp_path):
    small = {"CHURN__MODEL__SEEDS": "1", "CHURN__MODEL__TREES": "10", "CHURN__MODEL__TEST_SNAPSHOTS": "1"}
    done = churn(installed, tmp_path, "demo", "--customers", 150, **small)
    assert done.returncode in (0, 3), done.stderr
    assert (tmp_path / "configs" / "demo.yaml").is_file()
    assert list(tmp_path.glob("data/demo/latest/report.html"))
