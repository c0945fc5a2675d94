"""What each customer paid in each period, and in the one before: what revenue retention is made of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from configs.arrays import Bools, Floats, Ints
from configs.schema import Churn
from features.definition import edge_index
from pipeline.retention.definition.at_hand import AtHand
from pipeline.retention.definition.movements import memberships
from pipeline.retention.definition.purchases import rows_at_hand
from pipeline.sources.databases import arrow

_MOST_CELLS = 32_000_000  # of periods and customers
_ROWS_A_TABLE = 1_000_000  # small periods stand in one table: each is a query of its own


def paid_by_period(
    tables: Mapping[str, ir.Table], edges: Sequence[dt.datetime], churn: Churn | None
) -> Iterator[ir.Table]:
    """What each customer paid in each of the periods between the edges but the first, in one table or several.

    Parameters
    ----------
    tables
        With `transactions`, and perhaps `cancellations`.
    edges
        Ascending naive UTC times.
    churn
        What churn means here; of tables at hand it saves a look for the first purchases.

    Returns
    -------
    Iterator of Table
        One row a customer and period in which, or before which, the customer paid or got back something:
        `customer_id`, `number` of the period, counted from 0; `now`, what was paid less what was given `back`;
        `again`, what was paid after the customer's first purchase; `bought` and `bought_again`, whether there was such
        a purchase; `before`, what `now` was in the period before.

    Examples
    --------
    >>> days = [dt.datetime(2024, month, 1) for month in (1, 2, 3)]
    >>> bought = ibis.memtable({"customer_id": ["a", "a"], "occurred_at": days[:2], "amount": [5.0, 7.0]})
    >>> (found,) = paid_by_period({"transactions": bought}, days, None)
    >>> found.select("number", "now", "before", "again").to_pyarrow().to_pylist()
    [{'number': 1, 'now': 7.0, 'before': 5.0, 'again': 7.0}]
    """
    if isinstance(tables, AtHand) and tables.customers * len(edges) <= _MOST_CELLS:
        return _added_here(tables, edges, churn)
    return iter([_added_there(tables, edges)])


def _added_here(tables: AtHand, edges: Sequence[dt.datetime], churn: Churn | None) -> Iterator[ir.Table]:
    """Tables of whole periods, of the arrays with a cell for each period of each customer."""
    cells, there = _cells(tables, edges, churn)
    last = len(there) - 1
    waiting: list[pa.Table] = []
    for k in range(1, last + 1):
        who = np.flatnonzero(there[k] | there[k - 1])
        found = {name: values[k][who] for name, values in cells.items()}
        found |= {"before": cells["now"][k - 1][who]}
        keys = {"customer_id": who.astype(np.int32), "number": np.full(len(who), k)}
        waiting.append(pa.table(keys | found))
        if k == last or sum(map(len, waiting)) >= _ROWS_A_TABLE:
            yield ibis.memtable(pa.concat_tables(waiting))
            waiting = []


def _cells(
    tables: AtHand, edges: Sequence[dt.datetime], churn: Churn | None
) -> tuple[dict[str, NDArray[Any]], Bools]:
    """What was paid, shape (periods, customers) each, and whether anything was."""
    shape = len(edges) - 1, tables.customers
    begin, *ends = np.array(edges, "datetime64[us]").astype(np.int64)

    def rows(role: str) -> Iterator[tuple[Ints, Ints, Ints, Floats]]:
        """Some rows of the periods after others: the cell of each, and what the row says."""
        table = tables[role]
        inside = (table.occurred_at >= ibis.literal(edges[0])) & (table.occurred_at < ibis.literal(edges[-1]))
        for number, at, amount in rows_at_hand(table.filter(inside)):
            yield np.searchsorted(ends, at, side="right") * tables.customers + number, number, at, amount

    now, first_paid, back = (np.zeros(shape[0] * shape[1]) for _ in range(3))
    bought, bought_again, given = (np.zeros(shape[0] * shape[1], bool) for _ in range(3))
    first_at = _first_at(tables, churn).astype(np.int64)
    recent = first_at >= begin  # of all others each purchase of the periods is a further one
    for cell, number, at, amount in rows("transactions"):
        np.add.at(now, cell, amount)
        bought[cell] = True
        new = np.flatnonzero(recent[number])
        first = at[new] <= first_at[number[new]]
        np.add.at(first_paid, cell[new[first]], amount[new[first]])
        bought_again[cell[new[~first]]] = True
    if "cancellations" in tables and "amount" in tables["cancellations"].columns:
        for cell, _, _, amount in rows("cancellations"):
            np.add.at(back, cell, amount)
            given[cell] = True
    found = {
        "now": now - back,
        "again": now - first_paid,
        "back": back,
        "bought": bought,
        "bought_again": bought_again | (bought.reshape(shape) & ~recent).reshape(-1),
    }
    return {name: values.reshape(shape) for name, values in found.items()}, (bought | given).reshape(shape)


def _first_at(tables: AtHand, churn: Churn | None) -> np.ndarray:
    """Shape (customers,): the time of the first purchase; that of 1970 of customers without any."""
    if churn is not None and churn.kind == "non_contractual":
        firsts = memberships(tables, churn, tables.times)
    else:
        bought = tables["transactions"]
        firsts = bought.group_by("customer_id").aggregate(first_at=bought.occurred_at.min())
    known = arrow(firsts.select("customer_id", "first_at"))
    found = np.zeros(tables.customers, "datetime64[us]")
    found[known["customer_id"].to_numpy()] = known["first_at"].to_numpy()
    return found


def _added_there(tables: Mapping[str, ir.Table], edges: Sequence[dt.datetime]) -> ir.Table:
    """The rows of all periods, added up where the tables are."""
    bought = tables["transactions"]
    first = bought.group_by("customer_id").aggregate(first_at=bought.occurred_at.min())
    placed = _placed(bought, edges).inner_join(first, "customer_id")
    again = placed.occurred_at > placed.first_at
    paid = placed.group_by("customer_id", "number").aggregate(
        now=placed.amount.sum().fill_null(0.0),
        again=placed.amount.sum(where=again).fill_null(0.0),
        back=ibis.literal(0.0),
        bought=ibis.literal(1, "int64"),
        bought_again=ibis.ifelse(again.any(), 1, 0).cast("int64"),
    )
    if "cancellations" in tables and "amount" in tables["cancellations"].columns:
        paid = _less(paid, _placed(tables["cancellations"], edges))
    each = _beside_the_one_before(paid)
    return each.filter((each.number >= 1) & (each.number < len(edges) - 1))


def _placed(rows: ir.Table, edges: Sequence[dt.datetime]) -> ir.Table:
    """Rows of the periods, with the number of theirs."""
    found = rows.select("customer_id", "occurred_at", "amount", place=edge_index(rows.occurred_at, edges))
    found = found.filter((found.place >= 1) & (found.place < len(edges)))
    return found.mutate(number=(found.place - 1).cast("int64"))


def _less(paid: ir.Table, given: ir.Table) -> ir.Table:
    """What each customer paid in each period, less what was given back in it."""
    given = given.group_by("customer_id", "number").aggregate(back=given.amount.sum().fill_null(0.0))
    none = {"again": 0.0, "bought": ibis.literal(0, "int64"), "bought_again": ibis.literal(0, "int64")}
    both = paid.union(given.mutate(now=-given.back, **none).select(*paid.columns))
    sums = ("now", "again", "back", "bought", "bought_again")
    return both.group_by("customer_id", "number").aggregate(**{name: both[name].sum() for name in sums})


def _beside_the_one_before(paid: ir.Table) -> ir.Table:
    """Each customer's sums of a period beside those of the period before."""
    earlier = paid.select("customer_id", number=paid.number + 1, before=paid.now)
    both = paid.outer_join(earlier, ["customer_id", "number"])
    own = ("now", "again", "back", "bought", "bought_again", "before")
    return both.select(
        customer_id=ibis.coalesce(both.customer_id, both.customer_id_right),
        number=ibis.coalesce(both.number, both.number_right),
        **{name: both[name].fill_null(0) for name in own},
    )
