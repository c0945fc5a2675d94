"""Lock, atomic output folders, the switch of `latest`, and the manifest."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from configs.errors import ChurnError, TryAgainError


@contextmanager
def only_run(folder: Path, what: str) -> Iterator[None]:
    """Hold the lock of a folder while a command changes it.

    The kernel drops the lock when the process dies, so that a killed run blocks nobody.

    Raises
    ------
    TryAgainError
        When another run holds it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ChurnError(
            f"{folder}: can't be made: {error.strerror}; choose another outputs.folder or --out"
        ) from error
    lock = FileLock(folder / f".{what}.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise TryAgainError(
            f"another churn {what} is at work in {folder}; try again when it has ended"
        ) from error
    except OSError as error:
        raise ChurnError(
            f"{folder}: can't be written: {error.strerror}; check its owner and the free space"
        ) from error
    try:
        yield
    finally:
        lock.release()


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write a file so that a reader sees the old content or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with beside.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def publish(runs: Path, as_of: dt.date, latest: Path, write: Callable[[Path], None]) -> Path:
    """Publish a folder of outputs for a date.

    Parameters
    ----------
    runs
        The folder of all runs; the outputs appear in `runs/<as_of>`.
    latest
        Link that is switched to the new folder when it is complete.
    write
        Called with a temporary folder to fill. When it fails, nothing has changed.

    Returns
    -------
    Path
        The published folder.
    """
    runs.mkdir(parents=True, exist_ok=True)
    target, old = runs / as_of.isoformat(), runs / f".{as_of}.old"
    if old.exists() and not target.exists():  # an earlier run died between its two renames
        old.rename(target)
    fresh = runs / f".{as_of}.new"
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    fresh.mkdir()
    try:
        write(fresh)
        for file in sorted(path for path in fresh.rglob("*") if path.is_file()):
            with file.open("rb") as handle:
                os.fsync(handle.fileno())
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    if target.exists():
        target.rename(old)
    fresh.rename(target)
    shutil.rmtree(old, ignore_errors=True)
    point(latest, target)
    return target


def point(link: Path, target: Path) -> None:
    """Switch a link in one step."""
    fresh = link.with_name(f".{link.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(os.path.relpath(target, link.parent), target_is_directory=True)
    fresh.replace(link)


def file_digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file in a folder and those in it, by name."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(file.relative_to(folder)): _sha256(file) for file in files}


def _sha256(file: Path) -> str:
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def as_json(content: Mapping[str, Any]) -> str:
    """Indented JSON with sorted keys, dates as ISO text; the same content gives the same bytes."""
    return json.dumps(content, indent=2, sort_keys=True, default=str, ensure_ascii=False) + "\n"
