"""Join labels to a matrix. Only training, `churn features --labels` and outcomes may import this."""

from __future__ import annotations

import datetime as dt

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from configs.schema import Config
from features.labels import labelled, mature_of, window_outcomes
from features.matrix import Matrix
from pipeline.sources.databases import arrow
from pipeline.sources.opening import Sources


def build_labels(sources: Sources, config: Config, matrix: Matrix, as_of: dt.date) -> NDArray[np.float64]:
    """Shape (rows,): 1 churned, 0 kept, NaN where not mature at `as_of` or censored."""
    snapshots = pd.to_datetime(matrix.frame["snapshot"])
    mature = mature_of([day.date() for day in snapshots.unique()], config.churn, as_of)
    if not mature:
        return np.full(len(snapshots), np.nan)
    number = pd.Index(pd.to_datetime(mature)).get_indexer(snapshots)
    rows = pa.table(
        {
            "customer_id": pa.array(matrix.frame["customer_id"], pa.string()),
            "snapshot_number": pa.array(number, pa.int16(), mask=number < 0),
            "row_": np.arange(len(number)),
        }
    )
    # What the windows hold is found where the data are, and joined here.
    found = ibis.memtable(arrow(window_outcomes(sources.tables, config.churn, mature)))
    churned = labelled(ibis.memtable(rows), found, config.churn).select("row_", "churned")
    told = sources.connection.to_pyarrow(churned.order_by("row_"))
    return told["churned"].to_numpy(zero_copy_only=False).astype(np.float64)
