"""`churn features`: the matrix as a Parquet file, and the catalogue."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from configs.schema import Config
from features.snapshots import back_from
from features.spec import FeatureColumn
from features.tables import derived
from models.backtest.undated import WARNING
from pipeline.dataset import cluster_jobs
from pipeline.dataset.cluster_labels import with_labels
from pipeline.dataset.labelled import read_labelled
from pipeline.dataset.labelling import build_labels
from pipeline.dataset.matrix import build_matrix
from pipeline.dataset.plan import Plan
from pipeline.log import Say
from pipeline.publish import as_json, write_atomic
from pipeline.result import Result, table
from pipeline.sources.opening import open_sources


def feature_catalogue(config: Config, as_of: dt.date) -> Result:
    """Every feature column that the config's sources give."""
    if config.churn.kind == "labelled":
        columns = read_labelled(config, as_of).matrix.columns
    else:
        sources = open_sources(config, as_of)
        columns = Plan.of(config, [as_of], derived(sources.tables), sources.attributes).catalogue
    rows = [[c.name, c.unit, c.driver, c.label, c.null] for c in columns]
    return Result(
        table(["column", "unit", "driver", "label", "null means"], rows), [c.plain() for c in columns]
    )


def write_matrix(config: Config, as_of: dt.date, count: int, out: Path, *, labels: bool, say: Say) -> Result:
    """Write `customer_id`, `snapshot`, the features and, if asked for, `churned`; the catalogue beside it.

    Parameters
    ----------
    count
        Number of snapshots: `as_of` and back from it by `snapshots.step_days`.
    out
        The Parquet file; the catalogue goes to the same name with `.catalogue.json`.
    """
    if config.engine.kind == "spark":
        return _write_on_cluster(config, as_of, count, out, labels=labels, say=say)
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
    frame = matrix.frame[["customer_id", "snapshot", *(c.name for c in matrix.columns)]]
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
    return _written(out, len(frame), matrix.columns, matrix.catalogue_hash, days).with_look(sources.look)


def _write_on_cluster(
    config: Config, as_of: dt.date, count: int, out: Path, *, labels: bool, say: Say
) -> Result:
    """The matrix as a folder of Parquet files that Spark writes."""
    sources = open_sources(config, as_of)
    for note in sources.notes:
        say(note)
    days = back_from(as_of, config.snapshots.step_days, count)
    place = out.absolute()

    def then(rows: Any) -> Any:
        return with_labels(rows, sources, config, days, as_of) if labels else rows

    plan = cluster_jobs.write_matrix_on_cluster(sources, config, days, place, then=then)
    rows = sum(pq.read_metadata(file).num_rows for file in sorted(place.glob("*.parquet")))
    return _written(out, rows, plan.catalogue, plan.digest, days).with_look(sources.look)


def _written(
    out: Path, rows: int, columns: Sequence[FeatureColumn], digest: str, days: Sequence[dt.date]
) -> Result:
    """Write the catalogue beside the matrix, and say what there is."""
    write_atomic(out.with_suffix(".catalogue.json"), as_json({c.name: c.plain() for c in columns}))
    values = {
        "out": str(out),
        "rows": rows,
        "features": len(columns),
        "snapshots": sorted(str(day) for day in days),
        "catalogue_hash": digest,
    }
    return Result(f"{out}: {rows:,} rows, {len(columns)} features, {len(days)} snapshots", values)
