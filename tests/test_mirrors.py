"""Every module has a test module of its name, but those of which another one says all that there is to say."""

from pathlib import Path

import pytest

from benchmarks.mutants import own_tests

ROOT = Path(__file__).parents[1]
PACKAGES = ("configs", "features", "models", "pipeline")
# Modules that a command or a whole night runs, or that hold plain values for others: the test of those.
ELSEWHERE = {
    "configs/arrays.py": "tests/test_mirrors.py",  # names of array types: nothing runs
    "models/tracking/exchange.py": "tests/models/tracking/test_registry.py",
    "models/tracking/runs.py": "tests/models/tracking/test_registry.py",
    "pipeline/backfill.py": "tests/faults/test_backfill.py",
    "pipeline/cli_nightly.py": "tests/pipeline/unattended/test_nightly_elsewhere.py",
    "pipeline/dataset/cluster_jobs.py": "tests/pipeline/scoring/test_cluster_score.py",
    "pipeline/dataset/cluster_labels.py": "tests/pipeline/dataset/test_cluster.py",
    "pipeline/explaining/night.py": "tests/pipeline/explaining/test_explain.py",
    "pipeline/nightly.py": "tests/pipeline/test_cli.py",
    "pipeline/output_columns.py": "tests/configs/test_reference.py",
    "pipeline/outreach/context.py": "tests/pipeline/outreach/test_decision.py",
    "pipeline/reference.py": "tests/configs/test_reference.py",
    "pipeline/replay.py": "tests/faults/test_replay.py",
    "pipeline/report/overview.py": "tests/pipeline/scoring/test_overview.py",
    "pipeline/report/view.py": "tests/pipeline/report/test_render.py",
    "pipeline/scoring/files.py": "tests/pipeline/test_cli.py",
    "pipeline/scoring/logged.py": "tests/faults/test_services_away.py",
    "pipeline/scoring/night.py": "tests/pipeline/test_cli.py",
    "pipeline/scoring/score.py": "tests/faults/test_nights.py",
    "pipeline/showcase.py": "tests/pipeline/test_cli.py",
    "pipeline/tracking/delivery.py": "tests/faults/test_training_away.py",
    "pipeline/tracking/tracking_ui.py": "tests/pipeline/test_cli.py",
}


def without_own(modules, tests):
    """Modules without a test module of their name; both are paths."""
    return {path for path in modules if not set(own_tests(path)) & set(tests)}


@pytest.fixture(scope="module")
def tree():
    """The paths of the modules and of the test modules."""

    def paths(folder, pattern):
        return {file.relative_to(ROOT).as_posix() for file in (ROOT / folder).rglob(pattern)}

    modules = set().union(*(paths(package, "*.py") for package in PACKAGES))
    return {path for path in modules if not path.endswith("__init__.py")}, paths("tests", "test_*.py")


def test_every_module_has_its_test_module(tree):
    missing = without_own(*tree) - ELSEWHERE.keys()
    assert not missing, f"write a test module for each of {sorted(missing)}"


def test_the_list_of_those_without_holds_no_other_and_names_tests_that_exist(tree):
    assert ELSEWHERE.keys() <= without_own(*tree)
    assert set(ELSEWHERE.values()) <= tree[1]


def test_a_module_is_told_by_its_name_or_by_that_of_its_room_and_its_own():
    modules = ["a/b/c.py", "a/b/d.py", "a/b/e.py"]
    tests = ["tests/a/b/test_c.py", "tests/a/b/test_b_d.py", "tests/a/test_e.py"]
    assert without_own(modules, tests) == {"a/b/e.py"}
