"""How many small faults the tests notice: `python -m benchmarks.mutants [MODULE ...] [--places N] [--minutes M]`.

Cosmic Ray names the places of a module where a fault can be made and makes it: another operator, another number, a
condition turned round, a decorator or a loop taken away. Of each place one fault is tried, of each module at most N
places, both drawn by a seed that is the same every time unless `--seed` says another; the module's own test and those
of its room run on a copy of the project, in a fork of a process that has loaded the libraries. A fault that no test
notices is printed, unless `benchmarks/mutants.yaml` says why none could. The modules come in a drawn order, and after
M minutes none is begun any more: `make mutants` ends, and its score is that of a sample.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import importlib
import multiprocessing
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
EXPLAINED = Path(__file__).with_suffix(".yaml")
PLACES = 12
MINUTES = 30.0
SEED = 1
# Loaded once, before the forks: they take longer than most tests. None of them starts a thread by that.
LIBRARIES = (
    "duckdb",
    "hypothesis.extra.pandas",
    "ibis",
    "jinja2",
    "lightgbm",
    "pandas",
    "pyarrow.parquet",
    "pydantic",
    "pytest",
    "scipy.optimize",
    "scipy.stats",
    "sklearn.calibration",
    "sklearn.ensemble",
    "sqlglot",
)
# Operators that fail on every float: faults that any test notices say nothing about the tests.
NOTICED_BY_ANYTHING = ("_LShift", "_RShift", "_BitXor", "_BitAnd", "_BitOr", "_Mod")
# A fork may wait this many times as long as it may work: other processes may have the machine.
PATIENCE = 20
# What is tried, and the tests that must notice beside the module's own: the first entry that its path begins with.
# Where none stand the own test has to notice alone, and a module without one is not tried.
ROOMS = {
    "features/definition.py": ["tests/oracle/test_one_definition.py"],
    "features/labels.py": ["tests/oracle/test_one_definition.py"],
    "features": ["tests/features/test_reasons_begin.py"],
    "models/backtest": ["tests/models/backtest"],
    "models/decision": ["tests/models/decision"],
    "models/effects": ["tests/models/effects"],
    "models/prediction": ["tests/models/prediction", "tests/models/backtest/test_recipe.py"],
    "models/statistics": ["tests/models/statistics"],
    "pipeline/dataset": [],
    "pipeline/outcomes": [],
    "pipeline/outreach": [],
    "pipeline/retention": [],
    "pipeline/scoring": [],
}


@dataclass(frozen=True)
class Mutant:
    """A module with one fault: its path, its text, and the line before and after."""

    module: str
    code: str
    before: str
    after: str


class _WithoutTypes(ast.NodeTransformer):
    """Takes away what changes no result: annotations, what keeps a dataclass from changes, and how it prints."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Name) and node.func.id in {"dataclass", "field"}:
            node.keywords = [word for word in node.keywords if word.arg not in {"frozen", "repr"}]
        return self.generic_visit(node)


def meaning(code: str) -> str:
    """The syntax tree without types, by which a mutant of an annotation equals the original.

    Examples
    --------
    >>> meaning("def f(a: int | None): return a") == meaning("def f(a: int + None): return a")
    True
    """
    return ast.dump(_WithoutTypes().visit(ast.parse(code)))


