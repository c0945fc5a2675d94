"""Snapshots + panels + features -> the matrix: one way for training and scoring. Never sees labels."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from configs.errors import HistoryError
from configs.schema import Config
from features.matrix import Matrix
from features.snapshots import back_from, newest_mature
from features.tables import derived
from pipeline.dataset import engine
from pipeline.dataset.plan import MEMBERS, Plan, members
from pipeline.dataset.shards import NumberedRows, by_shard, shard_of, shards_for
from pipeline.progress import progress
from pipeline.sources.databases import arrow
from pipeline.sources.opening import Sources


def build_matrix(sources: Sources, config: Config, snapshots: Sequence[dt.date]) -> Matrix:
    """The features of every customer at each snapshot, as `matrix_and_rows` has them."""
    return matrix_and_rows(sources, config, snapshots, keep=False)[0]


def matrix_and_rows(
    sources: Sources, config: Config, snapshots: Sequence[dt.date], *, keep: bool = True
) -> tuple[Matrix, NumberedRows | None]:
    """The features of every customer at each snapshot; and the rows that were divided for them, where any were.

    Parameters
    ----------
    sources
        The opened sources; nothing in them is newer than their as-of date.
    snapshots
        As-of dates, each seeing only what occurred and was known before it.
    keep
        Whether the rows are wanted.
    """
    tables = derived(sources.tables)
    plan = Plan.of(config, snapshots, tables, sources.attributes)
    shards = shards_for(sources.event_rows)
    customers = _customers(tables.get("customers"), shards)
    kinds = engine.kinds_of(customers, sources.attributes)
    people = [None] * shards if customers is None else by_shard(customers, shards)
    size = sources.event_rows // shards
    with (
        engine.scan(
            sources.connection,
            sources.tables,
            plan.stats,
            plan.axis,
            shards,
            everybody=sources.ids.table,
            grouped={
                MEMBERS: engine.Grouped(
                    lambda tables: members(tables, config, snapshots),
                    config.sources.base(config.churn.kind) if config.churn.kind == "non_contractual" else "",
                )
            },
            keep=keep,
            parts={role: part for role, part in sources.parts.items() if part.table is sources.tables[role]},
        ) as scan,
        ThreadPoolExecutor(config.model.threads) as pool,
    ):

        def frame(shard: int) -> pd.DataFrame:
            return plan.frame(scan.load(shard), people[shard], kinds)

        frames = list(progress(pool.map(frame, range(shards)), "features", shards, unit="events", size=size))
        rows = scan.rows()
    return Matrix(_joined(frames), plan.catalogue, plan.digest), rows


def _customers(customers: ir.Table | None, shards: int) -> pa.Table | None:
    """All of the customers source, with the shard of each; None without the source."""
    if customers is None:
        return None
    found = ibis.memtable(arrow(customers))
    return found.mutate(shard_=shard_of(found.customer_id, shards)).to_pyarrow()


def _joined(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """The rows of all frames by snapshot and customer."""
    if len(frames) == 1:
        return frames[0]
    columns = frames[0].columns
    numbers = [name for name in columns if frames[0][name].dtype == np.float32]
    others = pd.concat([frame.drop(columns=numbers) for frame in frames])
    keys = pa.table({key: pa.array(others[key]) for key in ("snapshot", "customer_id")})
    order = pc.sort_indices(keys, sort_keys=[(key, "ascending") for key in keys.column_names]).to_numpy()
    others = others.take(order).reset_index(drop=True)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    # Numbers go straight to their places: to put them together first and in order then takes twice the time and memory.
    values = np.empty((len(numbers), len(order)), np.float32)
    begin = 0
    for frame in frames:
        here = place[begin : begin + len(frame)]
        begin += len(frame)
        for row, name in zip(values, numbers, strict=True):
            row[here] = frame[name].to_numpy()
    whole = pd.DataFrame(values.T, columns=numbers, copy=False)
    for position, name in enumerate(columns):
        if name not in numbers:
            whole.insert(position, name, others[name])
    return whole


def training_snapshots(config: Config, sources: Sources, as_of: dt.date) -> list[dt.date]:
    """The mature snapshots to learn from, newest first.

    Raises
    ------
    HistoryError
        When the history is too short for one mature snapshot.
    """
    newest = newest_mature(as_of, config.churn.gap_days, config.churn.horizon_days)
    oldest = sources.first_day + dt.timedelta(days=config.snapshots.min_history_days)
    days = back_from(newest, config.snapshots.step_days, config.snapshots.max_count)
    mature = [day for day in days if day >= oldest]
    if not mature:
        raise HistoryError(
            f"history from {sources.first_day} to {as_of} is too short for one mature snapshot: it takes "
            f"{config.snapshots.min_history_days} days of history (snapshots.min_history_days) and "
            f"{config.churn.gap_days} + {config.churn.horizon_days} days of gap and horizon; "
            "lower one of them or bring more history"
        )
    return mature
