"""What is logged of a training: its run, pictures, the model's files.

A logged model is a pyfunc from code: `models/prediction/scoring.py` and the few lines of `PYFUNC` in one file,
the boosters as text, the rest as JSON. It loads where this project is not installed.
"""

from __future__ import annotations

import inspect
import io
import json
import math
import time
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import replace
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from configs.base import redacted
from models.prediction import scoring
from models.prediction.classifier import FittedModel, digest_of
from models.tracking import views
from models.tracking.exchange import Logged, TrackingStore, TrainingRecord
from models.tracking.leftovers import process_tag, scratch
from models.tracking.nights import log_files, metric_points
from models.tracking.origin import origin
from models.tracking.session import experiment_id, mlflow_module, spoken_to
from models.tracking.standing import NOTE

METADATA = "metadata.json"
PYFUNC = '''

import lightgbm as lgb
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


def log_training(
    tracking: TrackingStore, record: TrainingRecord, model: FittedModel, held: Mapping[str, FittedModel]
) -> Logged:
    """Log a run with its baselines, and register the model; nothing is promoted here.

    Parameters
    ----------
    model
        What scores.
    held
        Folder name to a model that has not seen some labelled rows, kept for comparisons on them.
    """
    record = without_secrets(record)
    with spoken_to(tracking) as client:
        mlflow = mlflow_module()
        experiment = experiment_id(client, tracking, tracking.experiment)
        client.set_experiment_tag(experiment, views.TAG, _view(record))
        tags = {**record.tags, **origin("churn train"), **process_tag()}
        run = client.create_run(experiment, run_name=record.run_name, tags=tags)
        run_id = str(run.info.run_id)
        try:
            _log_values(client, run_id, record)
            with scratch() as place:
                log_files(client, run_id, record.files, place / "files")
                uri, digest = _log_model(mlflow, run_id, record, {"model": model, **held}, place)
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
            with suppress(Exception):  # what went wrong is the matter; the next training ends the run
                client.set_terminated(run_id, "FAILED")
            raise
        client.set_terminated(run_id, "FINISHED")
        return Logged(run_id, int(made.version), _url(tracking, experiment, run_id))


def without_secrets(record: TrainingRecord) -> TrainingRecord:
    """The record as it may be written."""
    return replace(
        record,
        description=redacted(record.description),
        params={name: redacted(str(value)) for name, value in record.params.items()},
        tags={name: redacted(value) for name, value in record.tags.items()},
    )


def logged_before(tracking: TrackingStore, as_of: str, digest: str) -> Logged | None:
    """The training of that date and model, where an earlier try has logged it to the end; None otherwise."""
    with spoken_to(tracking) as client:
        experiment = experiment_id(client, tracking, tracking.experiment)
        same = (
            f"tags.as_of = '{as_of}' and params.model_digest = '{digest}' and attributes.status = 'FINISHED'"
        )
        for run in client.search_runs([experiment], same):
            run_id = str(run.info.run_id)
            for version in client.search_model_versions(f"name='{tracking.name}' and run_id='{run_id}'"):
                return Logged(run_id, int(version.version), _url(tracking, experiment, run_id))
        return None


def _url(tracking: TrackingStore, experiment: str, run_id: str) -> str | None:
    """Address of a run on a tracking server; a file has none until `churn ui` serves it."""
    if not tracking.uri.startswith(("http://", "https://")):
        return None
    return f"{redacted(tracking.uri)}/#/experiments/{experiment}/runs/{run_id}?workflowType=machine_learning"


def _view(record: TrainingRecord) -> str:
    return views.view_state(record.headline, ["weights", "calibrator", "train_rows"], ["verdict"])


def comparison_url(tracking: TrackingStore, server: str) -> str:
    """Address of the trainings' table, with the figures shown; the list of experiments before the first one."""
    with spoken_to(tracking) as client:
        found = client.get_experiment_by_name(tracking.experiment)
        if found is None:
            return f"{server}/#/experiments?workflowType=machine_learning"
        shown = f"workflowType=machine_learning&viewStateShareKey={views.KEY}"
        return f"{server}/#/experiments/{found.experiment_id}/runs?{shown}"


def _log_values(client: Any, run_id: str, record: TrainingRecord) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag, Param, RunTag

    found = metric_points(record.metrics, record.steps)
    params = [Param(k, str(v)[:500]) for k, v in record.params.items()]
    for start in range(0, max(len(found), 1), 900):
        client.log_batch(run_id, metrics=found[start : start + 900])
    client.log_batch(run_id, params=params[:100], tags=[RunTag(NOTE, record.description)])
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


def _log_model(
    mlflow: Any, run_id: str, record: TrainingRecord, models: Mapping[str, FittedModel], place: Path
) -> tuple[str, str]:
    """Log the pyfunc from code and return its URI and the digest of its data files."""
    code = place / "churn_model.py"
    code.write_text(inspect.getsource(scoring) + PYFUNC, encoding="utf-8")
    for part, fitted in models.items():
        fitted.save(place / part)
    text = json.dumps(record.metadata, ensure_ascii=False, sort_keys=True, indent=1, default=str)
    (place / METADATA).write_text(text, encoding="utf-8")
    # MLflow prints the address of the run, password and all, when the run is left.
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()), mlflow.start_run(run_id=run_id):
        logged = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(code),
            artifacts={name: str(place / name) for name in (*models, METADATA)},
            signature=_signature(models["model"]),
            pip_requirements=[f"{p}=={installed(p)}" for p in ("mlflow", "lightgbm", "numpy", "pandas")],
        )
    return str(logged.model_uri), digest_of(data_files(place))


def _signature(model: FittedModel) -> Any:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    kinds = {"number": DataType.double, "text": DataType.string}
    columns = [ColSpec(kinds[c["kind"]], c["name"], required=False) for c in model.spec["columns"]]
    return ModelSignature(Schema(columns), Schema([ColSpec(DataType.double)]))


def model_folders(place: Path) -> list[Path]:
    """Folders of the models in a logged model's files, by name."""
    return sorted(file.parent for file in place.glob(f"*/{scoring.MODEL_FILE}"))


def data_files(place: Path) -> dict[str, bytes]:
    """Path to content of what the digest covers: the models and their metadata, none of the code."""
    files = [place / METADATA, *(f for part in model_folders(place) for f in part.iterdir())]
    return {f.relative_to(place).as_posix(): f.read_bytes() for f in files}


def _log_baselines(client: Any, tracking: TrackingStore, parent: str, record: TrainingRecord) -> None:
    from mlflow.entities import Metric, Param

    experiment = experiment_id(client, tracking, f"{tracking.experiment} baselines")
    now = int(time.time() * 1000)
    for name, metrics in record.baselines.items():
        tags = {
            "mlflow.parentRunId": parent,
            "training_run": parent,
            "as_of": record.tags["as_of"],
            **origin("churn train"),
            **process_tag(),
        }
        run = client.create_run(experiment, run_name=f"{name} {record.tags['as_of']}", tags=tags)
        points = [Metric(k, v, now, 0) for k, v in metrics.items() if math.isfinite(v)]
        client.log_batch(run.info.run_id, metrics=points)
        client.set_terminated(run.info.run_id, "FINISHED")
    for i, (sizes, loss) in enumerate(record.trials):
        tags = {
            "mlflow.parentRunId": parent,
            "training_run": parent,
            "as_of": record.tags["as_of"],
            **origin("churn train"),
            **process_tag(),
        }
        run = client.create_run(experiment, run_name=f"trial {i + 1} {record.tags['as_of']}", tags=tags)
        params = [Param(name, f"{value:g}") for name, value in sizes.items()]
        client.log_batch(run.info.run_id, metrics=[Metric("search/log_loss", loss, now, 0)], params=params)
        client.set_terminated(run.info.run_id, "FINISHED")
