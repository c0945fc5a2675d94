"""Every module has its test module: one of its own name, else one that imports it, else one that runs it whole."""

import ast
from pathlib import Path

import pytest

from benchmarks.mutants import own_tests

ROOT = Path(__file__).parents[1]
PACKAGES = ("configs", "features", "models", "pipeline")
# Modules that no test imports: a command or a whole night runs them, and the tests of that name what they do.
RUN_WHOLE = {
    "models/tracking/runs.py": "tests/models/tracking/test_registry.py",
    "pipeline/cli_nightly.py": "tests/pipeline/unattended/test_nightly_elsewhere.py",
    "pipeline/dataset/cluster_labels.py": "tests/pipeline/dataset/test_cluster.py",
    "pipeline/nightly.py": "tests/pipeline/test_cli.py",
    "pipeline/scoring/files.py": "tests/pipeline/test_cli.py",
    "pipeline/scoring/logged.py": "tests/faults/test_services_away.py",
    "pipeline/scoring/night.py": "tests/pipeline/test_cli.py",
    "pipeline/showcase.py": "tests/pipeline/test_cli.py",
    "pipeline/tracking/tracking_ui.py": "tests/pipeline/test_cli.py",
}
# Modules without anything that runs.
NOTHING_RUNS = {"configs/arrays.py": "names of array types"}


def imported_by(code):
    """The modules that a test imports, and the names that it takes from them."""
    found = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def untested(modules, tests):
    """Modules without a test module of their name that no test module imports; both are path to code."""
    imported = set().union(*(imported_by(code) for code in tests.values()))
    return {
        path
        for path in modules
        if not set(own_tests(path)) & tests.keys()
        and path.removesuffix(".py").replace("/", ".") not in imported
    }


@pytest.fixture(scope="module")
def tree():
    """The modules of the packages and the test modules, as path to code."""

    def read(folder, pattern):
        files = (ROOT / folder).rglob(pattern)
        return {file.relative_to(ROOT).as_posix(): file.read_text(encoding="utf-8") for file in files}

    modules = {path: code for package in PACKAGES for path, code in read(package, "*.py").items()}
    return {path: code for path, code in modules.items() if not path.endswith("__init__.py")}, read(
        "tests", "test_*.py"
    )


def test_every_module_has_its_test_module(tree):
    modules, tests = tree
    missing = untested(modules, tests) - RUN_WHOLE.keys() - NOTHING_RUNS.keys()
    assert not missing, f"write a test module for each of {sorted(missing)}"


def test_the_list_of_those_that_are_run_whole_holds_no_other_and_names_tests_that_exist(tree):
    modules, tests = tree
    assert RUN_WHOLE.keys() | NOTHING_RUNS.keys() <= untested(modules, tests)
    assert set(RUN_WHOLE.values()) <= tests.keys()


def test_a_module_is_told_by_its_name_or_by_an_import():
    modules = dict.fromkeys(["a/b.py", "a/c.py", "a/d.py", "e.py"], "")
    tests = {"tests/a/test_b.py": "import os", "tests/x/test_y.py": "from a import c\nfrom e import f"}
    assert untested(modules, tests) == {"a/d.py"}
