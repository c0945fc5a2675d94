"""The tables that figures are made of: as they are, or at hand for a night that reads them a dozen times."""

from __future__ import annotations

import datetime as dt
import weakref
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from configs.roles import ROLES
from features.dialects import engine_of
from pipeline.dataset.shards import NumberedRows
from pipeline.sources.databases import arrow
from pipeline.sources.ids import Ids
from pipeline.sources.opening import Sources

Reads = Mapping[str, frozenset[str]]  # role -> columns
T = TypeVar("T")

# The customers with their attributes, and when somebody bought or had a contract: a table need not declare these.
ALWAYS: Reads = {
    "customers": frozenset(),
    "contracts": frozenset({"customer_id", "started_at", "ended_at", "end_reason", "paid_at", "grace_days"}),
    "transactions": frozenset({"customer_id", "occurred_at", "known_at"}),
}


def all_reads(*reads: Reads) -> dict[str, frozenset[str]]:
    """What some tables read together.

    Examples
    --------
    >>> found = all_reads({"feedback": frozenset({"score"})}, {"feedback": frozenset({"kind"})})
    >>> sorted(found["feedback"])
    ['kind', 'score']
    """
    return {
        role: frozenset().union(*(read.get(role, ()) for read in reads)) for read in reads for role in read
    }


class Seen(Mapping[str, ir.Table]):
    """The tables of some sources, with the columns that are declared to be read, and no others.

    A command and a night both look through this: a table that reads a column without declaring it fails in both.
    Of the customers it shows their own columns and the attributes; names and addresses are not among them.
    """

    def __init__(self, sources: Sources, reads: Reads) -> None:
        self._local = sources.local
        # Feedback without scores answers none of the questions that the tables ask of it.
        unscored = "feedback" in sources.tables and "score" not in sources.tables["feedback"].columns
        declared = all_reads(ALWAYS, reads)
        self._reads = {role: names for role, names in declared.items() if role != "feedback" or not unscored}
        self.look = sources.look
        self._people = {*ROLES["customers"].columns, "known_at", *sources.attributes}

    def __getitem__(self, role: str) -> ir.Table:
        """The declared columns of a role."""
        if role not in self._reads:
            raise KeyError(role)
        table = self._local[role]
        shown = self._people if role == "customers" else self._reads[role]
        return table.select(*(name for name in table.columns if name in shown))

    def __iter__(self) -> Iterator[str]:
        return (role for role in self._local if role in self._reads)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class AtHand(dict[str, ir.Table]):
    """Role to table of the local DuckDB, with numbers for customers, and what was made of them.

    Parameters
    ----------
    times
        Ascending; the times at which somebody will ask who is a customer. They are answered at once.
    numbers
        `customer_id` as the sources have it, and its `number`.
    """

    def __init__(
        self, tables: Mapping[str, ir.Table], times: Sequence[dt.datetime], numbers: ir.Table
    ) -> None:
        super().__init__(tables)
        self.times = tuple(times)
        self._numbers = numbers
        self._made: list[ir.Table] = []
        self._once: dict[Any, Any] = {}

    def made(self, query: ir.Table) -> ir.Table:
        """The rows of a query, which runs once however often it is asked for."""
        found = query.cache()
        self._made.append(found)
        return found

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What was made under a key, which happens once however often it is asked for."""
        if key not in self._once:
            self._once[key] = make()
        found: T = self._once[key]
        return found

    @cached_property
    def customers(self) -> int:
        """All numbers are below it."""
        return int(arrow(self._numbers.number.max().as_table()).column(0)[0].as_py() or 0) + 1

    def with_own_ids(self, customers: ir.Table) -> ir.Table:
        """The ids, as the sources have them, of the numbers in `customer_id`."""
        named = customers.inner_join(self._numbers, customers.customer_id == self._numbers.number)
        return named.select(customer_id=named.customer_id_right)


def at_hand(
    tables: Mapping[str, ir.Table],
    times: Sequence[dt.datetime],
    ids: Ids | None = None,
    rows: NumberedRows | None = None,
) -> Mapping[str, ir.Table]:
    """The tables, copied to the local DuckDB with a number for each customer; on a cluster as they are.

    Grouping by a number in memory takes half as long as by a text in a file. A table without the column
    `customer_id`, of which events are counted and no customers, stays where it is.

    Parameters
    ----------
    times
        See `AtHand`.
    ids
        The customers of the sources that the tables are of, where they are known already.
    rows
        Rows of the same sources that have numbers already; what they have of a table is not copied again.
    """
    needed = {role: table for role, table in tables.items() if "customer_id" in table.columns}
    if any(engine_of(table) == "pyspark" for table in needed.values()):
        return tables
    # Of contacts only those with a customer of the others count.
    parts = {role: table.select("customer_id") for role, table in needed.items() if role != "contacts"}
    if ids is not None:
        everybody = ids.of_any(list(parts))
    else:
        one, *others = parts.values()
        everybody = ibis.union(one, *others, distinct=True) if others else one.distinct()
    numbers = _numbers(everybody, rows).cache()
    found = {role: table for role, table in tables.items() if role not in needed}
    here = {} if rows is None else {role: rows.tables[role] for role in needed.keys() & rows.tables.keys()}
    here = {
        role: table for role, table in here.items() if set(needed[role].columns) <= set(table.column_names)
    }
    for role, table in needed.items():
        if role not in here:
            numbered = table.inner_join(numbers, "customer_id")
            rest = [numbered[c] for c in table.columns if c != "customer_id"]
            found[role] = numbered.select(numbered.number.name("customer_id"), *rest).cache()
    near = AtHand(found, times, numbers)
    backend = numbers.get_backend()
    for role, table in here.items():
        name = f"{role}_numbered"
        backend.con.register(name, table)
        weakref.finalize(near, backend.con.unregister, name).atexit = False
        seen = backend.table(name).select(*needed[role].columns)
        near[role] = (
            seen.semi_join(numbers, seen.customer_id == numbers.number) if role == "contacts" else seen
        )
    return near


def _numbers(everybody: ir.Table, rows: NumberedRows | None) -> ir.Table:
    """The ids with a `number` each: any, or that of the rows."""
    if rows is None:
        return everybody.mutate(number=ibis.row_number().cast("int32"))
    number = pa.array(np.arange(len(rows.ids), dtype=np.int32))
    every = ibis.memtable(pa.table({"customer_id": rows.ids, "number": number}))
    return everybody.inner_join(every, "customer_id")
