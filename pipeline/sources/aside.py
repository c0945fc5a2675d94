"""Takes bad rows of one source out of what is read, look by look: by row, by joined purchase, by id that repeats."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from operator import or_
from typing import Any

import ibis.expr.types as ir

from configs.errors import Fault
from configs.roles import RoleSource
from pipeline.languages.said import Said, said
from pipeline.sources import contracts, quarantine
from pipeline.sources.accounts import Account
from pipeline.sources.databases import arrow
from pipeline.sources.quarantine import Aside
from pipeline.sources.readers import Raw
from pipeline.sources.rows import RowsSeen

_PURCHASE = ["customer_id", "transaction_id"]


class Putting:
    """Rows of a source as they are put aside; each is looked at once more to be told, and only where there is any."""

    def __init__(self, role: str, source: RoleSource[Any], found: Raw, raw: ir.Table) -> None:
        self.role, self.source, self.found, self.raw = role, source, found, raw
        self.parts: list[Aside] = []
        self.seen: RowsSeen | None = None
        if found.ragged:
            self.parts.append(quarantine.ragged(role, source, found))

    @property
    def count(self) -> int:
        """How many rows are put aside so far."""
        return sum(part.count for part in self.parts)

    def accounted(self, account: Account) -> Account:
        """The account with the rows that are put aside."""
        if not self.count:
            return account
        left_out = {**account.left_out, f"{quarantine.RULE}": self.count}
        return replace(account, in_source=account.in_source + len(self.found.ragged), left_out=left_out)

    def by_row(self, seen: RowsSeen) -> None:
        """What `rows.look` found bad."""
        self.seen = seen
        if seen.bad:
            words = {name: _rule(name, fault) for name, fault in seen.bad.items()}
            self._take(quarantine.told(self.role, self.source, self.raw), words)

    def by_whole_row(self, rows: ir.Table) -> ir.Table:
        """The rows, lines of a purchase joined, without those that break a rule of whole rows."""
        checks = contracts.whole_row_checks(self.role, self.source, rows)
        if not checks:
            return rows
        marked = rows.mutate(**{name: bad.fill_null(False) for name, (bad, _) in checks.items()})
        bad = reduce(or_, (marked[name] for name in checks))
        if not arrow(marked.aggregate(n=bad.sum()))["n"][0].as_py():
            return rows
        words = {name: _rule(name, fault) for name, (_, fault) in checks.items()}
        lines = self._not_bad()
        if "transaction_id" in rows.columns:
            lines = lines.inner_join(marked.filter(bad).select(*_PURCHASE, *checks), _PURCHASE)
        else:
            again = contracts.whole_row_checks(self.role, self.source, lines, rows.columns)
            lines = lines.mutate(**{name: bad for name, (bad, _) in again.items()})
        self._take(lines, words)
        return marked.filter(~bad).select(*rows.columns)

    def by_id(self, rows: ir.Table, key: str) -> tuple[ir.Table, int]:
        """The rows, equal ones once, without ids whose rows differ; and how many rows repeated another."""
        once = rows.distinct()
        named = once.filter(once[key].notnull())
        again = named.group_by(key).agg(n=named.count()).filter(lambda t: t.n > 1).select(key)
        self._take(
            self._not_bad().semi_join(again, key).mutate(repeated=True),
            {"repeated": said("{column} stands in rows that differ", column=key)},
        )
        kept = once.anti_join(again, key)
        before, after = (
            arrow(some.aggregate(n=some.count()))["n"][0].as_py()
            for some in (rows.anti_join(again, key), kept)
        )
        return kept, before - after

    def _not_bad(self) -> ir.Table:
        lines = quarantine.told(self.role, self.source, self.raw)
        bad = list(self.seen.bad) if self.seen else []
        return lines.filter(~reduce(or_, (lines[name].fill_null(False) for name in bad))) if bad else lines

    def _take(self, lines: ir.Table, words: dict[str, Said]) -> None:
        names = self.raw.columns
        self.parts.append(quarantine.taken(self.role, self.source, self.found, lines, names, words))


def _rule(name: str, fault: Fault) -> Said:
    """The rule that a condition stands for, such as `bad_occurred_at`."""
    return said("{column} {what}", column=name.split("_", 1)[1], what=fault.what)
