"""Run each source's group-by where the data live, and bring back the partial statistics."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.matrix import People
from features.panel import Panel, Stat, partials
from features.snapshots import TimeAxis


def scan(
    tables: Mapping[str, ir.Table], stats: Mapping[str, Collection[Stat]], axis: TimeAxis
) -> dict[str, pa.Table]:
    """One group-by for each source that has statistics to compute."""
    return {
        role: partials(tables[role], role, wanted, axis).to_pyarrow().combine_chunks()
        for role, wanted in stats.items()
        if wanted
    }


def ids_of(*columns: pa.ChunkedArray) -> pa.Array:
    """The different ids of the columns, ascending, without nulls."""
    found = pc.unique(pa.chunked_array([chunk for column in columns for chunk in column.chunks], pa.string()))
    found = found.drop_null()
    return found.take(pc.sort_indices(found))


def panel_of(found: pa.Table, ids: pa.Array, stats: Collection[Stat], axis: TimeAxis) -> Panel:
    """The panel of one source for the customers `ids`; rows of anybody else are left out."""
    codes = pc.index_in(found["customer_id"], value_set=ids)
    return Panel.of(
        axis,
        len(ids),
        codes.fill_null(-1).to_numpy().astype(np.int64),
        found["period"].to_numpy(),
        found["known"].to_numpy(),
        {stat: _values(stat, found[stat.name]) for stat in stats},
    )


def _values(stat: Stat, column: pa.ChunkedArray) -> NDArray[Any]:
    if stat.kind in ("count", "active_days", "bits"):
        return pc.cast(column.fill_null(0), pa.int64()).to_numpy()
    return pc.cast(column, pa.float64()).to_numpy(zero_copy_only=False)


def people_of(customers: ir.Table | None, attributes: Collection[str], ids: pa.Array | None) -> People:
    """The customers, with their start, end and attributes where the customers source has them.

    Parameters
    ----------
    ids
        Whom to tell of; everybody in the customers source when None.
    """
    if customers is None:
        if ids is None:
            raise ValueError("neither ids nor a customers source")
        unknown = np.full(len(ids), np.nan)
        return People(ids, unknown, unknown, {})
    found = customers.to_pyarrow().combine_chunks()
    ids = ids_of(found["customer_id"]) if ids is None else ids
    rows = pc.index_in(ids, value_set=found["customer_id"].combine_chunks())
    found = found.take(rows)
    return People(
        ids,
        _seconds(found, "started_at"),
        _seconds(found, "ended_at"),
        {name: _attribute(found[name]) for name in attributes},
    )


def _seconds(found: pa.Table, name: str) -> NDArray[np.float64]:
    if name not in found.column_names:
        return np.full(found.num_rows, np.nan)
    whole = pc.cast(pc.cast(found[name], pa.timestamp("us")), pa.int64())
    return pc.divide(pc.cast(whole, pa.float64()), 1e6).to_numpy(zero_copy_only=False)


def _attribute(column: pa.ChunkedArray) -> pd.Series[Any]:
    if pa.types.is_floating(column.type):
        return column.to_pandas().astype(np.float32)
    values = column.to_pandas()
    return values.astype(pd.CategoricalDtype(sorted(values.dropna().unique())))
