"""Join labels to a matrix. Only training, `churn features --labels` and outcomes may import this."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from configs.schema import Config
from features.labels import labelled, mature_of, next_events, window_outcomes
from features.matrix import Matrix
from models.prediction.waits import Waits
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


def build_waits(
    sources: Sources,
    config: Config,
    customer: NDArray[np.str_],
    snapshot: NDArray[np.datetime64],
    as_of: dt.date,
    edges: Sequence[int],
) -> Waits:
    """How long each row's customer waited for the next purchase, or stayed until the ending, as known at `as_of`.

    Parameters
    ----------
    customer, snapshot
        Of the rows: ids, and dates as `datetime64[D]`.
    edges
        Days after the snapshot and its gap between which events are told apart, from 0 on.
    """
    start = snapshot + np.timedelta64(config.churn.gap_days, "D")
    followed = (np.datetime64(as_of) - start).astype(np.float64)
    ahead = np.unique(start)[:, None] + np.asarray(edges).astype("timedelta64[D]")
    moments = np.unique(ahead[ahead <= np.datetime64(as_of)])
    if len(moments) < 2:
        return Waits.unknown(len(start))
    found = arrow(next_events(sources.tables, config.churn, moments.astype("datetime64[s]").tolist()))
    ids = pd.Index(pd.unique(pd.Series(customer)))
    owner = ids.get_indexer(found["customer_id"].to_pandas())
    edge, counts = (found[name].to_numpy(zero_copy_only=False) for name in ("edge", "counts"))
    # Customers one after the other, the events of each in time: a row's next one stands where the row itself would.
    width = 2 * (len(moments) + 1)
    key = np.sort((owner * width + 2 * edge.astype(np.int64) + ~counts.astype(bool))[owner >= 0])
    first = ids.get_indexer(customer).astype(np.int64) * width + 2 * (np.searchsorted(moments, start) + 1)
    place = np.minimum(np.searchsorted(key, first), max(len(key) - 1, 0))
    following = key[place] if len(key) else np.full(len(first), -1)
    there = (following >= first) & (following // width == first // width)
    happened = moments[np.where(there, following % width // 2 - 1, 0)]
    days = np.where(there, (happened - start).astype(np.float64), np.nan)
    return Waits(days, there & (following % 2 == 0), followed)
