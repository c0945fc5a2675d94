"""A command in a process of its own, so that one that dies takes nothing with it: result, seconds and memory."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

_MAIN = "import sys; sys.argv[0] = 'churn'; from pipeline.cli import main; main()"
ENDS_WITHIN = 30.0


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Parameters
    ----------
    code
        Its exit code; minus the number of the signal that ended it.
    values
        What it printed as JSON; None without.
    said
        The end of its standard error, where that was not shown.
    seconds, megabytes
        Time, and memory at its peak.
    late
        It took longer than it may, and was ended.
    """

    code: int
    values: Any
    said: str
    seconds: float
    megabytes: float
    late: bool = False


def run_process(arguments: Sequence[str], *, quiet: bool, seconds: float) -> Ended:
    """Run `churn` with these arguments and `--json`, and wait for it; it is ended when this process is.

    Parameters
    ----------
    quiet
        Keep its standard error instead of showing it.
    seconds
        How long it may take.
    """
    begun, late, done = time.monotonic(), threading.Event(), threading.Event()
    command = [sys.executable, "-P", "-c", _MAIN, *arguments, "--json", *(["--quiet"] if quiet else [])]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = subprocess.Popen(command, stdout=out, stderr=err if quiet else None)

        def too_late() -> None:
            late.set()
            _signal(child.pid, signal.SIGTERM)
            if not done.wait(ENDS_WITHIN):
                _signal(child.pid, signal.SIGKILL)

        timer = threading.Timer(seconds, too_late)
        timer.start()
        try:
            _, status, used = os.wait4(child.pid, 0)
        except BaseException:
            _end(child)
            raise
        finally:
            done.set()
            timer.cancel()
        child.returncode = os.waitstatus_to_exitcode(status)
        texts = [_read(file) for file in (out, err)]
    spent = time.monotonic() - begun
    return Ended(child.returncode, _json(texts[0]), texts[1], spent, used.ru_maxrss / 1_024, late.is_set())


def _signal(process: int, number: int) -> None:
    # `Popen.terminate` would look whether it has ended, and take the answer that `wait4` waits for.
    with suppress(ProcessLookupError):
        os.kill(process, number)


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(ENDS_WITHIN)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _read(file: Any) -> str:
    file.seek(0)
    return str(file.read().decode(errors="replace")).strip()


def _json(text: str) -> Any:
    try:
        return json.loads(text.splitlines()[-1])
    except (ValueError, IndexError):
        return None
