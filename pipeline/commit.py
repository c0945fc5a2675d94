"""One commit a night: its folder, `latest` and its records appear together, or are taken back.

    1. runs/.D.new      is filled with the night's files
       runs/.D.record   is filled with what the night writes elsewhere (ledger, forecast), at its place below the
                        data folder; `COMMIT`, written last, holds the digest of the new manifest
    2. .D.new and D change places, in one rename
    3. `latest` is switched: from here on the night is delivered
    4. the records are moved to their places

A run that dies before 3 is taken back by the next run of whatever date; one that dies after it is completed. `latest`
is the newest date, so a night of an older date is delivered once its folder is there. A night that is let go is renamed
to runs/.D.gone before it is deleted, so that nobody finds half of one.
"""

from __future__ import annotations

import ctypes
import datetime as dt
import errno
import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from configs.errors import ChurnError
from models.tracking.leftovers import is_alive
from pipeline.layout import Layout
from pipeline.publish import only_run, point, sha256_of, sync, write_atomic

COMMIT = "COMMIT"
MANIFEST = "manifest.json"
_LEFT = re.compile(r"\.(\d{4}-\d\d-\d\d)\.(new|old|record|gone)")
_AT_FDCWD, _EXCHANGE = -100, 2
# Of `write_atomic`, with the number of the process before the end.
_TEMPORARY = tuple(
    f"{folder}.*.[0-9]*.tmp" for folder in ("", "ledger/", "ledger/*/", "unsent/", "unsent/*/")
)


def newest(layout: Layout) -> dt.date | None:
    """The date that `latest` shows; None when it shows none that is there."""
    return _date(layout.latest.resolve().name) if layout.latest.is_dir() else None


def commit(
    layout: Layout,
    as_of: dt.date,
    write: Callable[[Path], None],
    record: Callable[[Path], None] | None = None,
    *,
    show: bool = True,
) -> Path:
    """Publish a date; when anything fails, nothing has changed.

    Parameters
    ----------
    write
        Is given an empty folder to fill with the night's files, `manifest.json` among them.
    record
        Is given an empty folder that stands for `layout.folder`, to fill with what is written elsewhere.
    show
        Whether `latest` may move to it. A night that it never shows, and that dies on its way, is taken back.

    Returns
    -------
    Path
        The published folder.

    Raises
    ------
    ChurnError
        When the disk refuses.
    """
    fresh, kept, target = (
        _beside(layout, as_of, "new"),
        _beside(layout, as_of, "record"),
        layout.runs / str(as_of),
    )
    digest = ""
    try:
        settle_nights(layout)
        layout.runs.mkdir(parents=True, exist_ok=True)
        fresh.mkdir(mode=0o700)
        write(fresh)
        kept.mkdir(mode=0o700)
        if record is not None:
            record(kept)
        _sync_all(fresh)
        _sync_all(kept)
        digest = _digest(fresh)
        write_atomic(kept / COMMIT, digest)
        with _undisturbed():
            _exchange(fresh, target, _beside(layout, as_of, "old"))
            if show:
                _show(layout, as_of)
            _keep(layout, kept)
            shutil.rmtree(fresh, ignore_errors=True)
    except BaseException as error:
        with suppress(OSError):
            settle_nights(layout)
        if not isinstance(error, OSError):
            raise
        # Once people see the night it stands, and the next run completes what could not be moved.
        if not (digest and _delivered(layout, as_of) and _digest(target) == digest):
            raise ChurnError(
                f"{error.filename or layout.runs}: can't be written: {error.strerror}; nothing was published, "
                "check its owner and the free space"
            ) from error
    return target


def settle_nights(layout: Layout) -> list[str]:
    """Complete or take back whatever earlier runs of any date left; the caller holds the lock.

    Returns
    -------
    list of str
        What was done, a line each; empty when there was nothing.
    """
    if not layout.runs.is_dir():
        return []
    told = _finish(layout)
    for kind, day, path in _left(layout):
        target = layout.runs / str(day)
        if kind == "old" and path.is_dir() and not target.exists():
            path.rename(target)
        shutil.rmtree(path, ignore_errors=True)
    _clean(layout)
    if layout.latest.is_symlink() and newest(layout) is None:
        dates = sorted(filter(None, (_date(path.name) for path in layout.runs.iterdir() if path.is_dir())))
        if dates:
            point(layout.latest, layout.runs / str(dates[-1]))
        else:
            layout.latest.unlink()
    return told


