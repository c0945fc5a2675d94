"""The embedded tracking store: one SQLite file, created once, backed up before it is changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from filelock import FileLock, Timeout

from configs.errors import TryAgainError

LOCK_FILE = ".tracking.lock"
_LOCK_SECONDS = 120.0


def sqlite_file(uri: str) -> Path | None:
    """Path of the SQLite file of a tracking URI; None when the store is somewhere else.

    Examples
    --------
    >>> sqlite_file("sqlite:////srv/churn/mlflow.db").as_posix(), sqlite_file("http://tracking:5000")
    ('/srv/churn/mlflow.db', None)
    """
    head, found, rest = uri.partition("sqlite:///")
    return Path(rest) if found and not head else None


def local_path(uri: str) -> str | None:
    """The path of a file: URI, or of a plain path; None of anything else.

    Examples
    --------
    >>> local_path("file:///srv/my%20churn/mlartifacts"), local_path("/srv/a"), local_path("s3://bucket/a")
    ('/srv/my churn/mlartifacts', '/srv/a', None)
    """
    parts = urlsplit(uri)
    return unquote(parts.path) if parts.scheme in ("", "file") else None


def is_missing(uri: str) -> bool:
    """Whether a tracking URI names a SQLite file that is not there."""
    file = sqlite_file(uri)
    return file is not None and not file.exists()


def is_damaged(uri: str) -> bool:
    """Whether a tracking URI names a SQLite file that can't be read as one."""
    file = sqlite_file(uri)
    if file is None or not file.exists():
        return False
    try:
        with closing(sqlite3.connect(file)) as connection:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok")
    except sqlite3.OperationalError:  # locked, or no right to read it
        return False
    except sqlite3.DatabaseError:
        return True


def damage(uri: str) -> str:
    """What to do about a damaged SQLite file."""
    file = sqlite_file(uri)
    return (
        f"{file}: the tracking store is damaged; restore it from a backup, or `mv {file} {file}.damaged` and run "
        "`churn train`, which makes a new one"
    )


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Hold the lock under which the store is prepared and the champion is moved.

    Raises
    ------
    TryAgainError
        When another process holds it for two minutes.
    """
    home.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(home / LOCK_FILE, timeout=_LOCK_SECONDS):
            yield
    except Timeout as error:
        raise TryAgainError(
            f"{home / LOCK_FILE}: another run is changing the tracking store; try again later"
        ) from error


def revision(file: Path) -> str | None:
    """Schema revision of a store; None when the file has none yet."""
    if not file.exists():
        return None
    with closing(sqlite3.connect(file)) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError as error:
            if "no such table" not in str(error):  # locked, or not to be opened: no sign of an empty store
                raise
            return None
    return str(row[0]) if row else None


def back_up(file: Path, name: str) -> Path:
    """Copy a store consistently beside itself, also while others write."""
    copy = file.with_name(f"{file.name}.{name}.bak")
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy


def write_ahead(file: Path) -> None:
    """Switch to write-ahead logging, which lasts: readers then do not wait for writers."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