def mutants(module: str, code: str, places: int, seed: int = SEED) -> list[Mutant]:
    """Draw faults: one a place, at most so many places, the same ones every time by the same seed."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator, operator_names

    found: dict[tuple[int, int], list[tuple[str, int]]] = {}
    for name in sorted(operator_names()):
        operator = get_operator(name)
        if operator.arguments() or name.endswith(NOTICED_BY_ANYTHING):
            continue
        spots = (
            start for node in ast_nodes(get_ast(code)) for start, _ in operator().mutation_positions(node)
        )
        for occurrence, start in enumerate(spots):
            found.setdefault(start, []).append((name, occurrence))
    rng = random.Random(f"{seed} {module}")
    drawn, original = [], meaning(code)
    for start in rng.sample(sorted(found), len(found)):
        name, occurrence = rng.choice(found[start])
        try:
            changed = mutate_code(code, get_operator(name)(), occurrence)
        except AttributeError:  # Cosmic Ray cannot replace an exception with a dot in its name
            continue
        if len(drawn) < places and changed and _differs(changed, original):
            drawn.append(Mutant(module, changed, *changed_line(code, changed)))
    return drawn


def _differs(changed: str, original: str) -> bool:
    try:
        return meaning(changed) != original
    except SyntaxError:  # Python itself notices: Cosmic Ray took `**` of a call for a power
        return False


def files_of(modules: Sequence[str], seed: int = SEED) -> list[Path]:
    """The files of modules and folders, in an order that the seed draws: the first ones are a sample."""
    found = {
        file
        for path in modules
        for file in ([ROOT / path] if path.endswith(".py") else (ROOT / path).rglob("*.py"))
        if file.name != "__init__.py"
    }
    return random.Random(seed).sample(sorted(found), len(found))


def changed_line(code: str, changed: str) -> tuple[str, str]:
    """The first line that differs, before and after.

    Examples
    --------
    >>> changed_line("a = 1\\nb = 2", "a = 1\\nb = 3")
    ('b = 2', 'b = 3')
    """
    lines = [x for x in difflib.ndiff(code.splitlines(), changed.splitlines()) if x[2:].strip()]
    before, after = (next((x[2:].strip() for x in lines if x[0] == sign), "") for sign in "-+")
    return before, after


def tests_of(module: str) -> list[str]:
    """The tests that must notice a fault of this module: its own come first, since most faults end there.

    Examples
    --------
    >>> tests_of("features/labels.py")[0]
    'tests/features/test_labels.py'
    """
    room = next(tests for room, tests in ROOMS.items() if module.startswith(room))
    return list(dict.fromkeys([*(name for name in own_tests(module) if (ROOT / name).exists()), *room]))


def own_tests(module: str) -> list[str]:
    """The names that a module's own test module may have: with the name of its room before, where another has its.

    Examples
    --------
    >>> own_tests("models/backtest/horizons.py")
    ['tests/models/backtest/test_horizons.py', 'tests/models/backtest/test_backtest_horizons.py']
    """
    path = Path(module)
    folder = Path("tests") / path.parent
    return [(folder / f"test_{name}").as_posix() for name in (path.name, f"{path.parent.name}_{path.name}")]


def passes(folder: Path, module: str, seconds: float | None = None) -> bool:
    """Whether the tests of the module, and the examples in it, pass in this copy within so many seconds of work."""
    child = multiprocessing.get_context("fork").Process(target=_run, args=(folder, module, seconds))
    child.start()
    child.join(None if seconds is None else PATIENCE * seconds)
    if child.exitcode is None:
        child.kill()
        child.join()
    return child.exitcode == 0


def _run(folder: Path, module: str, seconds: float | None) -> None:
    import pytest

    if seconds is not None:
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
    os.chdir(folder)
    sys.path[0] = str(folder)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    # Warnings are errors in the project's tests; that Hypothesis was loaded before pytest is one of this fork alone.
    loaded = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    options = ["-q", "-x", *loaded, "-p", "no:cacheprovider", "--doctest-modules"]
    # Without the interpreter's own ending: what a test left running must not hold the fork up.
    os._exit(pytest.main([*options, *tests_of(module), module]))


def _work() -> float:
    """Seconds that ended forks have worked, on any core."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def load_libraries() -> None:
    """Load what the tests load, with one thread each, and allow bytecode: a copy compiles the project once."""
    shared = os.environ.get("CHURN_DATASETS", str(ROOT.parent / "shared" / "datasets"))
    os.environ.update({"OMP_NUM_THREADS": "1", "CHURN_DATASETS": shared})
    sys.dont_write_bytecode = False
    for name in LIBRARIES:
        importlib.import_module(name)


