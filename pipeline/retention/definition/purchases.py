"""What the purchases at hand say of each customer, gathered in arrays in one pass over the rows.

Who is a customer when, and how long the first time lasted: the same as `features.definition` and
`pipeline.retention.tables.survival` ask an engine for. What a single purchase covers is asked of the definition itself,
once for each slot of the time axis: slots are cut so that two purchases of one of them cover the same times.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from configs.arrays import Bools, Floats, Ints
from configs.schema import Churn
from features.definition import WORD, customers, edge_index, names_of
from pipeline.retention.definition.at_hand import AtHand
from pipeline.sources.databases import arrow

_MOST_SLOTS = 4_000_000
_MOST_CELLS = 32_000_000  # of pieces of the time axis and customers
_MOST_SEEN = 512_000_000  # of kinds of slots and customers
_ROWS_AT_ONCE = 1_000_000
_DAY = 86_400_000_000  # microseconds, in which all times here are
_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Purchases:
    """What they say.

    Parameters
    ----------
    members
        `features.definition.customers` at the times of the tables.
    stays
        `customer_id`, `first_at`, and `lapsed_at`: `active_days` after the first purchase with none in these days.
    begins
        Shape (slots,): when the slots of the time axis begin; each of the tables' times is one, or lies outside.
    counts, paid
        Shape (slots,): the purchases of each slot, and the sum of their amounts, 0 without amounts.
    """

    members: ir.Table
    stays: ir.Table
    begins: Ints
    counts: Ints
    paid: Floats

    def between(self, edges: Sequence[dt.datetime]) -> tuple[Ints, Floats]:
        """Shape (edges - 1,) each: purchases and amounts from each edge to the next; edges are times of the tables."""
        places = np.searchsorted(self.begins, np.array(edges, "datetime64[us]").astype(np.int64))
        spans = [slice(*span) for span in pairwise(places)]
        return (
            np.array([self.counts[span].sum() for span in spans], np.int64),
            np.array([self.paid[span].sum() for span in spans], np.float64),
        )


def purchases_at_hand(tables: AtHand, churn: Churn) -> Purchases | None:
    """What the purchases say; None where there are none, or arrays would be too large: an engine is asked then."""
    return tables.once(("purchases", churn.active_days), lambda: _gathered(tables, churn))


def _gathered(tables: AtHand, churn: Churn) -> Purchases | None:
    bought, times, lapse = tables["transactions"], tables.times, churn.active_days * _DAY
    ends = arrow(bought.aggregate(low=bought.occurred_at.min(), high=bought.occurred_at.max()))
    if ends["low"].null_count:
        return None
    low, high = (int(_microseconds(ends[name])[0]) for name in ("low", "high"))
    slot = _slot([*times, *(moment - dt.timedelta(days=churn.active_days) for moment in times)])
    slots = np.arange(low // slot, high // slot + 1) if (high - low) // slot < _MOST_SLOTS else None
    pieces = high // lapse - low // lapse + 1
    if slots is None or pieces * tables.customers > _MOST_CELLS:
        return None
    covers = _covers(slots * slot, churn, times)
    kinds, kind = np.unique(np.column_stack(list(covers.values())), axis=0, return_inverse=True)
    if len(kinds) * tables.customers > _MOST_SEEN:
        return None
    # Whether a customer bought in a slot of each kind: to set a flag takes a seventh of the time that to add bits does.
    seen = np.zeros((len(kinds), tables.customers), bool)
    counts, paid = np.zeros(len(slots), np.int64), np.zeros(len(slots))
    # No two purchases of one piece lie far enough apart for a lapse between them.
    begun = np.full((pieces, tables.customers), _NEVER)
    until = np.full((pieces, tables.customers), -_NEVER)
    of_kind, of_piece = (
        place.ravel() * tables.customers for place in (kind, slots * slot // lapse - low // lapse)
    )
    for number, at, amount in rows_at_hand(bought):
        place = at // slot - slots[0]
        counts += np.bincount(place, minlength=len(slots))
        paid += np.bincount(place, amount, len(slots))
        seen.reshape(-1)[of_kind[place] + number] = True
        cell = of_piece[place] + number
        np.minimum.at(begun.reshape(-1), cell, at)
        np.maximum.at(until.reshape(-1), cell, at)
    words = dict(zip(covers, _united(kinds, seen), strict=True))
    who = np.flatnonzero(begun.min(axis=0) < _NEVER)
    keys = {"customer_id": who.astype(np.int32), "first_at": _times(begun.min(axis=0)[who])}
    members = ibis.memtable(pa.table(keys | {name: word[who] for name, word in words.items()}))
    lapsed_at = _times(_lapsed(begun, until, lapse)[who])
    return Purchases(
        members.mutate(first_index=edge_index(members.first_at, times)),
        ibis.memtable(pa.table(keys | {"lapsed_at": lapsed_at})),
        slots * slot,
        counts,
        paid,
    )


def _slot(edges: Sequence[dt.datetime]) -> int:
    """The length of the longest slots, of a day at most, whose ends meet every edge."""
    return int(np.gcd.reduce(np.array(edges, "datetime64[us]").astype(np.int64), initial=_DAY))


def _covers(begins: Ints, churn: Churn, times: Sequence[dt.datetime]) -> dict[str, Ints]:
    """The words of a customer who has bought in one slot alone, shape (slots,) each."""
    alone = pa.table({"customer_id": np.arange(len(begins)), "occurred_at": _times(begins)})
    found = arrow(customers({"transactions": ibis.memtable(alone)}, churn, times))
    order = np.argsort(found["customer_id"].to_numpy())
    return {name: found[name].to_numpy()[order] for name in names_of(found.column_names, WORD)}


def _united(kinds: Ints, seen: Bools) -> Ints:
    """Shape (words, customers): the bits of the kinds, shape (kinds, words), that each customer has seen."""
    found = np.zeros((kinds.shape[1], seen.shape[1]), np.int64)
    for words, here in zip(kinds, seen, strict=True):
        found |= words[:, None] * here
    return found


def rows_at_hand(table: ir.Table) -> Iterator[tuple[Ints, Ints, Floats]]:
    """The numbers of customers, the times in microseconds and the amounts, 0 for none, of some rows after others."""
    backend = table.get_backend()
    amount = table.amount if "amount" in table.columns else ibis.literal(0)
    query = table.select("customer_id", "occurred_at", amount=amount.cast("float64").fill_null(0.0))
    # Ibis 12 asks DuckDB 2 for a stream by a name that is gone.
    for batch in backend.con.sql(backend.compile(query)).to_arrow_reader(_ROWS_AT_ONCE):
        at = _microseconds(batch["occurred_at"])
        yield (
            batch["customer_id"].to_numpy().astype(np.int64),
            at,
            batch["amount"].to_numpy(),
        )


def _lapsed(begun: Ints, until: Ints, lapse: int) -> Ints:
    """When the first time as a customer ends, by the first and the last purchase of each piece."""
    found, ends = np.full(begun.shape[1], _NEVER), np.full(begun.shape[1], _NEVER)
    for first, last in zip(begun, until, strict=True):
        found = np.where((first < _NEVER) & (first > ends), np.minimum(found, ends), found)
        ends = np.where(first < _NEVER, last + lapse, ends)
    return np.minimum(found, ends)


def _microseconds(times: pa.Array | pa.ChunkedArray) -> Ints:
    found: Ints = times.cast(pa.timestamp("us"), safe=False).to_numpy(zero_copy_only=False).view(np.int64)
    return found


def _times(microseconds: Ints) -> pa.Array:
    return pa.array(microseconds).cast(pa.timestamp("us"))
