"""The only place that speaks to MLflow: runs, registered models, the champion.

A logged model is a pyfunc from code: `models/scoring.py` and the few lines of `PYFUNC` in one file, the boosters as
text, the rest as JSON. It loads where this project is not installed. Scoring does not run that code: it reads text and
JSON itself, after checking them against a SHA-256 that is kept as a tag, outside the artifact.
"""

from __future__ import annotations

import datetime as dt
import inspect
import io
import json
import logging
import math
import os
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from configs.errors import ChurnError, ModelError, TryAgainError
from models import scoring, store, views
from models.classifier import FittedModel, digest_of

CHAMPION, PREVIOUS = "champion", "previous_champion"
METADATA = "metadata.json"
PARTS = ("model", "holdout")
LIMITS = {
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
PYFUNC = '''

import mlflow


class ChurnModel(mlflow.pyfunc.PythonModel):
    """Churn probability of matrix rows; needs nothing of the project that trained it."""

    def load_context(self, context):
        self.spec, texts = read_folder(context.artifacts["model"])
        self.boosters = [lgb.Booster(model_str=text) for text in texts]

    def predict(self, context, model_input, params=None):
        return probability(self.spec, self.boosters, model_input)


mlflow.models.set_model(ChurnModel())
'''


@dataclass(frozen=True)
class Tracking:
    """Where runs and models are kept.

    Parameters
    ----------
    uri
        Absolute tracking URI.
    home
        The config's home; holds `mlartifacts/` and the lock.
    experiment
        Experiment of the trainings; `<experiment> baselines` and `<experiment> nightly` stand beside it.
    name
        Registered model.
    """

    uri: str
    home: Path
    experiment: str
    name: str


@dataclass(frozen=True)
class Record:
    """What is logged of one training; no customer ids and no rows.

    Parameters
    ----------
    run_name, description
        For the list of runs and the page of the run.
    params, metrics, tags
        Flat values; metrics that are not finite are left out.
    steps
        Metric name to (step, milliseconds, value): one step a test snapshot.
    baselines
        Baseline name to its metrics; a child run each.
    datasets
        Role to fingerprint.
    files
        Path to content, such as pictures.
    metadata
        Goes with the model: label window, dates, feature catalogue.
    """

    run_name: str
    description: str
    params: Mapping[str, Any]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    steps: Mapping[str, Sequence[tuple[int, int, float]]] = field(default_factory=dict)
    baselines: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    datasets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Champion:
    """A registered model, read and checked.

    Parameters
    ----------
    model, holdout
        D and E of `models.recipe`.
    metadata
        As in `Record.metadata`.
    version, run_id
        In the registry.
    digest
        SHA-256 of its files.
    """

    model: FittedModel
    holdout: FittedModel
    metadata: Mapping[str, Any]
    version: int
    run_id: str
    digest: str


@dataclass(frozen=True)
class Logged:
    """Where a training went."""

    run_id: str
    version: int
    url: str


@cache
def _mlflow() -> Any:
    for name, value in LIMITS.items():
        os.environ.setdefault(name, value)
    import mlflow

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return mlflow


@contextmanager
def _spoken_to(tracking: Tracking) -> Iterator[Any]:
    """Give a client of a prepared store; turn its failures into errors that say what to do."""
    mlflow = _mlflow()
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


def _prepare(tracking: Tracking) -> None:
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


def check(tracking: Tracking) -> None:
    """Make sure that the store answers, before hours of work depend on it.

    Raises
    ------
    TryAgainError
        When it does not.
    """
    with _spoken_to(tracking) as client:
        _experiment(client, tracking, tracking.experiment)


def _experiment(client: Any, tracking: Tracking, name: str) -> str:
    with store.locked(tracking.home):
        found = client.get_experiment_by_name(name)
        if found is not None:
            if found.lifecycle_stage == "deleted":
                client.restore_experiment(found.experiment_id)
            return str(found.experiment_id)
        local = store.sqlite_file(tracking.uri) is not None
        place = (tracking.home / "mlartifacts").absolute().as_uri() if local else None
        return str(client.create_experiment(name, artifact_location=place))


def log_training(tracking: Tracking, record: Record, model: FittedModel, holdout: FittedModel) -> Logged:
    """Log a run with its baselines, and register the model; nothing is promoted here."""
    with _spoken_to(tracking) as client:
        mlflow = _mlflow()
        experiment = _experiment(client, tracking, tracking.experiment)
        client.set_experiment_tag(experiment, views.TAG, _view(record))
        run = client.create_run(experiment, run_name=record.run_name, tags=dict(record.tags))
        run_id = str(run.info.run_id)
        try:
            _log_values(client, run_id, record)
            with tempfile.TemporaryDirectory() as folder:
                place = Path(folder)
                _log_files(client, run_id, record.files, place / "files")
                uri, digest = _log_model(mlflow, run_id, record, model, holdout, place)
            tags = {
                "sha256": digest,
                "verdict": record.tags.get("verdict", ""),
                "as_of": record.tags["as_of"],
            }
            with redirect_stderr(io.StringIO()):
                made = mlflow.register_model(uri, tracking.name, tags=tags)
            client.update_model_version(tracking.name, made.version, record.description)
            _log_baselines(client, tracking, run_id, record)
        except BaseException:
            client.set_terminated(run_id, "FAILED")
            raise
        client.set_terminated(run_id, "FINISHED")
        return Logged(run_id, int(made.version), _url(tracking, experiment, run_id))


def _url(tracking: Tracking, experiment: str, run_id: str) -> str:
    server = tracking.uri if tracking.uri.startswith("http") else "http://127.0.0.1:5000"
    return f"{server}/#/experiments/{experiment}/runs/{run_id}?workflowType=machine_learning"


def _view(record: Record) -> str:
    shown = [name for name in record.metrics if name.startswith(("a_headline/", "b_vs_champion/"))]
    return views.view_state(shown, ["weights", "calibrator", "train_rows"], ["verdict"])


def comparison_url(tracking: Tracking, server: str) -> str:
    """Address of the trainings' table, with the figures shown; the list of experiments before the first one."""
    with _spoken_to(tracking) as client:
        found = client.get_experiment_by_name(tracking.experiment)
        if found is None:
            return f"{server}/#/experiments?workflowType=machine_learning"
        shown = f"workflowType=machine_learning&viewStateShareKey={views.KEY}"
        return f"{server}/#/experiments/{found.experiment_id}/runs?{shown}"


def clean_nightly(tracking: Tracking, before: dt.date) -> int:
    """Delete the nightly runs of dates before `before`; returns how many. Trainings and models stay."""
    with _spoken_to(tracking) as client:
        found = client.get_experiment_by_name(f"{tracking.experiment} nightly")
        if found is None:
            return 0
        old: list[str] = []
        page = None
        while True:
            runs = client.search_runs([found.experiment_id], max_results=1_000, page_token=page)
            old += [r.info.run_id for r in runs if r.data.tags.get("as_of", "9") < before.isoformat()]
            page = runs.token
            if not page:
                break
        for run_id in old:
            client.delete_run(run_id)
        return len(old)


def _log_values(client: Any, run_id: str, record: Record) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag, Param, RunTag

    points = _points(record.metrics, record.steps)
    params = [Param(k, str(v)[:500]) for k, v in record.params.items()]
    for start in range(0, max(len(points), 1), 900):
        client.log_batch(run_id, metrics=points[start : start + 900])
    client.log_batch(run_id, params=params[:100], tags=[RunTag("mlflow.note.content", record.description)])
    data = [
        DatasetInput(
            Dataset(
                role,
                str(print_["digest"])[:36],
                "local",
                json.dumps({"role": role}),
                profile=json.dumps(print_, default=str),
            ),
            [InputTag("mlflow.data.context", "training")],
        )
        for role, print_ in record.datasets.items()
    ]
    client.log_inputs(run_id, data)


def _log_files(client: Any, run_id: str, files: Mapping[str, bytes], place: Path) -> None:
    for name, content in files.items():
        file = place / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    if files:
        client.log_artifacts(run_id, str(place))


def _log_model(
    mlflow: Any, run_id: str, record: Record, model: FittedModel, holdout: FittedModel, place: Path
) -> tuple[str, str]:
    """Log the pyfunc from code and return its URI and the digest of its data files."""
    code = place / "churn_model.py"
    code.write_text(inspect.getsource(scoring) + PYFUNC, encoding="utf-8")
    model.save(place / "model")
    holdout.save(place / "holdout")
    text = json.dumps(record.metadata, ensure_ascii=False, sort_keys=True, indent=1, default=str)
    (place / METADATA).write_text(text, encoding="utf-8")
    with mlflow.start_run(run_id=run_id), redirect_stderr(io.StringIO()):
        logged = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(code),
            artifacts={name: str(place / name) for name in (*PARTS, METADATA)},
            signature=_signature(model),
            pip_requirements=[f"{p}=={installed(p)}" for p in ("mlflow", "lightgbm", "numpy", "pandas")],
        )
    return str(logged.model_uri), digest_of(_data_files(place))


