"""The tool that counts which faults the tests notice: its faults are real ones, and the same every time."""

import subprocess
import sys

import pytest

from benchmarks.mutants import ROOMS, ROOT, changed_line, files_of, meaning, mutants

CODE = """\
def share(kept: int | None, all_: int) -> float | None:
    '''Half is 1 / 2.'''
    return kept / all_ if all_ > 0 else None
"""


def test_faults_are_made_in_what_is_run_and_never_in_types_or_words():
    lines = {fault.before for fault in mutants("share.py", CODE, 100)}
    assert lines == {"return kept / all_ if all_ > 0 else None"}


def test_the_same_faults_are_drawn_every_time_and_no_more_than_asked_for():
    first, again = (mutants("share.py", CODE, 2) for _ in range(2))
    assert first == again
    assert len({fault.code for fault in first}) == 2


@pytest.mark.parametrize(
    ("code", "changed"),
    [
        (
            "try:\n    f(1)\nexcept (OSError, a.Error):\n    g(2)\n",
            {"f(1)", "g(2)", "except (OSError, a.Error):"},
        ),
        ("f({*a, *b}, 1)\n", {"f({*a, *b}, 1)"}),
    ],
)
def test_places_that_cosmic_ray_can_not_change_are_passed_over(code, changed):
    faults = mutants("odd.py", code, 100)
    assert {fault.before for fault in faults} == changed
    assert all(compile(fault.code, fault.module, "exec") for fault in faults)


def test_an_annotation_means_nothing_and_a_default_does():
    assert meaning("def f(a: int = 1): ...") == meaning("def f(a: str = 1): ...")
    assert meaning("def f(a: int = 1): ...") != meaning("def f(a: int = 2): ...")
    assert meaning("@dataclass(frozen=True)\nclass A: ...") == meaning(
        "@dataclass(frozen=False)\nclass A: ..."
    )
    assert meaning("f(frozen=True)") != meaning("f(frozen=False)")


def test_the_changed_line_is_shown_before_and_after():
    assert changed_line("a = 1\nb = 2\n", "a = 1\nb = 3\n") == ("b = 2", "b = 3")
    assert changed_line("@cached\ndef f(): ...\n", "\ndef f(): ...\n") == ("@cached", "")


def test_every_room_and_its_tests_exist():
    for room, tests in ROOMS.items():
        assert [path for path in (room, *tests) if not (ROOT / path).exists()] == []


def test_the_modules_are_drawn_so_that_the_first_ones_are_a_sample_of_all_rooms():
    files = [file.relative_to(ROOT).as_posix() for file in files_of(list(ROOMS))]
    assert files == [file.relative_to(ROOT).as_posix() for file in files_of(list(ROOMS))]
    assert len(set(files)) == len(files)
    folders = [file.partition("/")[0] for file in files[: len(files) // 4]]
    assert set(folders) == {"features", "models", "pipeline"}
    assert files_of(["features/labels.py", "features/labels.py"]) == [ROOT / "features/labels.py"]


@pytest.mark.slow
def test_tests_pass_in_a_fork_that_has_the_libraries():
    """A warning that the loading of the libraries makes is no fault of the module: warnings are errors in its tests."""
    module = "models/statistics/top.py"
    code = (
        f"from benchmarks.mutants import *; load_libraries(); raise SystemExit(not passes(ROOT, {module!r}))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
