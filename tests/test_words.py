"""A name means one thing in the whole house: what one module shows to others, no second module shows by that name."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("pipeline", "features", "models", "configs")
# Names that stand in several modules, and why each means the same in all of them.
ALLOWED = {
    "T": "the type variable of a generic function",
    # One module a table, found by name in a folder; `pipeline.retention.registry` and the tables call them alike.
    "TABLE": "what the registry finds in a module of retention/tables",
    "READS": "the columns that a table reads, in its module",
    "of_question": "a table from what a question has, in its module",
    "show": "a table as text, in its module",
    "nightly": "what a table adds to a night, in its module; and the command",
}
# A command is a function in a `cli` module that calls the function of the same name, which does the work.
COMMANDS = {"cli.py", "cli_retention.py", "cli_nightly.py"}


def names_in(code):
    """The public names that a module defines at its top, those of constants and types included."""
    for node in ast.parse(code).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


def doubles(modules):
    """Names that several modules show, each with its modules."""
    found = defaultdict(set)
    for module, code in modules.items():
        if Path(module).name not in COMMANDS:
            for name in names_in(code):
                if not name.startswith("_"):
                    found[name].add(module)
    return {name: sorted(where) for name, where in found.items() if len(where) > 1}


def house():
    files = (file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py")))
    return {str(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in files}


def test_a_public_name_stands_in_one_module():
    found = {name: where for name, where in doubles(house()).items() if name not in ALLOWED}
    assert not found, "\n".join(f"{name}: {', '.join(where)}" for name, where in found.items())


def test_what_is_allowed_is_needed():
    assert not set(ALLOWED) - set(doubles(house()))


def test_doubles_are_found_whatever_defines_them():
    one = "A = 1\nB: int = 2\n_c = 3\ndef d(): e = 5\nclass F: g = 1\n"
    two = "A = B = 0\n_c = 3\ne = g = 1\ndef F(): pass\nif True:\n    def d(): pass\n"
    assert doubles({"one.py": one, "two.py": two}) == {name: ["one.py", "two.py"] for name in "ABF"}
    assert doubles({"one.py": "def score(): ...", "pipeline/cli.py": "def score(): ..."}) == {}


def test_no_two_test_modules_have_one_name():
    """Beside no `__init__.py` pytest imports a module by its bare name, and leaves out the second of that name."""
    alone = [f for f in (ROOT / "tests").rglob("*.py") if not f.with_name("__init__.py").exists()]
    where = defaultdict(list)
    for file in alone:
        if file.name != "conftest.py":
            where[file.name].append(str(file.relative_to(ROOT)))
    assert not [files for files in where.values() if len(files) > 1]


def test_what_tests_pack_is_the_same_in_every_second():
    """A gzip file carries the time of its making; as a test's parameter it makes another test in every process."""
    found = []
    for file in (ROOT / "tests").rglob("*.py"):
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func).endswith(("gzip.compress", "GzipFile")):
                found += [f"{file.name}:{call.lineno}"] * all(word.arg != "mtime" for word in call.keywords)
    assert not found, f"no mtime=0: {', '.join(found)}"
