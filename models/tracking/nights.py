"""What is logged of a night: a run with its figures, a summary in words and its tables."""

from __future__ import annotations

import datetime as dt
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from configs.base import redacted
from models.tracking.exchange import TrackingStore
from models.tracking.leftovers import process_tag, scratch
from models.tracking.origin import origin
from models.tracking.session import experiment_id, spoken_to
from models.tracking.standing import NOTE


def log_scoring(
    tracking: TrackingStore,
    run_name: str,
    metrics: Mapping[str, float],
    tags: Mapping[str, str],
    steps: Mapping[str, Sequence[tuple[int, int, float]]] | None = None,
    description: str = "",
    files: Mapping[str, str] | None = None,
) -> str:
    """Log a nightly run in the experiment `<experiment> nightly`; returns the run's id.

    An earlier run of the same `as_of`, whole or broken off, is replaced, so that it can be logged again.

    Parameters
    ----------
    steps
        Metric name to (step, milliseconds, value), such as one step a period: they draw as a line.
    description
        The night in words, for the run's page.
    files
        Name to text of tables that go with it; none may name a customer.
    """
    with spoken_to(tracking) as client:
        experiment = experiment_id(client, tracking, f"{tracking.experiment} nightly")
        same_day = client.search_runs([experiment], f"tags.as_of = '{tags['as_of']}'")
        earlier = [run for run in same_day if _of(tracking, run)]
        run = client.create_run(
            experiment,
            run_name=run_name,
            tags={
                "config": tracking.name,
                NOTE: redacted(description),
                **tags,
                **origin("churn score"),
                **process_tag(),
            },
        )
        found = metric_points(metrics, steps or {})
        for start in range(0, max(len(found), 1), 900):
            client.log_batch(run.info.run_id, metrics=found[start : start + 900])
        with scratch() as place:
            texts = {name: text.encode() for name, text in (files or {}).items()}
            log_files(client, run.info.run_id, texts, place)
        client.set_terminated(run.info.run_id, "FINISHED")
        for old in earlier:
            client.delete_run(old.info.run_id)
        return str(run.info.run_id)


def clean_nightly(tracking: TrackingStore, before: dt.date) -> int:
    """Delete the config's nightly runs of dates before `before`; returns how many. Trainings and models stay."""
    with spoken_to(tracking) as client:
        found = client.get_experiment_by_name(f"{tracking.experiment} nightly")
        if found is None:
            return 0
        old: list[str] = []
        page = None
        while True:
            runs = client.search_runs([found.experiment_id], max_results=1_000, page_token=page)
            dates = {r.info.run_id: r.data.tags.get("as_of", "9") for r in runs if _of(tracking, r)}
            old += [run for run, day in dates.items() if day < before.isoformat()]
            page = runs.token
            if not page:
                break
        for run_id in old:
            client.delete_run(run_id)
        return len(old)


def _of(tracking: TrackingStore, run: Any) -> bool:
    """Whether a nightly run is of this config: an experiment may be shared, and older runs tell no config."""
    return str(run.data.tags.get("config", tracking.name)) == tracking.name


def log_files(client: Any, run_id: str, files: Mapping[str, bytes], place: Path) -> None:
    """Log contents by name, through a folder that exists for the moment."""
    for name, content in files.items():
        file = place / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    if files:
        client.log_artifacts(run_id, str(place))


def metric_points(
    metrics: Mapping[str, float], steps: Mapping[str, Sequence[tuple[int, int, float]]]
) -> list[Any]:
    """Metrics as MLflow's entities; what is not finite is left out."""
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    points = [Metric(k, v, now, 0) for k, v in metrics.items() if math.isfinite(v)]
    return points + [
        Metric(name, value, when, step)
        for name, values in steps.items()
        for step, when, value in values
        if math.isfinite(value)
    ]
