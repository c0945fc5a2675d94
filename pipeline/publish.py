"""Locks, files and links that are replaced in one step, digests and JSON."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from configs.errors import ChurnError, TryAgainError

PACKAGES = ("configs", "features", "models", "pipeline")


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
        sync(path.parent)
    finally:
        beside.unlink(missing_ok=True)


def point(link: Path, target: Path) -> None:
    """Switch a link in one step.

    Raises
    ------
    ChurnError
        A folder stands in the link's place: a copy that followed links has made one of it.
    """
    if link.is_dir() and not link.is_symlink():
        raise ChurnError(
            f"{link} is a folder, where a link to the newest night belongs: copying the outputs has made one of it; "
            "move it away, nothing in it is needed"
        )
    fresh = link.with_name(f".{link.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(os.path.relpath(target, link.parent), target_is_directory=True)
    fresh.replace(link)
    sync(link.parent)


def sync(folder: Path) -> None:
    """Make renames in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def file_digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file in a folder and those in it, by name."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(file.relative_to(folder)): sha256_of(file) for file in files}


def sha256_of(file: Path) -> str:
    """SHA-256 of a file's content."""
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


@cache
def code_digest() -> str:
    """Of this version's own files, so that an unreleased change shows as well."""
    root, found = Path(__file__).parents[1], hashlib.sha256()
    for package in PACKAGES:
        for file in sorted((root / package).rglob("*")):
            if file.is_file() and file.suffix != ".pyc":
                found.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes())
    return found.hexdigest()[:16]


def as_json(content: Mapping[str, Any]) -> str:
    """Indented JSON with sorted keys, dates as ISO text; the same content gives the same bytes."""
    return json.dumps(content, indent=2, sort_keys=True, default=str, ensure_ascii=False) + "\n"
