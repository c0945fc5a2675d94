"""Real processes: a result, one that dies, one that takes too long, and one whose parent is told to end."""

import os
import signal
import subprocess
import sys
import time

import pytest

from pipeline.unattended import process


def test_a_command_gives_its_json_its_code_and_what_it_took():
    ended = process.run_process(["retention", "rate", "44", "12", "43"], quiet=True, seconds=60)
    assert ended.code == 0
    assert "70.45" in str(ended.values)
    assert ended.seconds > 0
    assert 10 < ended.megabytes < 2_000
    wrong = process.run_process(["retention", "rate", "44", "12"], quiet=True, seconds=60)
    assert wrong.code == wrong.values["exit_code"] == 2
    assert "three numbers" in wrong.values["error"]


@pytest.mark.parametrize(
    ("code", "ends"),
    [
        ("import os; os.kill(os.getpid(), 9)", -9),
        ("import sys; print('half of a', flush=True); sys.exit(1)", 1),
        ("import os; os._exit(0)", 0),
    ],
)
def test_one_that_dies_is_told_by_its_code(monkeypatch, code, ends):
    monkeypatch.setattr(process, "_MAIN", code)
    ended = process.run_process(["score"], quiet=True, seconds=60)
    assert (ended.code, ended.values, ended.late) == (ends, None, False)


@pytest.mark.parametrize("stubborn", [False, True])
def test_one_that_takes_too_long_is_ended(monkeypatch, stubborn):
    monkeypatch.setattr(process, "ENDS_WITHIN", 0.5)
    deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN); " if stubborn else ""
    monkeypatch.setattr(
        process, "_MAIN", f"import signal, time; {deaf}print('at work', flush=True); time.sleep(60)"
    )
    begun = time.monotonic()
    ended = process.run_process(["score"], quiet=True, seconds=1.0)
    assert ended.late
    assert ended.code in ((-signal.SIGKILL, -signal.SIGTERM) if stubborn else (-signal.SIGTERM,))
    assert time.monotonic() - begun < 30


def test_a_termination_of_the_night_ends_its_part():
    script = (
        "import sys\nfrom pipeline import stopping\nfrom pipeline.unattended import process\n"
        "process._MAIN = 'import os, sys, time; print(os.getpid(), file=sys.stderr, flush=True); time.sleep(60)'\n"
        "stopping.listen()\n"
        "try:\n    process.run_process(['score'], quiet=False, seconds=60)\nexcept BaseException:\n    sys.exit(143)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True)
    child = int(parent.stderr.readline())
    parent.send_signal(signal.SIGTERM)
    assert parent.wait(30) == 143
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
