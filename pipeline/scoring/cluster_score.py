"""`churn score` on a cluster: every customer is scored there, and Spark writes the scores."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from configs.errors import DataError
from configs.schema import Config
from models import registry
from pipeline.dataset.cluster_jobs import write_scores
from pipeline.publish import as_json, only_run, publish, write_atomic
from pipeline.result import Result
from pipeline.sources.opening import Sources, open_sources
from pipeline.tracking.champion import tracking_of


def score_on_cluster(config: Config, as_of: dt.date, out: Path | None, say: Callable[[str], None]) -> Result:
    """Publish `scores.parquet`, a folder of files that Spark writes, and `manifest.json`.

    Parameters
    ----------
    out
        Folder for `<as-of>/`, which the workers reach too; the config's `outputs.folder` when None.

    Raises
    ------
    DataError
        A source breaks its contract, or nobody is a customer.
    ModelError
        There is no champion, or the matrix lacks a column that it reads.
    TryAgainError
        The master is away, or another run is at work.
    """
    data = config.path(config.outputs.folder) if out is None else out.absolute()
    runs = data / "runs" if out is None else data
    champion = registry.load_champion(tracking_of(config))
    say(f"champion: version {champion.version}, trained as of {champion.metadata['as_of']}")
    sources = open_sources(config, as_of)
    for note in sources.notes:
        say(note)
    totals: dict[str, Any] = {}

    def write(folder: Path) -> None:
        say(f"score on {config.engine.master}")
        plan = write_scores(sources, config, as_of, champion.model, folder / "scores.parquet")
        totals.update(_totals(sources, folder / "scores.parquet"))
        if not totals["customers"]:
            raise DataError(f"nobody is a customer at {as_of}; check the export, or --as-of")
        manifest = {
            "as_of": as_of,
            "churn_version": version("churn"),
            "config": config.name,
            "config_digest": config.digest,
            "model": {"version": champion.version, "sha256": champion.digest, "run_id": champion.run_id},
            "catalogue_hash": plan.digest,
            "inputs": sources.fingerprints,
            "rows": totals,
            "notes": sources.notes,
        }
        write_atomic(folder / "manifest.json", as_json(manifest))

    with only_run(runs, "score"):
        folder = publish(runs, as_of, data / "latest", write)
    text = (
        f"{config.name} as of {as_of}: {totals['customers']:,} customers, {totals['expected_to_leave']:,.0f} expected "
        f"to leave in {config.churn.horizon_days} days (version {champion.version})\npublished {folder}"
    )
    values = {"as_of": str(as_of), **totals, "model_version": champion.version, "folder": str(folder)}
    return Result(text, values)


def _totals(sources: Sources, scores: Path) -> dict[str, Any]:
    backend = next(iter(sources.tables.values())).get_backend()
    table = backend.read_parquet(str(scores))
    found = table.aggregate(customers=table.count(), expected_to_leave=table.churn_probability.sum())
    totals: dict[str, Any] = found.to_pyarrow().to_pylist()[0]
    return {**totals, "expected_to_leave": totals["expected_to_leave"] or 0.0}
