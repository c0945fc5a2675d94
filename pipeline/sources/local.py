"""The sources on one engine, for the tables that join them: rates, cohorts, surveys, the contact log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from configs.roles import ROLES
from features.dialects import engine_of, epoch
from pipeline.sources.databases import arrow

QUARTER_HOUR = 900


class LocalTables(Mapping[str, ir.Table]):
    """Role to table, each brought here when it is first asked for.

    Tables of the local DuckDB stay as they are, and so do Spark's: those are joined on the cluster. Of databases
    the customers, the feedback and the contacts come row by row; roles with many rows, such as purchases, are first
    reduced there to customer and quarter of an hour, on which the edges of every period in every time zone lie:
    `occurred_at` is the first of that quarter, sums stand on its first row, and there are as many rows as there were
    events.
    """

    def __init__(self, connection: Backend, tables: Mapping[str, ir.Table]) -> None:
        self._connection = connection
        self._tables = tables
        self._here: dict[str, ir.Table] = {}

    def __getitem__(self, role: str) -> ir.Table:
        """The table of a role; other engines are asked once."""
        if role not in self._here:
            table = self._tables[role]
            stays = table.get_backend() is self._connection or engine_of(table) == "pyspark"
            self._here[role] = table if stays else self._bring(role, table)
        return self._here[role]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def _bring(self, role: str, table: ir.Table) -> ir.Table:
        many = ROLES[role].many
        sums = [name for name in table.columns if ROLES[role].column(name).adds_up]
        query = _by_customer(table, sums) if many else table
        here = self._connection.create_table(f"{role}_here", arrow(query), temp=True)
        return expanded(here, sums) if many else here


def _by_customer(events: ir.Table, sums: Sequence[str]) -> ir.Table:
    """Events by customer and quarter of an hour: the first times, the sums, and the number of them as `rows_`."""
    engine = engine_of(events)
    times = [name for name in ("occurred_at", "known_at") if name in events.columns]
    quarters = {f"{name}_q": (epoch(events[name], engine) // QUARTER_HOUR).cast("int64") for name in times}
    marked = events.mutate(**quarters)
    found: dict[str, Any] = {name: marked[name].min() for name in times}
    found |= {name: marked[name].sum() for name in sums}
    return marked.group_by("customer_id", *quarters).agg(**found, rows_=marked.count()).drop(*quarters)


def expanded(here: ir.Table, sums: Sequence[str]) -> ir.Table:
    """As many rows as there were events; sums stand on the first of them.

    Examples
    --------
    >>> table = ibis.memtable({"customer_id": ["1"], "amount": [5.0], "rows_": [2]})
    >>> expanded(table, ["amount"]).order_by(ibis.desc("amount")).to_pyarrow().to_pylist()
    [{'customer_id': '1', 'amount': 5.0}, {'customer_id': '1', 'amount': 0.0}]
    """
    rows = here.mutate(place_=ibis.range(here.rows_).unnest())
    first = {name: ibis.ifelse(rows.place_ == 0, rows[name], 0.0) for name in sums}
    return rows.mutate(**first).drop("place_", "rows_")
