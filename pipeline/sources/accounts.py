"""Where every row of a source went: read, or left out by which rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import ibis.expr.types as ir

from configs.errors import Fault
from configs.roles import RoleSource
from pipeline.sources import contracts
from pipeline.sources.parts import Parts, answers_of
from pipeline.sources.readers import Raw

_DISTINCT = "equal to another row (distinct)"
_OLDER = "older than another of the customer (latest_by)"


@dataclass(frozen=True)
class Account:
    """The rows of a source.

    Parameters
    ----------
    in_source
        Rows that stand in the files or the table.
    read
        Rows that count; lines that are joined to one purchase are one.
    left_out
        Rule to the rows that it left out.
    joined
        Lines beyond the first of each purchase.
    beside
        Lines of text files that are no rows: titles above the header, headers that come again.

    Examples
    --------
    >>> print(Account(10, 6, {"Total above 0": 3}, joined=1).line("transactions"))
    transactions: 10 rows = 6 read + 1 joined to another of its purchase + 3 left out by Total above 0
    """

    in_source: int
    read: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    joined: int = 0
    beside: int = 0

    @property
    def adds_up(self) -> bool:
        """Whether no row is missing and none is there twice."""
        return self.in_source == self.read + self.joined + sum(self.left_out.values())

    def line(self, role: str) -> str:
        """The account in one line."""
        parts = [f"{self.read:,} read"]
        parts += [f"{self.joined:,} joined to another of its purchase"] if self.joined else []
        parts += [f"{n:,} left out by {rule}" for rule, n in self.left_out.items() if n]
        beside = f" (and {self.beside:,} lines that are no rows)" if self.beside else ""
        return f"{role}: {self.in_source:,} rows = {' + '.join(parts)}{beside}"

    def values(self) -> dict[str, Any]:
        """The account as values, for a manifest."""
        return {**asdict(self), "left_out": {rule: n for rule, n in self.left_out.items() if n}}


def account_of(
    source: RoleSource[Any], found: Raw, raw: ir.Table, kept: int, parts: Parts | None = None
) -> tuple[Account, list[Fault]]:
    """The account of the rows that the config's conditions let through, and a fault when it does not add up.

    Parameters
    ----------
    kept
        Rows that passed the conditions, as the reader gave them.
    parts
        Of the source's files, where something is kept of them.
    """
    left: dict[str, int] = {}
    given = kept
    latest = getattr(source, "latest_by", None) is not None
    if source.where or source.distinct or latest:
        rows = raw.distinct() if source.distinct else raw
        asked = {f"left_{i}": e for i, e in enumerate(contracts.left_out(source, rows))}
        counts = answers_of(parts, "account", rows, {"all": rows.count(), **asked})
        given = counts.pop("all")
        for condition, n in zip(source.where, counts.values(), strict=True):
            left[condition.shown] = left.get(condition.shown, 0) + int(n or 0)
    in_source = given if found.rows is None else found.rows
    if latest:
        left[_OLDER] = given - sum(left.values()) - kept
    if in_source != given and not source.distinct:
        exact = found.recount()
        in_source = in_source if exact is None else exact
    if source.distinct:
        left[_DISTINCT] = in_source - given
    account = Account(in_source, kept, left, beside=found.beside)
    if account.adds_up and min(left.values(), default=0) >= 0:
        return account, []
    what = f"{in_source:,} rows stand in the source, and the reader gave {given:,}"
    step = "set the source's delimiter and encoding, or export it as Parquet"
    return account, [Fault(source.shown, what, step)]
