"""`churn features`: the matrix as a Parquet file, and the catalogue."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from configs.errors import ConfigError
from configs.schema import Config
from features.snapshots import back_from
from models.undated import WARNING
from pipeline.dataset import cluster_jobs
from pipeline.dataset.labelled import read_labelled
from pipeline.dataset.labelling import build_labels
from pipeline.dataset.matrix import build_matrix
from pipeline.publish import as_json, write_atomic
from pipeline.result import Result, table
from pipeline.sources.opening import open_sources


def catalogue(config: Config, as_of: dt.date) -> Result:
    """Every feature column that the config's sources give."""
    if config.churn.kind == "labelled":
        columns = read_labelled(config, as_of).matrix.columns
    else:
        columns = build_matrix(open_sources(config, as_of), config, [as_of]).columns
    rows = [[c.name, c.unit, c.driver, c.label, c.null] for c in columns]
    return Result(
        table(["column", "unit", "driver", "label", "null means"], rows), [asdict(c) for c in columns]
    )


def write_matrix(
    config: Config, as_of: dt.date, count: int, out: Path, *, labels: bool, say: Callable[[str], None]
) -> Result:
    """Write `customer_id`, `snapshot`, the features and, if asked for, `churned`; the catalogue beside it.

    Parameters
    ----------
    count
        Number of snapshots: `as_of` and back from it by `snapshots.step_days`.
    out
        The Parquet file; the catalogue goes to the same name with `.catalogue.json`.
    """
    if config.engine.kind == "spark":
        return _write_on_cluster(config, as_of, count, out, labels=labels)
    undated = config.churn.kind == "labelled"
    if undated:
        read = read_labelled(config, as_of)
        sources, matrix, days = read.sources, read.matrix, [as_of]
        say(WARNING)
    else:
        sources = open_sources(config, as_of)
        days = back_from(as_of, config.snapshots.step_days, count)
        matrix = build_matrix(sources, config, days)
    for note in sources.notes:
        say(note)
    frame = matrix.frame
    if labels:
        churned = read.churned if undated else build_labels(sources, config, matrix, as_of)
        frame = frame.assign(churned=churned)
    content = pa.Table.from_pandas(frame, preserve_index=False)
    if labels:
        place = content.schema.get_field_index("churned")
        whole = pa.array(frame["churned"], from_pandas=True).cast(pa.int8())
        content = content.set_column(place, "churned", whole)
    sink = pa.BufferOutputStream()
    pq.write_table(content, sink)
    write_atomic(out, sink.getvalue().to_pybytes())
    write_atomic(out.with_suffix(".catalogue.json"), as_json({c.name: asdict(c) for c in matrix.columns}))
    values = {
        "out": str(out),
        "rows": len(frame),
        "features": len(matrix.columns),
        "snapshots": sorted(str(day) for day in days),
        "catalogue_hash": matrix.catalogue_hash,
    }
    return Result(
        f"{out}: {len(frame):,} rows, {len(matrix.columns)} features, {len(days)} snapshots", values
    )


def _write_on_cluster(config: Config, as_of: dt.date, count: int, out: Path, *, labels: bool) -> Result:
    """The matrix as a folder of Parquet files that Spark writes."""
    if labels:
        raise ConfigError(
            "--labels is not for a cluster: train there takes a sample, or use engine.kind duckdb"
        )
    days = back_from(as_of, config.snapshots.step_days, count)
    plan = cluster_jobs.write_matrix(open_sources(config, as_of), config, days, out.absolute())
    write_atomic(out.with_suffix(".catalogue.json"), as_json({c.name: asdict(c) for c in plan.catalogue}))
    values = {
        "out": str(out),
        "features": len(plan.catalogue),
        "snapshots": sorted(str(day) for day in days),
        "catalogue_hash": plan.digest,
    }
    return Result(f"{out}: {len(plan.catalogue)} features, {count} snapshots", values)