def allowed(folder: Path, module: str, known: dict[frozenset[str], float]) -> float:
    """Seconds of work that a fault may take: five times what the tests take without one, measured once a set."""
    tests = frozenset(tests_of(module))
    if tests not in known:
        before = _work()
        if not passes(folder, module):
            raise SystemExit(f"{module}: its tests fail without any fault; mend them first")
        known[tests] = 30 + 5 * (_work() - before)
    return known[tests]


def survivors(faults: list[Mutant], folder: Path, seconds: float) -> Iterator[Mutant]:
    """Those of a module's faults that the tests let pass within so many seconds; a slower one is noticed."""
    file = folder / faults[0].module
    whole = file.read_text(encoding="utf-8")
    try:
        for number, fault in enumerate(faults):
            file.write_text(fault.code, encoding="utf-8")
            # Bytecode is told from older bytecode by the time of its source, in seconds.
            os.utime(file, (number, number))
            if passes(folder, fault.module, seconds):
                yield fault
    finally:
        file.write_text(whole, encoding="utf-8")


def _copy(folder: Path) -> Path:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def tried(
    files: Sequence[Path], places: int, minutes: float, folder: Path, seed: int = SEED
) -> tuple[int, int, int, int]:
    """Try the faults of the files and print the survivors; counts: noticed, explained, tried, modules begun."""
    known = {(e["module"], e["after"]) for e in yaml.safe_load(EXPLAINED.read_text(encoding="utf-8")) or []}
    took: dict[frozenset[str], float] = {}
    noticed = explained = total = begun = 0
    end = time.monotonic() + 60 * minutes
    for file in files:
        if time.monotonic() > end:
            break
        begun += 1
        module = file.relative_to(ROOT).as_posix()
        faults = mutants(module, file.read_text(encoding="utf-8"), places, seed)
        if not faults:
            continue
        lived = list(survivors(faults, folder, allowed(folder, module, took)))
        unexplained = [fault for fault in lived if (module, fault.after) not in known]
        noticed += len(faults) - len(lived)
        explained += len(lived) - len(unexplained)
        total += len(faults)
        print(f"{module}: {len(faults) - len(unexplained)} of {len(faults)} noticed or explained", flush=True)
        for fault in unexplained:
            print(f"  - {fault.before}\n  + {fault.after}", flush=True)
    return noticed, explained, total, begun


def main() -> int:
    """Try the faults, print the survivors and the score; 1 when fewer than 85 % are noticed or explained."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "modules", nargs="*", help="paths of modules or folders; without any all that are listed here"
    )
    parser.add_argument("--places", type=int, default=PLACES, help="faults a module, at most")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="after these no module is begun")
    parser.add_argument("--seed", type=int, default=SEED, help="another one draws other faults")
    given = parser.parse_args()
    files = [
        file
        for file in files_of(given.modules or list(ROOMS), given.seed)
        if tests_of(file.relative_to(ROOT).as_posix())
    ]
    for tests in {tuple(tests_of(file.relative_to(ROOT).as_posix())) for file in files}:
        missing = [path for path in tests if not (ROOT / path).exists()]
        if missing:
            parser.error(f"no tests at {', '.join(missing)}; mend ROOMS in {Path(__file__).name}")
    load_libraries()
    with tempfile.TemporaryDirectory(prefix="churn-mutants-") as place:
        noticed, explained, total, begun = tried(
            files, given.places, given.minutes, _copy(Path(place)), given.seed
        )
    share = (noticed + explained) / max(total, 1)
    print(
        f"{noticed} of {total} faults noticed, {explained} more explained ({share:.0%} together); "
        f"{begun} of {len(files)} modules, {_work():.0f} s of work"
    )
    return int(share < 0.85)


if __name__ == "__main__":
    sys.exit(main())
