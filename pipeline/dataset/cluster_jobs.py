"""What runs on the cluster: the matrix, written there as Parquet; and the sample that training takes."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from configs.schema import Config
from features.tables import derived
from pipeline.dataset import cluster
from pipeline.dataset.plan import Plan
from pipeline.sources.drivers import asking
from pipeline.sources.opening import Sources

Work = Callable[[pd.DataFrame], Mapping[str, NDArray[np.float64]]]


def is_on_cluster(sources: Sources) -> bool:
    """Whether the sources are Spark's."""
    return any(table.get_backend().name == "pyspark" for table in sources.tables.values())


def write_matrix_on_cluster(
    sources: Sources,
    config: Config,
    snapshots: Sequence[dt.date],
    out: str | Path,
    *,
    more: Sequence[str] = (),
    work: Work | None = None,
    then: Callable[[Any], Any] = lambda rows: rows,
) -> Plan:
    """Write `customer_id`, `snapshot` and the features of every customer, as a folder of Parquet files.

    Parameters
    ----------
    out
        A path or URI that the workers can write to.
    more, work
        Names of more columns, and what makes them on a worker from rows of the matrix.
    then
        What is done with all rows, a Spark DataFrame, before they are written.
    """
    plan = Plan.of(config, snapshots, derived(sources.tables), sources.attributes)
    types = {name: "double" if kind else "string" for name, kind in _numeric(sources).items()}
    columns = {c.name: types.get(c.name, "float") for c in plan.catalogue}
    keys = {"customer_id": "string", "snapshot": "date"}
    schema = ", ".join(
        f"`{n}` {kind}" for n, kind in {**keys, **columns, **dict.fromkeys(more, "double")}.items()
    )
    backend = next(iter(sources.tables.values())).get_backend()
    finish = partial(matrix_rows, columns, work)
    rows = cluster.frame(backend, sources.tables, plan, sources.event_rows, config, finish, schema)
    as_folder(then(rows), out)
    return plan


def matrix_rows(columns: Mapping[str, str], work: Work | None, frame: pd.DataFrame) -> pa.Table:
    """Rows of a matrix as Arrow, with what `work` adds; `columns` gives Spark's type of each."""
    kinds = {"float": pa.float32(), "double": pa.float64(), "string": pa.string()}
    arrays = {
        name: pa.array(_plain(frame[name], kind), kinds[kind], from_pandas=True)
        for name, kind in columns.items()
    }
    ids = pa.array(frame["customer_id"], pa.string())
    days = pa.array(frame["snapshot"].to_numpy().astype("datetime64[D]"))
    added = {} if work is None else {name: pa.array(values) for name, values in work(frame).items()}
    return pa.table({"customer_id": ids, "snapshot": days, **arrays, **added})


def _plain(column: pd.Series[Any], kind: str) -> Any:
    return column.astype(object) if kind == "string" else column.to_numpy(np.float64, na_value=np.nan)


def only_of(sources: Sources, customers: Sequence[str]) -> Sources:
    """The sources of these customers: of a cluster only, so that no more than theirs is brought here."""
    if not is_on_cluster(sources):
        return sources
    asked = ibis.memtable({"customer_id": sorted(set(customers))}, schema={"customer_id": "string"})
    tables = {role: rows.semi_join(asked, "customer_id") for role, rows in sources.tables.items()}
    return replace(sources, tables=tables)


def _numeric(sources: Sources) -> dict[str, bool]:
    """Attribute -> whether it is a number."""
    if "customers" not in sources.tables:
        return {}
    kinds = sources.tables["customers"].schema()
    return {name: kinds[name].is_numeric() for name in sources.attributes}


def as_folder(frame: Any, out: str | Path) -> None:
    """Write a folder of Parquet files; on a local file system it appears when it is complete."""
    with asking():
        if "://" in str(out):
            frame.write.mode("overwrite").parquet(str(out))
            return
        unfinished = Path(f"{out}.unfinished")
        frame.write.mode("overwrite").parquet(str(unfinished))
        # Spark's names differ from run to run, and its marks and checksums are for file systems without a rename.
        parts = sorted(unfinished.glob("part-*.parquet"))
        for file in {*unfinished.iterdir()} - {*parts}:
            file.unlink()
        for number, file in enumerate(parts):
            file.rename(unfinished / f"part-{number:05}.parquet")
        shutil.rmtree(out, ignore_errors=True)
        unfinished.rename(out)
