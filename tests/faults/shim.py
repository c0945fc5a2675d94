"""A disk that fails at the n-th change: the operations that Python asks the system for, counted and refused.

`once` refuses one change; `from_then_on` refuses every later one too. With `signal` none is refused: the process sends
itself that signal when it comes to the change. Opening for writing, making, renaming, linking and deleting are seen by
an audit hook, `fsync`, the exchange of two folders and the commit of a database by a wrapper.
"""

import errno
import os
import sys
from contextlib import contextmanager

WATCHED = {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.symlink", "os.link"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_STATE = {"on": False, "inside": "", "count": 0, "fails": None, "after": False, "signal": 0, "seen": []}


def _changes(event, arguments):
    """What is about to change, where it lies inside the folder that is watched."""
    if event == "open":
        path, mode, flags = arguments
        writes = bool((flags or 0) & WRITING) or bool(set(mode or "") & set("wax+"))
        return path if writes else None
    if event in ("os.symlink", "os.link"):
        return arguments[1]  # what is made; the first is what it shows
    if event in WATCHED:
        return next((a for a in arguments if isinstance(a, str | bytes | os.PathLike)), None)
    return None


def _hook(event, arguments):
    if not _STATE["on"]:
        return
    path = _changes(event, arguments)
    if path is None or isinstance(path, int) or not os.fsdecode(path).startswith(_STATE["inside"]):
        return
    step(event, os.fsdecode(path))


def step(what, path=""):
    """Count a change, and refuse it when it is the one."""
    if not _STATE["on"]:
        return
    n = _STATE["count"]
    _STATE["count"] += 1
    _STATE["seen"].append((what, path.removeprefix(_STATE["inside"])))
    fails = _STATE["fails"]
    if _STATE["signal"]:
        if n == fails:
            os.kill(os.getpid(), _STATE["signal"])
    elif fails is not None and (n == fails or (_STATE["after"] and n > fails)):
        raise OSError(errno.ENOSPC, f"no space left for change {n} ({what})", path)


sys.addaudithook(_hook)


@contextmanager
def _wrapped():
    from sqlalchemy.engine.default import DefaultDialect

    from pipeline import commit

    fsync, exchanged, committed = os.fsync, commit._exchanged, DefaultDialect.do_commit

    def counted_fsync(handle):
        step("fsync")  # the disk itself is not asked: these tests cut no power

    def counted_exchange(one, other):
        step("exchange", str(other))
        return exchanged(one, other)

    def counted_commit(self, connection):
        step("commit of the database")
        return committed(self, connection)

    os.fsync, commit._exchanged, DefaultDialect.do_commit = counted_fsync, counted_exchange, counted_commit
    try:
        yield
    finally:
        os.fsync, commit._exchanged, DefaultDialect.do_commit = fsync, exchanged, committed


@contextmanager
def disk(inside, *, once=None, from_then_on=None, signal=0):
    """Count the changes below a folder; the returned list grows by (what, path) of each."""
    fails = once if once is not None else from_then_on
    seen = []
    _STATE.update(
        on=True,
        inside=str(inside),
        count=0,
        fails=fails,
        after=from_then_on is not None,
        signal=signal,
        seen=seen,
    )
    try:
        with _wrapped():
            yield seen
    finally:
        _STATE["on"] = False
