"""Who is a customer at which time: the one definition behind rate, label and list.

A purchase at `p` makes its buyer a customer at every `t` in `(p, p + active_days]`; a contract from `s` to
`e` at every `t` in `(s, e]`. Either way one row covers a run of the wanted times, so that a customer's whole
history is a bit set, and one group-by with `bit_or` gives it for all times at once. Nothing is sorted.

The past is told with all that is known by now: a purchase that became known late counts when it occurred.
"""

from __future__ import annotations

import datetime as dt
import operator
from collections.abc import Mapping, Sequence
from functools import reduce

import ibis
import ibis.expr.types as ir

from configs.errors import ConfigError
from configs.schema import Churn
from features.dialects import any_bits, engine_of
from pipeline.retention.reported import AtHand

WORD_BITS = 60
NEVER = -1


def edge_index(moment: ir.TimestampValue, edges: Sequence[dt.datetime], first: int = 0) -> ir.IntegerValue:
    """How many of the ascending `edges` are at or before `moment`, by bisection; null counts as before all."""
    if not edges:
        return ibis.literal(first, "int16")
    middle = len(edges) // 2
    return ibis.ifelse(
        moment >= ibis.literal(edges[middle]),
        edge_index(moment, edges[middle + 1 :], first + middle + 1),
        edge_index(moment, edges[:middle], first),
    )


def memberships(tables: Mapping[str, ir.Table], churn: Churn, edges: Sequence[dt.datetime]) -> ir.Table:
    """One row a customer, with the edges at which it is a customer as bits.

    Parameters
    ----------
    tables
        Role to table, cut to what was known at the as-of date.
    churn
        What churn means here.
    edges
        Ascending naive UTC times.

    Returns
    -------
    Table
        `customer_id`; `first_at`, the first purchase or the start of the contract; `first_index`, the number
        of edges at or before it; `word_0`, `word_1`, ...: bit `i` of word `w` tells whether it is a customer
        at `edges[60 * w + i]`; `excused_index`, the number of edges at or before an ending that does not
        count as churn, otherwise -1.
    """
    if isinstance(tables, AtHand) and set(edges) <= set(tables.times):
        return _narrowed(tables.made(_found(tables, churn, tables.times)), tables.times, edges)
    return _found(tables, churn, edges)


def _found(tables: Mapping[str, ir.Table], churn: Churn, edges: Sequence[dt.datetime]) -> ir.Table:
    if churn.kind == "contractual":
        return _of_contracts(tables["customers"], churn, edges)
    return _of_purchases(tables["transactions"], churn, edges)


def _narrowed(members: ir.Table, times: Sequence[dt.datetime], edges: Sequence[dt.datetime]) -> ir.Table:
    """The memberships at some of the times at which they are known."""
    places = [times.index(edge) for edge in edges]
    found = {}
    for number, first in enumerate(range(0, len(edges), WORD_BITS)):
        bits = [
            ibis.ifelse(bit(members, place), 1 << i, 0)
            for i, place in enumerate(places[first : first + WORD_BITS])
        ]
        found[f"word_{number}"] = reduce(operator.or_, bits).cast("int64")
    passed = [(members.excused_index > place).cast("int16") for place in places]
    return members.select(
        "customer_id",
        "first_at",
        first_index=edge_index(members.first_at, edges),
        excused_index=ibis.ifelse(members.excused_index == NEVER, NEVER, reduce(operator.add, passed)),
        **found,
    )


def _of_contracts(customers: ir.Table, churn: Churn, edges: Sequence[dt.datetime]) -> ir.Table:
    begun = customers.filter(customers.started_at.notnull())
    ending = edge_index(begun.ended_at, edges)
    excused: ir.BooleanValue = ibis.literal(False)
    if churn.not_churn_reasons:
        excused = begun.ended_at.notnull() & begun.end_reason.isin(churn.not_churn_reasons)
    spans = begun.select(
        customer_id=begun.customer_id,
        first_at=begun.started_at,
        opened=edge_index(begun.started_at, edges),
        closed=ibis.ifelse(begun.ended_at.isnull(), len(edges), ending),
        excused=excused,
    )
    return spans.select(
        "customer_id",
        "first_at",
        first_index=spans.opened,
        excused_index=ibis.ifelse(spans.excused, spans.closed, NEVER),
        **words(spans.opened, spans.closed, len(edges)),
    )


def _of_purchases(purchases: ir.Table, churn: Churn, edges: Sequence[dt.datetime]) -> ir.Table:
    spans = purchases.select(
        customer_id=purchases.customer_id,
        at=purchases.occurred_at,
        opened=edge_index(purchases.occurred_at, edges),
        closed=edge_index(purchases.occurred_at + ibis.interval(days=churn.active_days), edges),
    )
    bits = words(spans.opened, spans.closed, len(edges))
    engine = engine_of(purchases)
    members = spans.group_by("customer_id").aggregate(
        first_at=spans["at"].min(),
        **{name: any_bits(word, None, engine) for name, word in bits.items()},
    )
    first = edge_index(members.first_at, edges)
    return members.mutate(first_index=first, excused_index=ibis.literal(NEVER, "int16"))


