"""Spark as the engine: the matrix computed on its workers, a piece of the customers each.

The statements are the same Ibis expressions as everywhere. The partial statistics of all roles are divided by
customer; each piece goes to a Python worker, which runs the same lines as one machine does
(`pipeline.dataset.plan`). No row of a customer comes to the driver.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial, reduce
from typing import Any

import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from configs.schema import Config
from features.definition import names_of
from features.panel import Stat
from features.partials import partials
from features.tables import derived
from pipeline.dataset.engine import kinds_of
from pipeline.dataset.extra import loaded
from pipeline.dataset.plan import MEMBERS, Plan, members
from pipeline.dataset.shards import shards_for

EVENTS_A_PIECE = 1_000_000
_WHOLE = ("count", "active_days", "bits")

Finish = Callable[[pd.DataFrame], pa.Table]
Names = tuple[list[str], list[str]]  # of the columns in whole numbers, and of the others


def frame(
    backend: Any,
    tables: Mapping[str, ir.Table],
    plan: Plan,
    rows: int,
    config: Config,
    finish: Finish,
    schema: str,
) -> Any:
    """A Spark DataFrame of what `finish` makes of the matrix of each piece of the customers.

    Parameters
    ----------
    tables
        The sources of the roles, without the derived ones.
    rows
        Number of events, from which the number of pieces follows.
    finish
        Run on a worker, on the frame of a piece.
    schema
        Names and types of the result, as Spark writes them.
    """
    from pyspark import cloudpickle
    from pyspark.sql import SparkSession

    for module in loaded():
        cloudpickle.register_pickle_by_value(module)  # the workers don't have the user's files
    session = SparkSession.active()
    every = derived(tables)
    pieces = config.engine.partitions or max(shards_for(rows), rows // EVENTS_A_PIECE, 2 * _cores(session))
    stats = {role: sorted(wanted) for role, wanted in plan.stats.items() if wanted}
    queries = {role: partials(every[role], role, wanted, plan.axis) for role, wanted in stats.items()}
    queries[MEMBERS] = members(tables, config, plan.snapshots).mutate(period=0)
    names = {role: _names(wanted) for role, wanted in stats.items()}
    names[MEMBERS] = (names_of(queries[MEMBERS].columns), [])
    parts = []
    for number, (role, query) in enumerate(queries.items()):
        found = session.sql(backend.compile(query))
        parts.append(_uniform(found, number, names[role], _widths(names.values()), pieces))
    events = reduce(lambda one, other: one.unionByName(other), parts)
    work = partial(_piece, plan, names, finish)
    grouped = events.groupBy("piece_")
    if "customers" not in every:
        # PySpark 4.3 looks for type hints, and fails on a partial.
        return grouped.applyInArrow(lambda table: work(None, table), schema)
    needed = [
        "customer_id",
        *({"started_at", "ended_at"} & set(every["customers"].columns)),
        *plan.attributes,
    ]
    people = session.sql(backend.compile(every["customers"].select(*needed)))
    people = people.withColumn("piece_", _piece_of(pieces))
    return grouped.cogroup(people.groupBy("piece_")).applyInArrow(partial(_both, work), schema)


def _cores(session: Any) -> int:
    return int(session.sparkContext.defaultParallelism)


def _piece_of(pieces: int) -> Any:
    from pyspark.sql import functions as sf

    return sf.pmod(sf.xxhash64("customer_id"), sf.lit(pieces))


def _names(wanted: Sequence[Stat]) -> Names:
    whole = [s.name for s in wanted if s.kind in _WHOLE]
    return whole, [s.name for s in wanted if s.kind not in _WHOLE]


def _widths(names: Collection[Names]) -> tuple[int, int]:
    """How many whole-number and how many other columns the widest roles have."""
    return max(len(whole) for whole, _ in names), max(len(rest) for _, rest in names)


def _uniform(query: Any, number: int, names: Names, widths: tuple[int, int], pieces: int) -> Any:
    """The partials of a role in the columns that all roles share: `w0`, `w1`, ... and `f0`, `f1`, ..."""
    from pyspark.sql import functions as sf

    columns = [
        (sf.col(own[i]) if i < len(own) else sf.lit(None)).cast(kind).alias(f"{letter}{i}")
        for own, letter, kind, width in zip(names, "wf", ("bigint", "double"), widths, strict=True)
        for i in range(width)
    ]
    known = sf.col("known" if "known" in query.columns else "period").cast("int").alias("known")
    role = sf.lit(number).cast("int").alias("role_")
    piece = _piece_of(pieces).alias("piece_")
    return query.select(piece, role, "customer_id", "period", known, *columns)


def _both(work: Callable[[Any, pa.Table], pa.Table], events: pa.Table, customers: pa.Table) -> pa.Table:
    return work(customers.drop_columns(["piece_"]), events)


def _piece(
    plan: Plan, names: Mapping[str, Names], finish: Finish, customers: Any, events: pa.Table
) -> pa.Table:
    """On a worker: the partials of one piece of the customers -> its rows."""
    reduced = {}
    for number, (role, own_names) in enumerate(names.items()):
        own = events.filter(pc.equal(events["role_"], number))
        columns = {
            name: own[f"{letter}{i}"]
            for group, letter in zip(own_names, "wf", strict=True)
            for i, name in enumerate(group)
        }
        keys = {name: own[name] for name in ("customer_id", "period", "known")}
        reduced[role] = pa.table({**keys, **columns}).combine_chunks()
    return finish(plan.frame(reduced, customers, kinds_of(customers, plan.attributes)))
