"""Progress goes to standard error: a bar on a terminal, a line now and then elsewhere, nothing when quiet."""

import os
import pty
import subprocess
import sys

import pytest

from pipeline import progress as module
from pipeline.progress import progress, silence

SLOW = """
import time
from pipeline import progress as p
for name in p.progress(["a", "b", "c", "d"], "features", 4, unit="events", size=1_000_000):
    time.sleep(0.2)
print("done")
"""


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(module, "EVERY_SECONDS", 0.0)
    monkeypatch.setattr(module.time, "monotonic", iter(range(0, 100, 2)).__next__)


def test_lines_where_there_is_no_terminal(impatient, capsys):
    assert list(progress("abc", "features", 3, unit="events", size=100)) == ["a", "b", "c"]
    assert capsys.readouterr() == (
        "",
        "features: 100 of 300 events, 50 a second, 4 s to go\nfeatures: 200 of 300 events, 50 a second, 2 s to go\n",
    )


def test_a_plan_tells_when_steps_are_not_alike(impatient, capsys):
    assert list(progress("abc", "backtest", 3, plan=lambda: [0.5, 0.8, 1.0])) == ["a", "b", "c"]
    said = capsys.readouterr().err
    assert said == "backtest: 1 of 3 steps, 2 s to go\nbacktest: 2 of 3 steps, 1 s to go\n"


def test_short_work_says_nothing(capsys):
    list(progress("abc", "features", 3))
    assert capsys.readouterr() == ("", "")


def test_quiet_and_a_part_of_shown_work_say_nothing(impatient, capsys):
    for _ in progress("ab", "outer", 2):
        list(progress("abc", "inner", 3))
    assert "inner" not in capsys.readouterr().err
    silence(True)
    try:
        list(progress("abc", "features", 3))
    finally:
        silence(False)
    assert capsys.readouterr() == ("", "")


def fails(items):
    for _ in progress(items, "outer", 2):
        raise ValueError("no")


def test_an_error_in_the_work_ends_the_bar(impatient, capsys):
    with pytest.raises(ValueError, match="no"):
        fails("ab")
    list(progress("abc", "again", 3))
    assert "again: 1 of 3 steps" in capsys.readouterr().err


def test_a_bar_on_a_terminal():
    mine, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    done = subprocess.run(
        [sys.executable, "-c", SLOW], stdout=subprocess.PIPE, stderr=theirs, env=environment, check=True, timeout=60
    )  # fmt: skip
    os.close(theirs)
    shown = os.read(mine, 100_000).decode()
    os.close(mine)
    assert done.stdout == b"done\n"
    assert "features" in shown
    assert "of 4,000,000 events" in shown
    assert "s to go" in shown
