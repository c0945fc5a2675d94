"""A tracking store that was moved or copied with its home: its artifacts are beside it, wherever that is now.

MLflow keeps the artifacts of an embedded store as absolute paths. A copy would read from the original and, worse, write
into it.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from models.tracking.store import back_up, local_path, locked

ARTIFACTS = "mlartifacts"

# Where the next run writes, and where what there is is read from: (those elsewhere, change one).
_NEXT = (
    "SELECT experiment_id, artifact_location FROM experiments WHERE artifact_location LIKE '%/mlartifacts'",
    "UPDATE experiments SET artifact_location = ? WHERE experiment_id = ?",
)
_THERE = (
    (
        "SELECT run_uuid, artifact_uri FROM runs WHERE artifact_uri LIKE '%/mlartifacts/%'",
        "UPDATE runs SET artifact_uri = ? WHERE run_uuid = ?",
    ),
    (
        "SELECT model_id, artifact_location FROM logged_models WHERE artifact_location LIKE '%/mlartifacts/%'",
        "UPDATE logged_models SET artifact_location = ? WHERE model_id = ?",
    ),
    (
        "SELECT rowid, storage_location FROM model_versions WHERE storage_location LIKE '%/mlartifacts/%'",
        "UPDATE model_versions SET storage_location = ? WHERE rowid = ?",
    ),
)


def artifacts_of(file: Path) -> Path:
    """Where the artifacts of an embedded store are.

    Examples
    --------
    >>> artifacts_of(Path("/srv/churn/mlflow.db")).as_posix()
    '/srv/churn/mlartifacts'
    """
    return file.absolute().parent / ARTIFACTS


def follow(file: Path) -> str | None:
    """Point an embedded store to the artifacts beside it, when it was moved or copied; a copy of it is kept before.

    What lies only where the store was stays known there.

    Returns
    -------
    str or None
        What was done, for a person; None when the store is where it was.
    """
    if not file.exists() or not _elsewhere(file):
        return None
    with locked(file.parent):
        found = _elsewhere(file)
        if not found:
            return None
        back_up(file, "moved")
        with closing(sqlite3.connect(file, timeout=30)) as connection, connection:
            for key, _ in found:
                connection.execute(_NEXT[1], (artifacts_of(file).as_uri(), key))
            for select, update in _THERE:
                for key, place in connection.execute(select).fetchall():
                    if new := _new_place(place, file):
                        connection.execute(update, (new, key))
    return f"{file}: has moved, its artifacts are read from and written to {artifacts_of(file)} now"


def _elsewhere(file: Path) -> list[tuple[str, str]]:
    """Experiments whose next run would write to another folder than the one beside the store."""
    with closing(sqlite3.connect(file, timeout=30)) as connection:
        try:
            rows = connection.execute(_NEXT[0]).fetchall()
        except sqlite3.DatabaseError:  # an empty store, or none: whoever opens it says so
            return []
    return [(key, place) for key, place in rows if not _same(local_path(place), artifacts_of(file))]


def _same(one: str | None, other: Path) -> bool:
    return one is None or Path(one) == other or Path(one).resolve() == other.resolve()


def _new_place(place: str, file: Path) -> str | None:
    old = local_path(place)
    if old is None:
        return None
    head, _, rest = old.rpartition(f"/{ARTIFACTS}/")
    new = artifacts_of(file) / rest
    if _same(f"{head}/{ARTIFACTS}", artifacts_of(file)) or (Path(old).exists() and not new.exists()):
        return None
    return new.as_uri()
