"""A client of a prepared tracking store; its failures become errors that say what to do."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from configs.errors import ChurnError, ModelError, TryAgainError
from models.tracking import store
from models.tracking.exchange import TrackingStore

PATIENCE = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
AWAY = (
    "max retries exceeded",
    "connection",
    "timed out",
    "timeout",
    "database is locked",
    "unavailable",
    " 50",
)


@cache
def mlflow_module() -> Any:
    """MLflow itself, imported late, quiet, and never waiting for minutes."""
    for name, value in PATIENCE.items():
        os.environ.setdefault(name, value)
    import mlflow

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
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
        said = " ".join(str(error).split())[:200]
        if any(sign in said.lower() for sign in AWAY):
            raise TryAgainError(f"tracking store {tracking.uri} does not answer: {said}") from error
        raise ModelError(f"tracking store {tracking.uri}: {type(error).__name__}: {said}") from error


def _prepare(tracking: TrackingStore) -> None:
    """Create or migrate an embedded store once, under the lock, with a backup before a migration."""
    file = store.sqlite_file(tracking.uri)
    if file is None:
        return
    from mlflow.store.db import utils

    newest = utils._get_latest_schema_revision()
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
        local = store.sqlite_file(tracking.uri) is not None
        place = (tracking.home / "mlartifacts").absolute().as_uri() if local else None
        return str(client.create_experiment(name, artifact_location=place))