def words(opened: ir.IntegerValue, closed: ir.IntegerValue, count: int) -> dict[str, ir.IntegerValue]:
    """Bits `opened` to `closed - 1`, in words that fit a signed 64-bit integer."""
    one = ibis.literal(1, "int8").cast("int64")  # a bare 1 is 32 bits wide to DuckDB
    found = {}
    for number, first in enumerate(range(0, count, WORD_BITS)):
        low = _clip(opened, first)
        high = ibis.greatest(_clip(closed, first), low)
        found[f"word_{number}"] = (one << high) - (one << low)
    return found


def _clip(index: ir.IntegerValue, first: int) -> ir.IntegerValue:
    return (index.cast("int64") - first).clip(0, WORD_BITS)


def bit(members: ir.Table, index: int | ir.IntegerValue) -> ir.BooleanValue:
    """Whether each row is a customer at edge `index`, a number or a column of numbers."""
    words = [members[name] for name in members.columns if name.startswith("word_")]
    at = ibis.literal(index, "int64") if isinstance(index, int) else index
    inside = [
        (at < (w + 1) * WORD_BITS, ((word >> (at - w * WORD_BITS)) & 1) == 1) for w, word in enumerate(words)
    ]
    return ibis.cases(*inside, else_=False)


def customers_at(tables: Mapping[str, ir.Table], churn: Churn, moment: dt.datetime) -> ir.Table:
    """The ids of the customers at a time: the column `customer_id`, each once."""
    members = memberships(tables, churn, [moment])
    return members.filter(bit(members, 0)).select("customer_id")


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
    at_start, at_end = bit(members, 0), bit(members, 1)
    status = ibis.cases(
        (at_start & at_end, "kept"),
        (at_start & (members.excused_index == 1), "not_churn"),
        (at_start, "lost"),
        (at_end & (members.first_index == 1), "new"),
        (at_end, "returned"),
    )
    labelled = members.select("customer_id", "first_at", status=status)
    return labelled.filter(labelled.status.notnull())


def with_segment(
    members: ir.Table, tables: Mapping[str, ir.Table], segment: str, bands: int = 4, max_values: int = 20
) -> ir.Table:
    """Add the text column `segment`: the value of a customer attribute, or its range.

    Numbers with more than `max_values` different values are cut at their quantiles into `bands` ranges.

    Raises
    ------
    ConfigError
        When the customers have no such attribute.
    """
    customers = tables.get("customers")
    known = attributes(tables)
    if customers is None or segment not in known:
        raise ConfigError(
            f"segment {segment!r} is no attribute of the customers; known: {', '.join(known) or 'none'}"
        )
    column = customers[segment]
    if column.type().is_numeric():
        column = column.cast("float64")
        column = ibis.ifelse(column.isnan(), ibis.null("float64"), column)
        if customers.aggregate(n=column.nunique()).execute().n.iloc[0] > max_values:
            column = in_ranges(customers, column, bands)
    chosen = customers.select(segment_id=customers.customer_id, segment=column.cast("string"))
    joined = members.left_join(chosen, members.customer_id == chosen.segment_id)
    return joined.mutate(segment=joined.segment.fill_null("(none)")).drop("segment_id")


def attributes(tables: Mapping[str, ir.Table]) -> list[str]:
    """Names of the customer attributes, which can serve as segments."""
    fixed = {"customer_id", "started_at", "ended_at", "end_reason", "known_at"}
    return [] if "customers" not in tables else [c for c in tables["customers"].columns if c not in fixed]


def in_ranges(table: ir.Table, column: ir.NumericValue, bands: int) -> ir.StringValue:
    """A number as the text of its quantile range, ready to sort."""
    shares = [k / bands for k in range(1, bands)]
    cuts = table.aggregate(**{f"q{k}": column.quantile(share) for k, share in enumerate(shares)}).execute()
    # The last digits of an interpolated quantile differ by engine, and would move a customer to the next range.
    edges = sorted({float(f"{v:.9g}") for v in cuts.iloc[0].dropna()})
    texts = [f"{v:,.6g}" for v in edges]
    if not edges:
        return column.cast("string")
    branches = [(column < edges[0], f"1: below {texts[0]}")]
    for k in range(1, len(edges)):
        branches.append((column < edges[k], f"{k + 1}: {texts[k - 1]} to below {texts[k]}"))
    branches.append((column.notnull(), f"{len(edges) + 1}: {texts[-1]} and above"))
    return ibis.cases(*branches)
