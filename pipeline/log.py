"""Lines on standard error: whole whatever threads write, as text or as JSON, each with the run that it belongs to.

A run's id follows from the config and the date. So the second run of a date, which leaves the bytes of the first, has
its id too; the lines of the two differ in time and process.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass, field
from typing import Any, Literal, TextIO, get_args

from pipeline.result import as_line, visible

Format = Literal["text", "json"]
FORMATS: tuple[Format, ...] = get_args(Format)
Say = Callable[[str], None]


@dataclass
class _Speaking:
    """How the command at work speaks."""

    form: Format = "text"
    command: str = ""
    run: str = ""
    out: TextIO | None = None


_speaking = [_Speaking()]  # the innermost command last; of all threads
_one_at_a_time = threading.RLock()


class Line(str):
    """A line with values beside its text, for machines."""

    values: dict[str, Any]

    def __new__(cls, text: str, **values: Any) -> Line:
        """A text, and its values."""
        line = super().__new__(cls, text)
        line.values = values
        return line


def run_id(name: str, digest: str, as_of: dt.date) -> str:
    """The id of a config's run at a date: in its lines, its manifest and its tags in MLflow.

    Examples
    --------
    >>> run_id("demo", "3f9a2c", dt.date(2026, 7, 1))
    'demo-2026-07-01-e900faa2'
    """
    told = hashlib.sha256(f"{name} {digest} {as_of}".encode()).hexdigest()
    return f"{name}-{as_of}-{told[:8]}"


@contextmanager
def speaking(form: Format, command: str) -> Iterator[None]:
    """Speak in a format until the end; as JSON, what libraries write to standard error becomes lines as well."""
    # Held fast: while MLflow speaks, what `sys.stderr` names is hushed for all threads.
    _speaking.append(_Speaking(form, command, out=sys.stderr))
    try:
        if form == "text":
            yield
            return
        foreign = _Foreign(sys.stderr)
        with redirect_stderr(foreign):
            yield
        foreign.end()
    finally:
        _speaking.pop()


def belongs_to(run: str) -> None:
    """From here on lines belong to a run."""
    _speaking[-1].run = run


def in_json() -> bool:
    """Whether lines are JSON."""
    return _speaking[-1].form == "json"


def tell(text: str, level: str = "info") -> None:
    """Write a line to standard error at once; control characters and passwords never get there."""
    values, now = text.values if isinstance(text, Line) else {}, _speaking[-1]
    shown = visible(str(text))
    if in_json():
        moment = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
        head = {"time": moment, "run_id": now.run or None, "process": os.getpid(), "command": now.command}
        written = as_line({**head, "level": level, "message": shown, **values})
    else:
        mark = f"[{now.run}] " if now.run else ""
        written = "\n".join(f"{mark}{line}" for line in shown.split("\n"))
    with _one_at_a_time:
        stream = now.out or sys.stderr
        stream.write(written + "\n")
        stream.flush()


@dataclass
class Counted:
    """What a stage has counted, and what else is to be said of it."""

    words: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def __call__(self, *words: str, **counts: int) -> None:
        """Add words, and numbers by what they count."""
        self.words += words
        self.counts |= counts


@contextmanager
def logged_stage(name: str, say: Say) -> Iterator[Counted]:
    """Say what a stage has counted and how long it took, in one line at its end.

    Examples
    --------
    >>> with logged_stage("features", lambda line: print(line.rpartition(",")[0])) as counted:
    ...     counted("of today", customers=2_000, columns=88)
    features: of today, 2,000 customers, 88 columns
    """
    counted, begun = Counted(), time.monotonic()
    try:
        yield counted
    except BaseException:
        seconds = time.monotonic() - begun
        say(Line(f"{name}: broken off after {seconds:.1f} s", stage=name, seconds=round(seconds, 3)))
        raise
    seconds = time.monotonic() - begun
    numbers = [f"{count:,} {what.replace('_', ' ')}" for what, count in counted.counts.items()]
    told = ", ".join([*counted.words, *numbers, f"{seconds:.1f} s"])
    say(Line(f"{name}: {told}", stage=name, seconds=round(seconds, 3), **counted.counts))


class _Foreign(io.TextIOBase):
    """Stands for standard error where lines are JSON: what others write becomes such lines."""

    def __init__(self, real: TextIO) -> None:
        self.real, self.rest = real, ""

    def write(self, text: str) -> int:
        """Take text; whole lines of it are told."""
        with _one_at_a_time:
            *lines, self.rest = (self.rest + text).split("\n")
            for line in filter(str.strip, lines):
                tell(line, "other")
        return len(text)

    def end(self) -> None:
        """Tell what is left."""
        if self.rest.strip():
            self.write("\n")

    def isatty(self) -> bool:
        """It is no terminal."""
        return False

    def fileno(self) -> int:
        """That of standard error, for programs that are started."""
        return self.real.fileno()
