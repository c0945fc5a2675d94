"""Run each source's group-by where the data live, and bring back the partial statistics."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from ibis.backends.duckdb import Backend
from numpy.typing import NDArray

from features.grid import Grid
from features.matrix import People
from features.panel import WHOLE, Panel, Stat
from features.partials import moments, partials
from features.reduction import reduced
from features.snapshots import TimeAxis
from features.tables import columns_read, derived
from pipeline.dataset.shards import Divided, NumberedRows, divide, keyed, numbered, read_shard, with_customers
from pipeline.progress import progress
from pipeline.sources.databases import arrow, brought_here
from pipeline.sources.drivers import asking
from pipeline.sources.parts import Parts

_shard_name = "{}_shard".format


@dataclass(frozen=True)
class Grouped:
    """A table with one row a customer, made of the sources' tables; and the role of whose rows it can be made alone."""

    of: Callable[[Mapping[str, ir.Table]], ir.Table]
    role: str


@dataclass(frozen=True)
class Scan:
    """The partial statistics of every source, in one or more shards of customers.

    A customer is in the same shard of every source, so that a matrix can be built shard by shard in bounded memory.
    Each shard is loaded once; several threads may load shards at a time. Once all are loaded, `rows` gives the rows
    that were divided; None where none were, or nobody keeps them.
    """

    shards: int
    load: Callable[[int], dict[str, pa.Table]]
    rows: Callable[[], NumberedRows | None] = lambda: None


@contextmanager
def scan(
    connection: Backend,
    tables: Mapping[str, ir.Table],
    stats: Mapping[str, Collection[Stat]],
    axis: TimeAxis,
    shards: int = 1,
    *,
    everybody: ir.Table,
    grouped: Mapping[str, Grouped],
    keep: bool = False,
    parts: Mapping[str, Parts] = {},
) -> Iterator[Scan]:
    """Run one group-by for each source that has statistics to compute.

    With several shards the rows wait in a temporary folder, divided by a hash of the customer, and are grouped shard by
    shard: a group-by of all customers at once would not stay within DuckDB's memory. Of another engine's table
    the partials wait there; that engine groups.

    Parameters
    ----------
    tables
        The sources of the roles, without the derived ones.
    everybody
        The ids of all customers of the roles, each once.
    grouped
        More tables by name, which have one row a customer.
    keep
        Whether the divided rows are read once more, after all shards.
    parts
        Role to the parts of its files, where something is kept of them.
    """
    every = derived(tables)
    wanted = {role: columns for role, columns in stats.items() if columns}
    here = [role for role in wanted if every[role].get_backend() is connection]
    if shards == 1:
        queries = {
            role: (moments if role in here else partials)(every[role], role, wanted[role], axis)
            for role in wanted
        }
        queries |= {name: more.of(tables) for name, more in grouped.items()}
        found = {name: arrow(table).combine_chunks() for name, table in queries.items()}
        yield Scan(1, lambda _: found)
        return
    # Derived roles are made of the divided rows, and so is what is grouped by customer.
    rows = {role: tables[role].select(*read) for role, read in columns_read(tables, here, wanted).items()}
    away = {role: partials(every[role], role, wanted[role], axis) for role in wanted if role not in here}
    away |= {name: more.of(tables) for name, more in grouped.items() if more.role not in rows}
    people, key = keyed(everybody, shards) if rows else ([], None)
    kept: dict[int, dict[str, pa.Table]] = {}
    places: dict[str, Divided] = {}

    def queries_of(divided: Mapping[str, ir.Table]) -> dict[str, ir.Table]:
        made = derived(divided)
        asked = {role: moments(made[role], role, wanted[role], axis) for role in here}
        return asked | {name: more.of(divided) for name, more in grouped.items() if more.role in rows}

    with tempfile.TemporaryDirectory(prefix="churn-") as name:
        folder = Path(name)
        for role, table in progress([*rows.items(), *away.items()], "read sources", len(rows) + len(away)):
            file = folder / f"{role}.parquet"
            found_here = brought_here(connection, table, file)
            own = key if role in rows else None
            places[role] = divide(connection, found_here, folder / role, shards, own, parts.get(role))
            file.unlink(missing_ok=True)
        first = {role: numbered(read_shard(places[role], 0, last=False), people[0]) for role in rows}
        texts = _compiled(connection, first, queries_of) if rows else {}

        def load(shard: int) -> dict[str, pa.Table]:
            found = {role: read_shard(places[role], shard).combine_chunks() for role in away}
            if not rows:
                return found
            # Mapped a second time: what the features have read of a file counts as memory until its table goes.
            again = {role: read_shard(places[role], shard, last=False) for role in rows if keep}
            read = {role: numbered(read_shard(places[role], shard), people[shard]) for role in rows}
            kept[shard] = {
                role: with_customers(table, read[role]["customer_id"]) for role, table in again.items()
            }
            return found | _rows(connection, read, people[shard], texts)

        def divided() -> NumberedRows | None:
            return NumberedRows.of(people, [kept[n] for n in range(shards)]) if rows and keep else None

        with _one_thread_each(connection):
            yield Scan(shards, load, divided)


