"""How many small faults the tests notice: `python -m benchmarks.mutants [MODULE ...] [--places N] [--minutes M]`.

Cosmic Ray names the places of a module where a fault can be made and makes it: another operator, another number, a
condition turned round, a decorator or a loop taken away. Of each place one fault is tried, of each module at most N
places, both drawn with a fixed seed; the tests of the module's room run on a copy of the project. A fault that no test
notices is printed, unless `benchmarks/mutants.yaml` says why none could. The modules come in a drawn order, and after M
minutes none is begun any more: `make mutants` ends, and its score is that of a sample.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

import yaml

ROOT = Path(__file__).parents[1]
EXPLAINED = Path(__file__).with_suffix(".yaml")
PLACES = 12
MINUTES = 30.0
SEED = 1
COPIES = 2
# Operators that fail on every float: faults that any test notices say nothing about the tests.
NOTICED_BY_ANYTHING = ("_LShift", "_RShift", "_BitXor", "_BitAnd", "_BitOr", "_Mod")
# What is tried, and the tests that must notice: the first entry that the module's path begins with.
ROOMS = {
    "features/definition.py": [
        "tests/features/test_definition.py",
        "tests/features/test_contracts.py",
        "tests/oracle/test_one_definition.py",
    ],
    "features/labels.py": ["tests/features/test_labels.py", "tests/oracle/test_one_definition.py"],
    "features": ["tests/features", "tests/oracle/test_features_oracle.py", "tests/oracle/test_leakage.py"],
    "models/backtest": ["tests/models/backtest"],
    "models/decision": ["tests/models/decision"],
    "models/effects": ["tests/models/effects"],
    "models/prediction": ["tests/models/prediction", "tests/models/backtest/test_recipe.py"],
    "models/statistics": ["tests/models/statistics"],
    "pipeline/outcomes/ledger.py": ["tests/pipeline/outcomes/test_ledger.py"],
    "pipeline/outreach/decide.py": ["tests/pipeline/outreach/test_decide.py"],
    "pipeline/outreach/selection.py": ["tests/pipeline/outreach/test_selection.py"],
    "pipeline/retention": ["tests/pipeline/retention", "tests/oracle"],
    "pipeline/scoring/score_table.py": ["tests/pipeline/scoring/test_score_table.py"],
}


@dataclass(frozen=True)
class Mutant:
    """A module with one fault: its path, its text, and the line before and after."""

    module: str
    code: str
    before: str
    after: str


class _WithoutTypes(ast.NodeTransformer):
    """Takes annotations away: they are never evaluated, so a fault in them is none."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)


def meaning(code: str) -> str:
    """The syntax tree without types, by which a mutant of an annotation equals the original.

    Examples
    --------
    >>> meaning("def f(a: int | None): return a") == meaning("def f(a: int + None): return a")
    True
    """
    return ast.dump(_WithoutTypes().visit(ast.parse(code)))


def mutants(module: str, code: str, places: int) -> list[Mutant]:
    """Draw faults: one a place, at most so many places, the same ones every time."""
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
    rng = random.Random(f"{SEED} {module}")
    drawn, original = [], meaning(code)
    for start in rng.sample(sorted(found), len(found)):
        name, occurrence = rng.choice(found[start])
        changed = mutate_code(code, get_operator(name)(), occurrence)
        if len(drawn) < places and changed and meaning(changed) != original:
            drawn.append(Mutant(module, changed, *changed_line(code, changed)))
    return drawn


def files_of(modules: Sequence[str]) -> list[Path]:
    """The files of modules and folders, in an order that is drawn once for all: the first ones are a sample."""
    found = {
        file
        for path in modules
        for file in ([ROOT / path] if path.endswith(".py") else (ROOT / path).rglob("*.py"))
        if file.name != "__init__.py"
    }
    return random.Random(SEED).sample(sorted(found), len(found))


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
    """The tests that must notice a fault of this module."""
    return next(tests for room, tests in ROOMS.items() if module.startswith(room))


def passes(folder: Path, module: str, seconds: float | None) -> bool:
    """Whether the tests of the module, and the examples in it, pass in this copy of the project."""
    options = ["-q", "-x", "-p", "no:cacheprovider", "--doctest-modules"]
    command = [sys.executable, "-m", "pytest", *options, *tests_of(module), module]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            check=False,
            timeout=seconds,
            env=_environment(),
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _environment() -> dict[str, str]:
    shared = os.environ.get("CHURN_DATASETS", str(ROOT.parent / "shared" / "datasets"))
    one = {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    return {**os.environ, **one, "CHURN_DATASETS": shared}


def survivors(faults: list[Mutant]) -> Iterator[tuple[Mutant, bool]]:
    """Each fault, and whether the tests let it pass."""
    with tempfile.TemporaryDirectory(prefix="churn-mutants-") as place, ThreadPoolExecutor(COPIES) as pool:
        free: Queue[Path] = Queue()
        for number in range(COPIES):
            free.put(_copy(Path(place) / str(number)))

        begun = time.monotonic()
        if not passes(Path(place) / "0", faults[0].module, None):
            raise SystemExit(f"{faults[0].module}: its tests fail without any fault; mend them first")
        # A fault that makes the tests five times as slow is noticed.
        seconds = 30 + 5 * (time.monotonic() - begun)

        def lives(fault: Mutant) -> bool:
            folder = free.get()
            file = folder / fault.module
            whole = file.read_text(encoding="utf-8")
            try:
                file.write_text(fault.code, encoding="utf-8")
                return passes(folder, fault.module, seconds)
            finally:
                file.write_text(whole, encoding="utf-8")
                free.put(folder)

        yield from zip(faults, pool.map(lives, faults), strict=True)


def _copy(folder: Path) -> Path:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def main() -> int:
    """Try the faults, print the survivors and the score; 1 when fewer than 85 % are noticed or explained."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "modules", nargs="*", help="paths of modules or folders; without any all that are listed here"
    )
    parser.add_argument("--places", type=int, default=PLACES, help="faults a module, at most")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="after these no module is begun")
    given = parser.parse_args()
    files = files_of(given.modules or list(ROOMS))
    for tests in {tuple(tests_of(file.relative_to(ROOT).as_posix())) for file in files}:
        missing = [path for path in tests if not (ROOT / path).exists()]
        if missing:
            parser.error(f"no tests at {', '.join(missing)}; mend ROOMS in {Path(__file__).name}")
    known = {(e["module"], e["after"]) for e in yaml.safe_load(EXPLAINED.read_text(encoding="utf-8")) or []}
    noticed = explained = tried = begun = 0
    end = time.monotonic() + 60 * given.minutes
    for file in files:
        if time.monotonic() > end:
            break
        begun += 1
        module = file.relative_to(ROOT).as_posix()
        lived = []
        faults = mutants(module, file.read_text(encoding="utf-8"), given.places)
        if not faults:
            continue
        for fault, lives in survivors(faults):
            if lives and (module, fault.after) in known:
                explained += 1
            elif lives:
                lived.append(fault)
        noticed += len(faults) - len(lived)
        tried += len(faults)
        print(f"{module}: {len(faults) - len(lived)} of {len(faults)} noticed", flush=True)
        for fault in lived:
            print(f"  - {fault.before}\n  + {fault.after}", flush=True)
    share = noticed / max(tried, 1)
    print(
        f"{noticed} of {tried} faults noticed ({share:.0%}), {explained} of these explained; "
        f"{begun} of {len(files)} modules"
    )
    return int(share < 0.85)


if __name__ == "__main__":
    sys.exit(main())
