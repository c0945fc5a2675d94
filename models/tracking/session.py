"""A client of a prepared tracking store; its failures become errors that say what to do."""

from __future__ import annotations

import logging
import os
import re
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

from configs.base import redacted
from configs.errors import ChurnError, StoreError, TryAgainError
from models.tracking import store
from models.tracking.exchange import TrackingStore
from models.tracking.moved import artifacts_of, follow

_PATIENCE = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
# For work that goes on without the store: requests that fail soon, so that no thread outlives its deadline for long.
HASTE = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "4",
}
# The pages then open as those of trained models; otherwise they guess, at first that of conversations.
KIND = {"mlflow.experimentKind": "custom_model_development"}
AWAY = ("failed with timeout", "failed with exception", "database is locked", "database table is locked")
AWAY_CODES = {"TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED", "DEADLINE_EXCEEDED"}
_STATUS = re.compile(r"failed with error code (\d{3})")
T = TypeVar("T")


@cache
def mlflow_module() -> Any:
    """MLflow itself, imported late, quiet, and never waiting for minutes."""
    for name, value in _PATIENCE.items():
        os.environ.setdefault(name, value)
    # Whenever a run ends MLflow prints its address on standard output, where results go, password and all.
    os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
    import mlflow

    # What goes wrong becomes one line of ours; MLflow would write its whole stack before it.
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return mlflow


@contextmanager
def spoken_to(tracking: TrackingStore) -> Iterator[Any]:
    """Give a client of a prepared store; turn its failures into errors that say what to do."""
    mlflow = mlflow_module()
    try:
        _prepare(tracking)
        mlflow.set_tracking_uri(tracking.uri)
        mlflow.set_registry_uri(tracking.uri)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield mlflow.MlflowClient(tracking.uri, tracking.uri)
    except ChurnError:
        raise
    except Exception as error:
        # MLflow quotes the URL, and whatever page a proxy has answered with.
        said, place = redacted(" ".join(str(error).split()))[:200], redacted(tracking.uri)
        if store.is_damaged(tracking.uri):
            raise StoreError(store.damage(tracking.uri)) from None
        if is_away(error):
            raise TryAgainError(f"tracking store {place} does not answer: {said}") from None
        raise StoreError(f"tracking store {place}: {type(error).__name__}: {said}") from None


def is_away(error: Exception) -> bool:
    """Whether the same request may succeed later: no answer, a lock, a busy or broken server; never HTTP 4xx."""
    from mlflow.exceptions import MlflowException, RestException

    text = str(error).lower()
    if status := _STATUS.search(text):
        return int(status[1]) >= 500 or status[1] in ("408", "429")
    if any(sign in text for sign in AWAY) or isinstance(error, ConnectionError | TimeoutError):
        return True
    if not isinstance(error, MlflowException):
        return False
    broken = isinstance(error, RestException) and error.error_code == "INTERNAL_ERROR"
    return broken or error.error_code in AWAY_CODES


def within(seconds: float, work: Callable[[], T], what: str) -> T:
    """Do work that speaks to the store, and stop waiting for it after so long.

    Whatever hangs goes on in a thread that dies with the process, so `work` must be fit to be done again.

    Raises
    ------
    TryAgainError
        When it takes longer.

    Examples
    --------
    >>> within(60, lambda: 7, "the number")
    7
    """
    mlflow_module()  # to import it takes seconds, and no server has a part in that
    found: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            found.append(work())
        except BaseException as error:
            failed.append(error)

    before = {name: os.environ.get(name) for name in HASTE}
    os.environ.update(HASTE)
    try:
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(seconds)
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    if failed:
        raise failed[0]
    if not found:
        raise TryAgainError(f"{what}: no answer within {seconds:g} seconds")
    return found[0]


def _prepare(tracking: TrackingStore) -> None:
    """Create or migrate an embedded store once, under the lock, with a backup before a migration."""
    file = store.sqlite_file(tracking.uri)
    if file is None:
        return
    from mlflow.store.db import utils

    newest = utils._get_latest_schema_revision()
    follow(file)
    if store.revision(file) == newest:
        return
    with store.locked(tracking.home):
        found = store.revision(file)
        if found == newest:
            return
        if found is not None:
            store.back_up(file, found)
        file.parent.mkdir(parents=True, exist_ok=True)
        engine = utils.create_sqlalchemy_engine_with_retry(tracking.uri)
        utils._initialize_tables(engine) if found is None else utils._upgrade_db(engine)
        engine.dispose()
        store.write_ahead(file)


def experiment_id(client: Any, tracking: TrackingStore, name: str) -> str:
    """Identity of an experiment; made, or brought back from the deleted ones, under the lock."""
    with store.locked(tracking.home):
        found = client.get_experiment_by_name(name)
        if found is not None:
            if found.lifecycle_stage == "deleted":
                client.restore_experiment(found.experiment_id)
            return str(found.experiment_id)
        file = store.sqlite_file(tracking.uri)
        place = artifacts_of(file).as_uri() if file is not None else None
        return str(client.create_experiment(name, artifact_location=place, tags=KIND))