def _signature(model: FittedModel) -> Any:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    kinds = {"number": DataType.double, "text": DataType.string}
    columns = [ColSpec(kinds[c["kind"]], c["name"], required=False) for c in model.spec["columns"]]
    return ModelSignature(Schema(columns), Schema([ColSpec(DataType.double)]))


def _data_files(place: Path) -> dict[str, bytes]:
    files = [place / METADATA, *(f for part in PARTS for f in (place / part).iterdir())]
    return {f.relative_to(place).as_posix(): f.read_bytes() for f in files}


def _log_baselines(client: Any, tracking: Tracking, parent: str, record: Record) -> None:
    from mlflow.entities import Metric

    experiment = _experiment(client, tracking, f"{tracking.experiment} baselines")
    now = int(time.time() * 1000)
    for name, metrics in record.baselines.items():
        tags = {"mlflow.parentRunId": parent, "training_run": parent, "as_of": record.tags["as_of"]}
        run = client.create_run(experiment, run_name=f"{name} {record.tags['as_of']}", tags=tags)
        points = [Metric(k, v, now, 0) for k, v in metrics.items() if math.isfinite(v)]
        client.log_batch(run.info.run_id, metrics=points)
        client.set_terminated(run.info.run_id, "FINISHED")


def champion_version(tracking: Tracking) -> int | None:
    """Version that the alias `champion` points to; None without one."""
    with _spoken_to(tracking) as client:
        return _alias(client, tracking, CHAMPION)