def _compiled(
    connection: Backend,
    divided: Mapping[str, pa.Table],
    queries: Callable[[Mapping[str, ir.Table]], Mapping[str, ir.Table]],
) -> dict[str, str]:
    """The queries over the tables of a shard, which are all named alike: written once for all."""
    with _registered(connection.con, divided):
        asked = queries({role: connection.table(_shard_name(role)) for role in divided})
        return {name: str(connection.compile(query)) for name, query in asked.items()}


def _rows(
    connection: Backend, divided: Mapping[str, pa.Table], people: pa.Table, queries: Mapping[str, str]
) -> dict[str, pa.Table]:
    """The results of the queries of a shard."""
    ids = people["customer_id"].combine_chunks()
    found = {}
    with connection.con.cursor() as own, _registered(own, divided), asking():
        for role, query in queries.items():
            table = own.sql(query).to_arrow_table().combine_chunks()
            names = pa.DictionaryArray.from_arrays(table["customer_id"].combine_chunks(), ids)
            found[role] = table.set_column(table.schema.get_field_index("customer_id"), "customer_id", names)
    return found


@contextmanager
def _one_thread_each(connection: Backend) -> Iterator[None]:
    """One thread for a query: shards side by side leave the cores less to merge than threads within a shard."""
    ((threads,),) = connection.con.sql("SELECT current_setting('threads')").fetchall()
    connection.con.execute("SET threads = 1")
    try:
        yield
    finally:
        connection.con.execute("SET threads = $threads", {"threads": threads})


@contextmanager
def _registered(connection: Any, tables: Mapping[str, pa.Table]) -> Iterator[None]:
    """Arrow tables under a name in DuckDB, which reads them where they are."""
    try:
        for role, table in tables.items():
            connection.register(_shard_name(role), table)
        yield
    finally:
        for role in tables:
            connection.unregister(_shard_name(role))


def different_ids(*columns: pa.ChunkedArray) -> pa.Array:
    """The different ids of the columns, ascending, without nulls."""
    chunks = [pc.unique(chunk).cast(pa.string()) for column in columns for chunk in column.chunks]
    found = pc.unique(pa.chunked_array(chunks, pa.string())).drop_null()
    return found.take(pc.sort_indices(found))


def panel_of(found: pa.Table, ids: pa.Array, stats: Collection[Stat], axis: TimeAxis) -> Panel | Grid:
    """The panel of one source, of its rows or their partials, for the customers `ids`; anybody else is left out."""
    named = found["customer_id"].combine_chunks()
    if not pa.types.is_dictionary(named.type):
        named = named.dictionary_encode()
    number = pc.index_in(named.dictionary, value_set=ids).fill_null(-1).to_numpy().astype(np.int64)
    numbers = number[named.indices.to_numpy()]
    if "at_" in found.column_names:
        return reduced(found, numbers, len(ids), stats, axis)
    period = found["period"].to_numpy()
    return Panel.of(
        axis,
        len(ids),
        numbers,
        period,
        found["known"].to_numpy() if "known" in found.column_names else period,
        {stat: _values(stat, found[stat.name]) for stat in stats},
    )


def _values(stat: Stat, column: pa.ChunkedArray) -> NDArray[Any]:
    if stat.kind in WHOLE:
        return pc.cast(column.fill_null(0), pa.int64()).to_numpy()
    return pc.cast(column, pa.float64()).to_numpy(zero_copy_only=False)


def people_of(customers: pa.Table | None, kinds: Mapping[str, Any], ids: pa.Array) -> People:
    """What the customers source tells of the customers `ids`, who need not be in it.

    Parameters
    ----------
    kinds
        The attributes, each with its type; see `kinds_of`.
    """
    if customers is None:
        unknown = np.full(len(ids), np.nan)
        return People(ids, unknown, unknown, {})
    found = customers.take(pc.index_in(ids, value_set=customers["customer_id"].combine_chunks()))
    return People(
        ids,
        _seconds(found, "started_at"),
        _seconds(found, "ended_at"),
        {name: found[name].to_pandas().astype(kind) for name, kind in kinds.items()},
    )


def _seconds(found: pa.Table, name: str) -> NDArray[np.float64]:
    if name not in found.column_names:
        return np.full(found.num_rows, np.nan)
    whole = pc.cast(pc.cast(found[name], pa.timestamp("us")), pa.int64())
    return pc.divide(pc.cast(whole, pa.float64()), 1e6).to_numpy(zero_copy_only=False)


def kinds_of(customers: pa.Table | None, attributes: Collection[str]) -> dict[str, Any]:
    """The type of each attribute: float32 of a number, a category with all the levels that there are of a text."""
    if customers is None:
        return {}
    return {name: _kind(customers[name]) for name in attributes}


def _kind(column: pa.ChunkedArray) -> Any:
    if pa.types.is_floating(column.type):
        return np.dtype(np.float32)
    return pd.CategoricalDtype(sorted(pc.unique(column).drop_null().to_pylist()))
