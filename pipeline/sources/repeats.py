"""Purchases that stand twice in a source, as when an export was run twice: they count once."""

from __future__ import annotations

from typing import Any

import ibis
import ibis.expr.types as ir

from configs.roles import ROLES
from pipeline.sources.databases import arrow

_KEYS = ("customer_id", "transaction_id")


def repeated(lines: ir.Table) -> tuple[ir.Table | None, int, int]:
    """Purchases all of whose lines stand there the same number of times, `times`; None where none count as repeated.

    Two equal lines may be meant: the same thing twice in one basket. A purchase is repeated without doubt when it has
    different lines and each is there twice; and when no purchase of the source has different lines, equal ones are
    none either. Where one of both is so, all purchases that repeat as a whole are taken for repeated.

    Parameters
    ----------
    lines
        The rows with `customer_id`, `transaction_id`, and `hash_` of all columns of the source.

    Returns
    -------
    The repeated purchases; how many rows are too many; and how many rows equal another of their purchase.

    Examples
    --------
    >>> rows = [("1", "A", 7), ("1", "A", 7), ("2", "B", 8)]
    >>> lines = ibis.memtable(rows, columns=["customer_id", "transaction_id", "hash_"])
    >>> found, surplus, equal = repeated(lines)
    >>> found.to_pyarrow().to_pylist(), surplus, equal
    ([{'customer_id': '1', 'transaction_id': 'A', 'times': 2}], 1, 1)
    """
    alike = lines.group_by(*_KEYS, "hash_").agg(n=lines.count())
    purchases = alike.group_by(*_KEYS).agg(
        times=alike.n.min(), most=alike.n.max(), lines=alike.n.sum(), different=alike.count()
    )
    whole = (
        (purchases.times > 1)
        & (purchases.most % purchases.times == 0)
        & (purchases.lines % purchases.times == 0)
    )
    surplus = purchases.lines - (purchases.lines / purchases.times).floor().cast("int64")
    counts: dict[str, Any] = {
        "equal": (purchases.lines - purchases.different).sum(),
        "whole": whole.sum(),
        "surplus": surplus.sum(where=whole),
        "beyond_doubt": (whole & (purchases.different > 1)).sum(),
        "of_lines": (purchases.different > 1).sum(),
    }
    found = arrow(purchases.aggregate(**counts)).to_pylist()[0]
    equal = int(found["equal"] or 0)
    if not found["whole"] or (found["of_lines"] and not found["beyond_doubt"]):
        return None, 0, equal
    return purchases.filter(whole).select(*_KEYS, "times"), int(found["surplus"]), equal


def counted_once(role: str, purchases: ir.Table, twice: ir.Table) -> ir.Table:
    """Purchases with the sums of those that are repeated divided by how often they stand there."""
    joined = purchases.left_join(twice.rename(times_="times"), list(_KEYS))
    times = ibis.coalesce(joined.times_, 1)
    sums = {name: joined[name] / times for name in purchases.columns if ROLES[role].column(name).adds_up}
    return joined.mutate(**sums).select(*purchases.columns)
