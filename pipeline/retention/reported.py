"""The tables that figures are made of: as they are, or at hand for a night that reads them a dozen times."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

import ibis
import ibis.expr.types as ir

from configs.roles import ROLES
from features.dialects import engine_of
from pipeline.sources.opening import Sources

# What the tables of a night read of a source, beside the customer.
READ: Mapping[str, frozenset[str]] = {
    "transactions": frozenset({"occurred_at", "known_at", "amount"}),
    "feedback": frozenset({"occurred_at", "known_at", "score", "kind"}),
    "contacts": frozenset({"occurred_at", "known_at"}),
}


class _Reported(Mapping[str, ir.Table]):
    """The local tables, with only those columns of the customers that are their own or an attribute."""

    def __init__(self, sources: Sources) -> None:
        self._local = sources.local
        self._shown = {*ROLES["customers"].columns, "known_at", *sources.attributes}

    def __getitem__(self, role: str) -> ir.Table:
        table = self._local[role]
        if role != "customers":
            return table
        return table.select(*(name for name in table.columns if name in self._shown))

    def __iter__(self) -> Iterator[str]:
        return iter(self._local)

    def __len__(self) -> int:
        return len(self._local)


class AtHand(dict[str, ir.Table]):
    """Role to table of the local DuckDB, with numbers for customers, and what was made of them.

    Parameters
    ----------
    times
        Ascending; the times at which somebody will ask who is a customer. They are answered at once.
    """

    def __init__(self, tables: Mapping[str, ir.Table], times: Sequence[dt.datetime]) -> None:
        super().__init__(tables)
        self.times = tuple(times)
        self._made: list[ir.Table] = []

    def made(self, query: ir.Table) -> ir.Table:
        """The rows of a query, which runs once however often it is asked for."""
        found = query.cache()
        self._made.append(found)
        return found


def reported(sources: Sources) -> Mapping[str, ir.Table]:
    """The tables that figures are made of: names and addresses of the customers are not among them."""
    return _Reported(sources)


def at_hand(tables: Mapping[str, ir.Table], times: Sequence[dt.datetime]) -> Mapping[str, ir.Table]:
    """Reported tables, copied to the local DuckDB with a number for each customer; on a cluster as they are.

    Grouping by a number in memory takes half as long as by a text in a file. Usage, of which events are counted and no
    customers, stays where it is.

    Parameters
    ----------
    times
        See `AtHand`.
    """
    needed = {
        role: table
        if role == "customers"
        else table.select("customer_id", *(c for c in table.columns if c in READ[role]))
        for role, table in tables.items()
        if role == "customers" or role in READ
    }
    if any(engine_of(table) == "pyspark" for table in needed.values()):
        return tables
    # Of contacts only those with a customer of the others count.
    ids = [table.select("customer_id") for role, table in needed.items() if role != "contacts"]
    everybody = ibis.union(*ids, distinct=True) if len(ids) > 1 else ids[0].distinct()
    numbers = everybody.mutate(number=ibis.row_number().cast("int32")).cache()
    found = {}
    for role, table in needed.items():
        numbered = table.inner_join(numbers, "customer_id")
        rest = [numbered[c] for c in table.columns if c != "customer_id"]
        found[role] = numbered.select(numbered.number.name("customer_id"), *rest).cache()
    if "usage" in tables:
        found["usage"] = tables["usage"]
    return AtHand(found, times)
