"""Who is a customer at a time, written once, as expressions that every engine runs.

A contract makes a customer from its start to its end: started before t and not ended before t; of several contracts
any does, see `features.contracts`. Without a contract a
purchase does, for `active_days`: bought in `[t - active_days, t)`. Matrix, labels, rate, list, forecast and
`churn check` all ask here; who churned is said in `features.labels`, which scoring must not reach.

The answer for many times at once is a row of bits a customer, bit `i` for the i-th time. One row of a source covers a
run of these times, so that one group-by with `bit_or` answers them all, and nothing is sorted.
"""

from __future__ import annotations

import datetime as dt
import operator
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.types as ir
import numpy as np
from numpy.typing import NDArray

from features import contracts, dialects

if TYPE_CHECKING:
    import pyarrow as pa

    from configs.schema import Churn

WORD_BITS = 60
WORD, EXCUSED = "word", "excused"


def customers(
    tables: Mapping[str, ir.Table], churn: Churn, times: Sequence[dt.datetime], *, as_known_then: bool = False
) -> ir.Table:
    """One row for everybody who ever was a customer, with the times at which it is one as bits.

    Parameters
    ----------
    tables
        Role to table. They run where they are: the contracts, the customers with theirs, otherwise the transactions.
    churn
        What churn means here.
    times
        Ascending naive UTC times.
    as_known_then
        A purchase counts from the time at which it was known, as a matrix sees it; otherwise from the time at which
        it occurred, as a rate tells the past with all that is known by now.

    Returns
    -------
    Table
        `customer_id`; `first_at`, the first purchase or the start of the contract; `first_index`, the number
        of times at or before it; `word_0`, `word_1`, ...: bit `i` of word `w` tells whether it is a customer
        at `times[60 * w + i]`; of contracts `excused_0`, ..., the times at which it is none, the last ending being
        one that does not count as churn.

    Examples
    --------
    >>> import pandas as pd
    >>> from configs.schema import Churn
    >>> bought = ibis.memtable(pd.DataFrame({"customer_id": ["a"], "occurred_at": [pd.Timestamp("2024-01-01")]}))
    >>> churn = Churn(kind="non_contractual", horizon_days=30, active_days=10)
    >>> times = [dt.datetime(2024, 1, day) for day in (1, 2, 11, 12)]
    >>> found = customers({"transactions": bought}, churn, times).to_pyarrow()
    >>> unpacked_words(found, 4).tolist()
    [[False, True, True, False]]
    """
    if churn.kind == "contractual":
        return _of_contracts(tables, churn, times)
    return _of_purchases(tables["transactions"], churn.active_days, times, as_known_then=as_known_then)


def customers_at(tables: Mapping[str, ir.Table], churn: Churn, moment: dt.datetime) -> ir.Table:
    """The ids of the customers at a time: the column `customer_id`, each once."""
    found = customers(tables, churn, [moment])
    return found.filter(bit_set(found, 0)).select("customer_id")


def counts_as_churn(customers: ir.Table, churn: Churn) -> ir.BooleanValue:
    """Whether an ending counts as churn; one whose reason is declared not to leaves unknown what would have been."""
    if not churn.not_churn_reasons:
        return ibis.literal(True)
    return customers.end_reason.fill_null("").notin(churn.not_churn_reasons)


def spells(tables: Mapping[str, ir.Table]) -> ir.Table:
    """When somebody is a customer by contract, as of `features.contracts.contract_spells`.

    Without a source of contracts there is one spell for each row of the customers.
    """
    if "contracts" in tables:
        return contracts.contract_spells(tables["contracts"])
    people = tables["customers"]
    return people.filter(people.started_at.notnull()).mutate(
        number=ibis.literal(0, "int32"), next_at=ibis.null(people.started_at.type())
    )


def _of_contracts(tables: Mapping[str, ir.Table], churn: Churn, times: Sequence[dt.datetime]) -> ir.Table:
    begun, count = spells(tables), len(times)
    engine, several = dialects.engine_of(begun), "contracts" in tables
    opened = edge_index(begun.started_at, times)
    closed = ibis.ifelse(begun.ended_at.isnull(), count, edge_index(begun.ended_at, times))
    spans = begun.select(
        "customer_id",
        first_at=begun.started_at,
        opened=opened,
        closed=closed,
        **_excused(begun, churn, times),
    )
    bits = words(spans.opened, spans.closed, count, engine)
    if churn.not_churn_reasons:
        bits |= words(spans.closed, spans.excused, count, engine, EXCUSED)
    if several:
        members = any_of(spans, bits, first_at=spans.first_at.min())
        return members.mutate(first_index=edge_index(members.first_at, times))
    return spans.select("customer_id", "first_at", first_index=spans.opened, **bits)


def _excused(begun: ir.Table, churn: Churn, times: Sequence[dt.datetime]) -> dict[str, ir.IntegerValue]:
    """Up to which time an ending that does not count tells what became of the customer: until the next spell."""
    if not churn.not_churn_reasons:
        return {}
    until = ibis.ifelse(begun.next_at.isnull(), len(times), edge_index(begun.next_at, times))
    return {"excused": ibis.ifelse(counts_as_churn(begun, churn), 0, until)}