def let_go(layout: Layout, as_of: dt.date, keep_days: int | None) -> list[dt.date]:
    """Delete published nights that are more than so many days older than a date; the caller holds the lock.

    The ledger stays, and what stands beside the runs: learning, rests and forecasts need no old folder.

    Parameters
    ----------
    keep_days
        Days; None deletes nothing.

    Returns
    -------
    list of datetime.date
        The nights that are gone, oldest first; one that the disk did not give up is left to a later run.
    """
    if keep_days is None:
        return []
    days = (_date(path.name) for path in layout.runs.iterdir() if path.is_dir())
    gone = []
    for day in sorted(day for day in days if day and (as_of - day).days > keep_days):
        with suppress(OSError):
            away = (layout.runs / str(day)).rename(_beside(layout, day, "gone"))
            gone.append(day)
            shutil.rmtree(away)
    return gone


def settle_when_free(layout: Layout) -> list[str]:
    """Do the same for a command that reads the ledger, if there is anything to do and no run is at work."""
    if not layout.runs.is_dir() or not any(kind == "record" for kind, _, _ in _left(layout)):
        return []
    with suppress(ChurnError), only_run(layout.runs, "score"):
        return settle_nights(layout)
    return []


def _finish(layout: Layout) -> list[str]:
    """Record what was delivered, and take back what was not."""
    told = []
    for kind, day, path in _left(layout):
        if kind != "record" or not _commit_of(path) or _commit_of(path) != _digest(layout.runs / str(day)):
            continue
        if _delivered(layout, day):
            _keep(layout, path)
            told.append(f"the night of {day} was published, and is recorded now")
        else:
            _take_back(layout, day)
            told.append(f"the night of {day} was not complete, and is taken back")
    return told


def _clean(layout: Layout) -> None:
    """Remove files that were half written by processes that are no more."""
    layout.latest.with_name(f".{layout.latest.name}.new").unlink(missing_ok=True)
    for pattern in _TEMPORARY:
        for path in layout.folder.glob(pattern):
            process = path.name.split(".")[-2]
            if process.isdecimal() and not is_alive(int(process)):
                path.unlink(missing_ok=True)


def _beside(layout: Layout, as_of: dt.date, what: str) -> Path:
    return layout.runs / f".{as_of}.{what}"


def _left(layout: Layout) -> list[tuple[str, dt.date, Path]]:
    """Kind, date and path of the hidden folders, the records last."""
    found = []
    for path in layout.runs.iterdir():
        match = _LEFT.fullmatch(path.name)
        day = _date(match[1]) if match else None
        if match and day:
            found.append((match[2], day, path))
    return sorted(found)


def _date(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def _digest(folder: Path) -> str:
    """Names the content of a night's folder: its manifest holds the digests of all other files."""
    manifest = folder / MANIFEST
    return sha256_of(manifest) if manifest.is_file() else ""


def _commit_of(kept: Path) -> str:
    try:
        return (kept / COMMIT).read_text(encoding="ascii")
    except FileNotFoundError:
        return ""


def _delivered(layout: Layout, as_of: dt.date) -> bool:
    """Whether people see the folder of the date that is there now."""
    shown = newest(layout)
    return shown is not None and shown >= as_of and (layout.runs / str(as_of)).is_dir()


def _show(layout: Layout, as_of: dt.date) -> None:
    """Switch `latest`, but never to an older date."""
    shown = newest(layout)
    if shown is None or shown < as_of:
        point(layout.latest, layout.runs / str(as_of))


def _take_back(layout: Layout, as_of: dt.date) -> None:
    """What stood there before the exchange stands there again."""
    target, fresh = layout.runs / str(as_of), _beside(layout, as_of, "new")
    for before in (fresh, _beside(layout, as_of, "old")):
        if before.is_dir():
            _exchange(before, target, _beside(layout, as_of, "old"))
            return
    target.rename(fresh)


def _keep(layout: Layout, kept: Path) -> None:
    """Move the records to their places; what is there already is replaced."""
    for file in sorted(path for path in kept.rglob("*") if path.is_file() and path != kept / COMMIT):
        place = layout.folder / file.relative_to(kept)
        place.parent.mkdir(parents=True, exist_ok=True)
        file.replace(place)
        sync(place.parent)
    shutil.rmtree(kept)


def _sync_all(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    sync(folder)


def _exchange(fresh: Path, target: Path, old: Path) -> None:
    """Let two folders change places in one step; else in two, of which `settle_nights` undoes the first."""
    if not target.exists():
        fresh.rename(target)
    elif not _exchanged(fresh, target):
        target.rename(old)
        fresh.rename(target)
    sync(target.parent)


def _exchanged(one: Path, other: Path) -> bool:
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return False
    if call(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        return False
    raise OSError(code, os.strerror(code), str(other))


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Ctrl-C and termination wait for the end of the commit, which takes milliseconds."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
