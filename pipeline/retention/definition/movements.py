"""What a period made of each customer: kept, lost, new or returned; and how many there were of each."""

from __future__ import annotations

import datetime as dt
import operator
from collections.abc import Mapping, Sequence
from functools import reduce

import ibis
import ibis.expr.types as ir
import pandas as pd

from configs.schema import Churn
from features.definition import EXCUSED, WORD, WORD_BITS, bit_set, customers, edge_index, names_of
from pipeline.retention.definition.at_hand import AtHand
from pipeline.retention.definition.purchases import purchases_at_hand
from pipeline.retention.definition.segments import with_segment

COUNTS = ("S", "E", "kept", "lost", "not_churn", "new", "returned", "came_and_went")


def memberships(tables: Mapping[str, ir.Table], churn: Churn, edges: Sequence[dt.datetime]) -> ir.Table:
    """`features.definition.customers` at some edges; what is at hand is asked once for all times."""
    if isinstance(tables, AtHand) and set(edges) <= set(tables.times):
        here = purchases_at_hand(tables, churn) if churn.kind == "non_contractual" else None
        every = tables.made(customers(tables, churn, tables.times)) if here is None else here.members
        return _narrowed(every, tables.times, edges)
    return customers(tables, churn, edges)


def _narrowed(members: ir.Table, times: Sequence[dt.datetime], edges: Sequence[dt.datetime]) -> ir.Table:
    """The memberships at some of the times at which they are known."""
    places = [times.index(edge) for edge in edges]
    found: dict[str, ir.IntegerValue] = {}
    for name in (WORD, EXCUSED):
        if names_of(members.columns, name):
            found |= _chosen(members, places, name)
    return members.select("customer_id", "first_at", first_index=edge_index(members.first_at, edges), **found)


def _chosen(members: ir.Table, places: Sequence[int], name: str) -> dict[str, ir.IntegerValue]:
    """The bits at some places, in words of their own."""
    found = {}
    for number, first in enumerate(range(0, len(places), WORD_BITS)):
        bits = [
            ibis.ifelse(bit_set(members, place, name), 1 << i, 0)
            for i, place in enumerate(places[first : first + WORD_BITS])
        ]
        found[f"{name}_{number}"] = reduce(operator.or_, bits).cast("int64")
    return found


def movements(
    members: ir.Table, i: int | ir.IntegerValue, j: int | ir.IntegerValue
) -> dict[str, ir.BooleanValue]:
    """What each customer did between edge `i` and a later edge `j`, numbers or columns of numbers.

    `kept`, `lost`, `new`, `returned` (an earlier customer who was none at the start) and `came_and_went` exclude each
    other; `not_churn` are those of the lost who left for a reason that does not count.
    """
    at_start, at_end = bit_set(members, i), bit_set(members, j)
    fresh = (members.first_index > i) & (members.first_index <= j)
    excused = bit_set(members, j, EXCUSED) if names_of(members.columns, EXCUSED) else ibis.literal(False)
    return {
        "kept": at_start & at_end,
        "lost": at_start & ~at_end,
        "not_churn": at_start & ~at_end & excused,
        "new": at_end & fresh,
        "returned": at_end & ~at_start & ~fresh,
        "came_and_went": ~at_end & fresh,
    }


def statuses(tables: Mapping[str, ir.Table], churn: Churn, start: dt.datetime, end: dt.datetime) -> ir.Table:
    """What the period `[start, end)` made of each customer.

    Returns
    -------
    Table
        `customer_id`, `first_at` and `status`, exactly one of `kept`, `lost`, `not_churn` (left for a reason
        that does not count), `new` and `returned` (an earlier customer who was none at the start). Others
        have no row.
    """
    members = memberships(tables, churn, [start, end])
    found = movements(members, 0, 1)
    order = ("not_churn", "kept", "lost", "new", "returned")
    status = ibis.cases(*((found[name], name) for name in order))
    labelled = members.select("customer_id", "first_at", status=status)
    return labelled.filter(labelled.status.notnull())


def count_movements(
    tables: Mapping[str, ir.Table],
    churn: Churn,
    spans: Sequence[tuple[dt.datetime, dt.datetime]],
    segment: str | None = None,
) -> pd.DataFrame:
    """How many customers were kept, lost, new and so on in each of some spans `[start, end)`, which may overlap.

    Equal histories are merged first: there are far fewer of them than customers.

    Returns
    -------
    DataFrame
        One row a span that met a customer (and segment): `segment`, `span`, the place in `spans`, and `COUNTS`.
    """
    edges = sorted({edge for span in spans for edge in span})
    members = memberships(tables, churn, edges)
    if segment is not None:
        members = with_segment(members, tables, segment)
    keys = [c for c in members.columns if c not in ("customer_id", "first_at")]
    histories = members.group_by(keys).aggregate(customers=ibis._.count())
    numbers = [(k, edges.index(start), edges.index(end)) for k, (start, end) in enumerate(spans)]
    each = histories.cross_join(ibis.memtable(numbers, schema={"span": "int64", "i": "int64", "j": "int64"}))
    flags = {"S": bit_set(each, each.i), "E": bit_set(each, each.j), **movements(each, each.i, each.j)}
    sums = {name: each.customers.sum(where=flag).fill_null(0) for name, flag in flags.items()}
    by = [*(["segment"] if segment is not None else []), "span"]
    counted: pd.DataFrame = each.group_by(by).aggregate(**sums).order_by(["span", *by[:-1]]).execute()
    return counted.astype(dict.fromkeys(COUNTS, "int64"))
