"""Purchases that stand twice in a source, as when an export was run twice: they count once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir

from configs.roles import ROLES
from pipeline.languages.names import role_in_words
from pipeline.languages.said import Said, said_n
from pipeline.sources.databases import arrow

_KEYS = ("customer_id", "transaction_id")
_FEW = 0.25
_SAMPLES = 5


@dataclass(frozen=True)
class Repeats:
    """Purchases that stand there several times.

    Parameters
    ----------
    purchases
        The repeated ones with how many `times`; None where none count as repeated.
    surplus
        Rows that are too many.
    equal
        Rows that equal another of their purchase.
    differing, samples
        How many purchases of a repeated export have lines that are not repeated as a whole, and ids of some.
    """

    purchases: ir.Table | None = None
    surplus: int = 0
    equal: int = 0
    differing: int = 0
    samples: tuple[str, ...] = ()

    def notes(self, role: str) -> list[Said]:
        """What is good to know."""
        if self.purchases is not None:
            return [
                said_n(
                    "{role}: {n} row repeats a whole purchase, as when an export is run twice; each purchase counts "
                    "once",
                    "{role}: {n} rows repeat whole purchases, as when an export is run twice; each purchase counts "
                    "once",
                    self.surplus,
                    role=role_in_words(role),
                )
            ]
        if not self.equal:
            return []
        return [
            said_n(
                "{role}: {n} row equals another of its purchase in every column and counts as a line of its own; if "
                "it is there by mistake, set `{key}`",
                "{role}: {n} rows equal another of their purchase in every column and count as lines of their own; "
                "if they are there by mistake, set `{key}`",
                self.equal,
                role=role_in_words(role),
                key=f"sources.{role}.distinct: true",
            )
        ]

    def looks(self, role: str) -> tuple[Said, ...]:
        """What a person should look at."""
        if not self.differing:
            return ()
        return (
            said_n(
                "{role}: {n} purchase of an export that was run twice has lines that differ, such as {samples!r}; they "
                "count as lines of one purchase, so that amounts add up: if the later lines replace the earlier ones, "
                "keep one export",
                "{role}: {n} purchases of an export that was run twice have lines that differ, such as {samples!r}; "
                "they count as lines of one purchase, so that amounts add up: if the later lines replace the earlier "
                "ones, keep one export",
                self.differing,
                role=role_in_words(role),
                samples=self.samples,
            ),
        )


def repeated(lines: ir.Table) -> Repeats:
    """Purchases all of whose lines stand there the same number of times, `times`.

    Two equal lines may be meant: the same thing twice in one basket. A purchase is repeated without doubt when it has
    different lines and each is there twice; and when next to no purchase of the source has different lines, equal ones
    are none either. Where one of both is so, all purchases that repeat as a whole are taken for repeated.

    Parameters
    ----------
    lines
        The rows with `customer_id`, `transaction_id`, and `hash_` of all columns of the source.

    Examples
    --------
    >>> rows = [("1", "A", 7), ("1", "A", 7), ("2", "B", 8)]
    >>> lines = ibis.memtable(rows, columns=["customer_id", "transaction_id", "hash_"])
    >>> found = repeated(lines)
    >>> found.purchases.to_pyarrow().to_pylist(), found.surplus, found.equal, found.differing
    ([{'customer_id': '1', 'transaction_id': 'A', 'times': 2}], 1, 1, 0)
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
    if not found["whole"] or (not found["beyond_doubt"] and found["of_lines"] > _FEW * found["whole"]):
        return Repeats(equal=equal)
    # Where purchases have several lines, one that has none twice may come from one export only.
    apart = ~whole & (purchases.different > 1)
    odd = purchases.filter(apart & (purchases.most > 1) if found["beyond_doubt"] else apart)
    ids = arrow(odd.aggregate(n=odd.count()))["n"][0].as_py()
    samples = (
        arrow(odd.order_by("transaction_id").limit(_SAMPLES))["transaction_id"].to_pylist() if ids else []
    )
    return Repeats(
        purchases.filter(whole).select(*_KEYS, "times"), int(found["surplus"]), equal, ids, tuple(samples)
    )


def counted_once(role: str, purchases: ir.Table, twice: ir.Table) -> ir.Table:
    """Purchases with the sums of those that are repeated divided by how often they stand there."""
    joined = purchases.left_join(twice.rename(times_="times"), list(_KEYS))
    times = ibis.coalesce(joined.times_, 1)
    sums = {name: joined[name] / times for name in purchases.columns if ROLES[role].column(name).adds_up}
    return joined.mutate(**sums).select(*purchases.columns)
