"""Who churned: the only code that looks after a snapshot. Scoring must not reach it; an import contract proves that."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir

from features.definition import any_bit, any_of, bit_set, counts_as_churn, edge_index, spells, words
from features.dialects import engine_of
from features.snapshots import newest_mature

if TYPE_CHECKING:
    from configs.schema import Churn

KEPT, LEFT = "kept", "left"


def window_of(snapshot: dt.date, gap_days: int, horizon_days: int) -> tuple[dt.date, dt.date]:
    """The label window `[start, end)` of a snapshot.

    Examples
    --------
    >>> [str(day) for day in window_of(dt.date(2024, 1, 1), gap_days=7, horizon_days=30)]
    ['2024-01-08', '2024-02-07']
    """
    start = snapshot + dt.timedelta(days=gap_days)
    return start, start + dt.timedelta(days=horizon_days)


def mature_of(snapshots: Sequence[dt.date], churn: Churn, as_of: dt.date) -> list[dt.date]:
    """Those of the snapshots whose label window is over at `as_of`, ascending, each once."""
    last = newest_mature(as_of, churn.gap_days, churn.horizon_days)
    return sorted({day for day in snapshots if day <= last})


def window_outcomes(tables: Mapping[str, ir.Table], churn: Churn, snapshots: Sequence[dt.date]) -> ir.Table:
    """What the label windows of some snapshots hold of each customer, where the data live.

    Parameters
    ----------
    tables
        Role to table; what happened in a window counts whenever it became known.
    snapshots
        Ascending; their label windows must be over in the tables.

    Returns
    -------
    Table
        `customer_id`, and words of bits, bit `i` for the i-th snapshot, as in `features.definition`. `kept_0`, ...:
        bought in the window, or a contract that has not ended by its end. `left_0`, ..., of contracts only: the last
        ending falls into the window, and counts as churn. A buyer without a row has bought in no window.
    """
    midnight = dt.time()
    windows = [window_of(day, churn.gap_days, churn.horizon_days) for day in snapshots]
    starts, ends = (
        [dt.datetime.combine(day, midnight) for day in days] for days in zip(*windows, strict=True)
    )
    count = len(snapshots)
    if churn.kind == "contractual":
        return _of_contracts(tables, churn, starts, ends)
    bought = tables["transactions"]
    inside = (bought.occurred_at >= ibis.literal(starts[0])) & (bought.occurred_at < ibis.literal(ends[-1]))
    rows = bought.filter(inside).select(
        "customer_id",
        opened=edge_index(bought.occurred_at, ends),
        closed=edge_index(bought.occurred_at, starts),
    )
    found = any_of(rows, words(rows.opened, rows.closed, count, engine_of(bought), KEPT))
    return found.filter(any_bit(found, KEPT))


def _of_contracts(
    tables: Mapping[str, ir.Table], churn: Churn, starts: Sequence[dt.datetime], ends: Sequence[dt.datetime]
) -> ir.Table:
    several, count = "contracts" in tables, len(ends)
    begun = spells(tables) if several else tables["customers"]
    engine = engine_of(begun)
    stayed = ibis.ifelse(begun.ended_at.isnull(), count, edge_index(begun.ended_at, ends))
    left = ibis.ifelse(counts_as_churn(begun, churn), edge_index(begun.ended_at, starts), 0)
    if not several:
        none = ibis.literal(0, "int16")
        kept = words(none, stayed, count, engine, KEPT)
        return begun.select("customer_id", **kept, **words(stayed, left, count, engine, LEFT))
    # Of several spells the last one that began before a window's end tells what it holds.
    following = ibis.ifelse(begun.next_at.isnull(), count, edge_index(begun.next_at, ends))
    spans = begun.select(
        "customer_id",
        opened=edge_index(begun.started_at, ends),
        closed=stayed,
        left=ibis.least(left, following),
    )
    kept = words(spans.opened, spans.closed, count, engine, KEPT)
    return any_of(spans, {**kept, **words(spans.closed, spans.left, count, engine, LEFT)})


def next_events(tables: Mapping[str, ir.Table], churn: Churn, edges: Sequence[dt.datetime]) -> ir.Table:
    """Purchases, or endings of contracts, by the edges of time that they lie between, where the data live.

    Parameters
    ----------
    tables
        Role to table.
    edges
        Ascending; what lies before the first or after the last one is left out.

    Returns
    -------
    Table
        `customer_id`; `edge`, the number of edges at or before the event; `counts`, whether it is what is waited for:
        a purchase, an ending that counts as churn. Rows differ from each other.

    Examples
    --------
    >>> import pandas as pd
    >>> from configs.schema import Churn
    >>> bought = pd.DataFrame({"customer_id": "a", "occurred_at": pd.to_datetime(["2024-01-02", "2024-01-09"])})
    >>> edges = [dt.datetime(2024, 1, day) for day in (1, 5, 10)]
    >>> churn = Churn(kind="non_contractual", horizon_days=30)
    >>> found = next_events({"transactions": ibis.memtable(bought)}, churn, edges)
    >>> found.order_by("edge").to_pyarrow()["edge"].to_pylist()
    [1, 2]
    """
    if churn.kind == "contractual":
        happened = spells(tables)
        moment, counts = happened.ended_at, counts_as_churn(happened, churn)
    else:
        happened = tables["transactions"]
        moment, counts = happened.occurred_at, ibis.literal(True)
    inside = (moment >= ibis.literal(edges[0])) & (moment < ibis.literal(edges[-1]))
    found = happened.filter(inside).select("customer_id", edge=edge_index(moment, edges), counts=counts)
    return found.distinct()


def labelled(rows: ir.Table, found: ir.Table, churn: Churn) -> ir.Table:
    """The rows with `churned`: 1 churned, 0 kept, null where it is not known.

    It is not known of a snapshot without a number, of a contract that ended in the gap, and of one that ended for a
    reason that does not count as churn: nobody knows whether such a customer would have been kept.

    Parameters
    ----------
    rows
        With `customer_id` and `snapshot_number`, the place of the row's snapshot among those of `found`, or null.
    found
        What `window_outcomes` returned, on the same engine.

    Examples
    --------
    >>> import pandas as pd
    >>> from configs.schema import Churn
    >>> ended = pd.to_datetime([None, "2024-01-05", "2024-02-05"])
    >>> contracts = pd.DataFrame({"customer_id": ["a", "b", "c"], "ended_at": ended})
    >>> churn = Churn(kind="contractual", horizon_days=30)
    >>> found = window_outcomes({"customers": ibis.memtable(contracts)}, churn, [dt.date(2024, 1, 1)])
    >>> rows = ibis.memtable(pd.DataFrame({"customer_id": ["a", "b", "c"], "snapshot_number": 0}))
    >>> labelled(rows, found, churn).order_by("customer_id").to_pyarrow()["churned"].to_pylist()
    [0, 1, 0]
    """
    both = rows.left_join(found, "customer_id")
    number = both.snapshot_number
    left = bit_set(both, number, LEFT) if churn.kind == "contractual" else ibis.literal(True)
    churned = ibis.cases((number.isnull(), ibis.null("int8")), (bit_set(both, number, KEPT), 0), (left, 1))
    return both.select(*rows.columns, churned=churned.cast("int8"))