def _alias(client: Any, tracking: Tracking, alias: str) -> int | None:
    from mlflow.exceptions import MlflowException

    try:
        return int(client.get_registered_model(tracking.name).aliases[alias])
    except KeyError:
        return None
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise


def load_champion(tracking: Tracking) -> Champion:
    """Read the champion's text and JSON, after checking them against the tag; none of its code is run.

    Raises
    ------
    ModelError
        Without a champion, or when its files are damaged.
    TryAgainError
        When the tracking server is away.
    """
    with _spoken_to(tracking) as client:
        version = _alias(client, tracking, CHAMPION)
        if version is None:
            raise ModelError(f"no champion of {tracking.name} in {tracking.uri}; run `churn train` first")
        return _read(client, tracking, version)


def _read(client: Any, tracking: Tracking, version: int) -> Champion:
    found = client.get_model_version(tracking.name, str(version))
    with tempfile.TemporaryDirectory() as folder:
        uri = f"models:/{tracking.name}/{version}"
        place = Path(_mlflow().artifacts.download_artifacts(uri, dst_path=folder)) / "artifacts"
        try:
            digest = digest_of(_data_files(place))
        except OSError as error:
            raise ModelError(
                f"version {version} of {tracking.name} has no files; run `churn train`"
            ) from error
        if digest != found.tags.get("sha256"):
            raise ModelError(
                f"version {version} of {tracking.name} was changed after training (SHA-256 {digest[:12]}, registered "
                f"{str(found.tags.get('sha256'))[:12]}); run `churn rollback` or `churn train`"
            )
        metadata = json.loads((place / METADATA).read_text(encoding="utf-8"))
        parts = [FittedModel.load(place / part) for part in PARTS]
    return Champion(parts[0], parts[1], metadata, version, str(found.run_id), digest)


def promote(tracking: Tracking, version: int, reason: str) -> int | None:
    """Make a version the champion, keep the reason with it, and return the previous champion's version.

    Raises
    ------
    ModelError
        When the version does not exist or its files are damaged.
    """
    with _spoken_to(tracking) as client, store.locked(tracking.home):
        _read(client, tracking, version)
        previous = _alias(client, tracking, CHAMPION)
        client.set_model_version_tag(tracking.name, str(version), "promotion_reason", reason)
        if previous is not None and previous != version:
            client.set_model_version_tag(tracking.name, str(version), PREVIOUS, str(previous))
            client.set_registered_model_alias(tracking.name, PREVIOUS, str(previous))
        client.set_registered_model_alias(tracking.name, CHAMPION, str(version))
        return previous


def rollback(tracking: Tracking, reason: str) -> tuple[int | None, int]:
    """Bring the previous champion back; returns the version that was replaced and the one that is champion now.

    Raises
    ------
    ModelError
        When there is no previous champion.
    """
    with _spoken_to(tracking) as client:
        previous = _alias(client, tracking, PREVIOUS)
        if previous is None:
            raise ModelError(f"{tracking.name} has no previous champion; use `churn promote VERSION`")
    return promote(tracking, previous, f"rollback: {reason}"), previous


def log_scoring(
    tracking: Tracking,
    run_name: str,
    metrics: Mapping[str, float],
    tags: Mapping[str, str],
    steps: Mapping[str, Sequence[tuple[int, int, float]]] | None = None,
) -> str:
    """Log a nightly run's figures in the experiment `<experiment> nightly`; returns the run's id.

    Parameters
    ----------
    steps
        Metric name to (step, milliseconds, value), such as one step a period: they draw as a line.
    """
    with _spoken_to(tracking) as client:
        experiment = _experiment(client, tracking, f"{tracking.experiment} nightly")
        run = client.create_run(experiment, run_name=run_name, tags=dict(tags))
        points = _points(metrics, steps or {})
        for start in range(0, max(len(points), 1), 900):
            client.log_batch(run.info.run_id, metrics=points[start : start + 900])
        client.set_terminated(run.info.run_id, "FINISHED")
        return str(run.info.run_id)


def _points(metrics: Mapping[str, float], steps: Mapping[str, Sequence[tuple[int, int, float]]]) -> list[Any]:
    """MLflow's entities; what is not finite is left out."""
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    points = [Metric(k, v, now, 0) for k, v in metrics.items() if math.isfinite(v)]
    return points + [
        Metric(name, value, when, step)
        for name, values in steps.items()
        for step, when, value in values
        if math.isfinite(value)
    ]