def _of_purchases(
    purchases: ir.Table, active_days: int, times: Sequence[dt.datetime], *, as_known_then: bool
) -> ir.Table:
    known = purchases.occurred_at
    if as_known_then and "known_at" in purchases.columns:
        known = ibis.greatest(known, purchases.known_at)
    since = [moment - dt.timedelta(days=active_days) for moment in times]
    bits = {}
    for number, first in enumerate(range(0, len(times), WORD_BITS)):
        # The bits themselves stand at the ends of the bisection: to shift them for each row takes twice the time.
        places = (min(max(index - first, 0), WORD_BITS) for index in range(len(times) + 1))
        powers = [ibis.literal(1 << place).cast("int64") for place in places]
        opened, closed = (
            _between_edges(known, times, powers),
            _between_edges(purchases.occurred_at, since, powers),
        )
        bits[f"{WORD}_{number}"] = ibis.greatest(closed, opened) - opened
    rows = purchases.select(customer_id=purchases.customer_id, at=purchases.occurred_at, **bits)
    members = any_of(rows, {name: rows[name] for name in bits}, first_at=rows["at"].min())
    return members.mutate(first_index=edge_index(members.first_at, times))


def any_of(rows: ir.Table, bits: Mapping[str, ir.IntegerValue], **more: Any) -> ir.Table:
    """One row a customer, with the bits that are set in any of its rows."""
    engine = dialects.engine_of(rows)
    found = {name: dialects.any_bits(word, None, engine) for name, word in bits.items()}
    return rows.group_by("customer_id").aggregate(**more, **found)


def edge_index(moment: ir.TimestampValue, edges: Sequence[dt.datetime]) -> ir.IntegerValue:
    """How many of the ascending `edges` are at or before `moment`; null counts as before all."""
    return _between_edges(moment, edges, [ibis.literal(i, "int16") for i in range(len(edges) + 1)])


def _between_edges(
    moment: ir.TimestampValue, edges: Sequence[dt.datetime], values: Sequence[ir.IntegerValue]
) -> ir.IntegerValue:
    """The first value before the first edge, the next one from there on, and so on; by bisection."""
    if not edges:
        return values[0]
    middle = len(edges) // 2
    return ibis.ifelse(
        moment >= ibis.literal(edges[middle]),
        _between_edges(moment, edges[middle + 1 :], values[middle + 1 :]),
        _between_edges(moment, edges[:middle], values[: middle + 1]),
    )


def words(
    opened: ir.IntegerValue, closed: ir.IntegerValue, count: int, engine: str, name: str = WORD
) -> dict[str, ir.IntegerValue]:
    """Bits `opened` to `closed - 1` of `count`, in words that fit a signed 64-bit integer."""
    found = {}
    for number, first in enumerate(range(0, count, WORD_BITS)):
        low = _clip(opened, first)
        high = ibis.greatest(_clip(closed, first), low)
        found[f"{name}_{number}"] = dialects.one_bit(high, engine) - dialects.one_bit(low, engine)
    return found


def _clip(index: ir.IntegerValue, first: int) -> ir.IntegerValue:
    return (index.cast("int64") - first).clip(0, WORD_BITS)


def bit_set(rows: ir.Table, index: int | ir.IntegerValue, name: str = WORD) -> ir.BooleanValue:
    """Whether bit `index`, a number or a column of numbers, is set in the words of each row."""
    found = [rows[column] for column in names_of(rows.columns, name)]
    if isinstance(index, int):
        return (found[index // WORD_BITS] & (1 << index % WORD_BITS)) != 0
    inside = [
        (index < (w + 1) * WORD_BITS, ((word >> (index - w * WORD_BITS)) & 1) == 1)
        for w, word in enumerate(found)
    ]
    return ibis.cases(*inside, else_=False)


def any_bit(rows: ir.Table, name: str = WORD) -> ir.BooleanValue:
    """Whether any bit is set in the words of each row."""
    return reduce(operator.or_, [rows[column] != 0 for column in names_of(rows.columns, name)])


def names_of(columns: Sequence[str], name: str = WORD) -> list[str]:
    """The columns that are words of a name, in their order."""
    found = (column for column in columns if column.rpartition("_")[0] == name)
    return sorted(found, key=lambda column: int(column.rpartition("_")[2]))


def unpacked_words(rows: pa.Table, count: int, name: str = WORD) -> NDArray[np.bool_]:
    """The first `count` bits of the words of each row, shape (rows, count)."""
    found = np.zeros((rows.num_rows, count), bool)
    for place, column in enumerate(names_of(rows.column_names, name)):
        word = rows[column].to_numpy().astype(np.int64)
        for i in range(place * WORD_BITS, min(count, (place + 1) * WORD_BITS)):
            found[:, i] = (word >> (i - place * WORD_BITS)) & 1
    return found
