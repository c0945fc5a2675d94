"""Join labels to a matrix. Only training, `churn features --labels` and outcomes may import this."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from configs.schema import Config
from features.labels import ended, label_axis, silent
from features.matrix import Matrix
from features.panel import Stat
from features.snapshots import newest_mature
from pipeline.dataset import engine
from pipeline.sources.databases import arrow
from pipeline.sources.opening import Sources


def build_labels(sources: Sources, config: Config, matrix: Matrix, as_of: dt.date) -> NDArray[np.float64]:
    """Shape (rows,): 1 churned, 0 kept, NaN where not mature at `as_of` or censored."""
    churn = config.churn
    labels = np.full(len(matrix.frame), np.nan)
    last = newest_mature(as_of, churn.gap_days, churn.horizon_days)
    by_snapshot = matrix.frame.groupby("snapshot", sort=True).indices
    mature = {day: rows for t, rows in by_snapshot.items() if (day := pd.Timestamp(t).date()) <= last}
    if not mature:
        return labels
    ids = engine.ids_of(pa.chunked_array([pa.array(matrix.frame["customer_id"], pa.string())]))
    codes = pc.index_in(pa.array(matrix.frame["customer_id"], pa.string()), value_set=ids).to_numpy()
    if churn.kind == "non_contractual":
        axis = label_axis(list(mature), churn.gap_days, churn.horizon_days)
        # What happened in the window counts whenever it became known.
        purchases = sources.tables["transactions"].select("customer_id", "occurred_at")
        count = [Stat("count")]
        with engine.scan(
            sources.connection, {"transactions": purchases}, {"transactions": count}, axis
        ) as scan:
            panel = engine.panel_of(scan.load(0)["transactions"], ids, count, axis)
        for day, rows in mature.items():
            labels[rows] = silent(panel, codes[rows], day, churn.gap_days, churn.horizon_days)
        return labels
    customers = sources.tables["customers"]
    people = engine.people_of(arrow(customers), {}, ids)
    counts = np.ones(len(ids), dtype=bool)
    if churn.not_churn_reasons:
        excused = customers.filter(customers.end_reason.isin(churn.not_churn_reasons)).select("customer_id")
        ignored = arrow(excused)["customer_id"].combine_chunks()
        counts = ~pc.is_in(ids, value_set=ignored).to_numpy(zero_copy_only=False)
    for day, rows in mature.items():
        who = codes[rows]
        labels[rows] = ended(people.ended_at[who], counts[who], day, churn.gap_days, churn.horizon_days)
    return labels
