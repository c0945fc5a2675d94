"""Rows of the sources divided by their customer: files that wait in a folder, a shard of the customers each."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from ibis.backends.duckdb import Backend

from features.dialects import duckdb_hash
from pipeline.sources.databases import arrow
from pipeline.sources.parts import Part, Parts
from pipeline.sources.store import Entry

ROWS_A_SHARD = 2_000_000
_ROWS_AT_ONCE = 500_000

_Key = Callable[[Any], Any]


@dataclass(frozen=True)
class NumberedRows:
    """Rows of the sources as the features have read them: with numbers for customers, those of a shard side by side.

    Parameters
    ----------
    ids
        Shape (customers,): the id that each number stands for.
    tables
        Role to its rows, with the columns that the features read; `customer_id` is an int32 number. All other columns
        are mapped from files, which go with the tables.
    """

    ids: pa.ChunkedArray
    tables: Mapping[str, pa.Table]

    @classmethod
    def of(cls, people: Sequence[pa.Table], shards: Sequence[Mapping[str, pa.Table]]) -> NumberedRows:
        """Put the shards one after another, with one row of numbers through all of them.

        Parameters
        ----------
        people
            The customers of each shard.
        shards
            Role to the rows of each shard, numbered by the places of its customers.
        """
        begins = list(accumulate((len(part) for part in people), initial=0))
        tables = {
            role: pa.concat_tables(
                with_customers(rows[role], pc.add(rows[role]["customer_id"], pa.scalar(begin, pa.int32())))
                for begin, rows in zip(begins, shards, strict=False)
            )
            for role in shards[0]
        }
        return cls(pa.concat_tables(people)["customer_id"], tables)


def shards_for(rows: int) -> int:
    """A power of two of shards, so that each holds the partials of some million events.

    Examples
    --------
    >>> shards_for(1_000), shards_for(60_000_000)
    (1, 32)
    """
    return 1 << max(0, math.ceil(math.log2(max(rows, 1) / ROWS_A_SHARD)))


def shard_of(customer_id: Any, shards: int) -> Any:
    """The shard of a customer."""
    return duckdb_hash(customer_id) & (shards - 1)


def by_shard(rows: pa.Table, shards: int) -> list[pa.Table]:
    """The rows of each shard, told by their `shard_`."""
    of = rows["shard_"].to_numpy().astype(np.uint16)
    order = rows.drop_columns(["shard_"]).take(np.argsort(of, kind="stable"))
    ends = np.cumsum(np.bincount(of, minlength=shards))
    return [order.slice(begin, end - begin) for begin, end in zip([0, *ends], ends, strict=False)]


def keyed(everybody: ir.Table, shards: int) -> tuple[list[pa.Table], _Key]:
    """The customers of each shard with a key by which rows tell theirs; and how the key is made of an id.

    A hash is a quarter of an id to move, and half of it to group by. Where two ids share one, the id is the key.
    """
    ids = everybody.filter(everybody.customer_id.notnull()).select("customer_id")
    ids = ids.mutate(key=duckdb_hash(ids.customer_id), shard_=shard_of(ids.customer_id, shards))
    found = arrow(ids)
    different = pc.count_distinct(found["key"]).as_py() == found.num_rows
    if not different:
        found = found.set_column(found.schema.get_field_index("key"), "key", found["customer_id"])
    return by_shard(found, shards), duckdb_hash if different else lambda customer_id: customer_id


def numbered(rows: pa.Table, people: pa.Table) -> pa.Table:
    """Rows of a shard with numbers for customers, which are their places in `people`."""
    keys = people["key"].combine_chunks()
    return with_customers(rows, pc.index_in(rows["customer_id"], value_set=keys))


def with_customers(rows: pa.Table, customers: pa.ChunkedArray) -> pa.Table:
    """The rows with other values in `customer_id`."""
    return rows.set_column(rows.schema.get_field_index("customer_id"), "customer_id", customers)


def write_shards(
    connection: Backend, found: ir.Table, folder: Path, shards: int, key: _Key | None = None
) -> None:
    """Divide rows by the shard of their customer as they come, a file a shard; `key` makes what stands for ids."""
    folder.mkdir()
    # NumPy sorts 16 bits by their digits, several times as fast as 32.
    split = found.mutate(shard_=shard_of(found.customer_id, shards).cast("uint16"))
    if key is not None:
        split = split.mutate(customer_id=key(found.customer_id))
    with ExitStack() as stack, _in_any_order(connection):
        # Ibis 12 asks DuckDB 2 for a stream by a name that is gone.
        batches = connection.con.sql(connection.compile(split)).to_arrow_reader(_ROWS_AT_ONCE)
        schema = batches.schema.remove(batches.schema.get_field_index("shard_"))
        files = [
            stack.enter_context(pa.ipc.new_file(str(folder / f"{shard}.arrow"), schema))
            for shard in range(shards)
        ]
        for batch in batches:
            shard = batch.column("shard_").to_numpy()
            rows = batch.drop_columns(["shard_"]).take(np.argsort(shard, kind="stable"))
            end = np.cumsum(np.bincount(shard, minlength=shards))
            for number, file in enumerate(files):
                begin = end[number - 1] if number else 0
                file.write_batch(rows.slice(begin, end[number] - begin))


Divided = Sequence[Entry | Path]


def divide(
    connection: Backend, table: ir.Table, folder: Path, shards: int, key: _Key | None, parts: Parts | None
) -> Divided:
    """Divide rows as `write_shards` does; of files of which something is kept, the rows that are kept."""
    if parts is None:
        write_shards(connection, table, folder, shards, key)
        return [folder]
    told = json.dumps([table.columns, shards, key is duckdb_hash])
    name = f"rows-{hashlib.sha256(told.encode()).hexdigest()[:16]}"
    found: list[Entry | Path] = []
    for number, part in enumerate(parts.parts):
        place = folder.with_name(f"{folder.name}-{number}")

        def fresh(part: Part = part, place: Path = place) -> Iterator[pa.Table]:
            shutil.rmtree(place, ignore_errors=True)  # what could not be kept is divided once more
            write_shards(connection, parts.of(part, table), place, shards, key)
            return (read_shard([place], shard) for shard in range(shards))

        entry = part.kept(name, fresh)
        if entry is None:
            fresh()
        found.append(entry or place)
    return found


def read_shard(divided: Divided, shard: int, *, last: bool = True) -> pa.Table:
    """The rows of a shard, mapped from their files; those that are not kept go with the last table that reads them."""
    found = []
    for one in divided:
        if isinstance(one, Entry):
            found.append(one.table(shard))
            continue
        name = one / f"{shard}.arrow"
        with pa.memory_map(str(name)) as file:
            found.append(pa.ipc.open_file(file).read_all())
        if last:
            name.unlink()
    return pa.concat_tables(found)


@contextmanager
def _in_any_order(connection: Backend) -> Iterator[None]:
    """Rows as the threads come by them: none has to wait for another."""
    connection.con.execute("SET preserve_insertion_order = false")
    try:
        yield
    finally:
        connection.con.execute("SET preserve_insertion_order = true")
