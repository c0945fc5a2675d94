"""Do the sources speak of the same customers? Ids compared across roles, and the line of the config that joins them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import ibis
import ibis.expr.types as ir

from configs.errors import Fault
from configs.schema import Config
from configs.sources import Column
from pipeline.languages.names import role_in_words
from pipeline.languages.said import Said, said, together
from pipeline.sources.contracts import SAMPLES
from pipeline.sources.databases import arrow
from pipeline.sources.ids import Ids, line, shown
from pipeline.sources.values import TIDYINGS, tidied

_TRIED = 20_000
_JOINS = 0.5
_LONGEST_RULE = 3
_LONGEST_PREFIX = 12
_ROUNDED = r"^[0-9]([.,][0-9]+)?[eE]\+[0-9]+$"


@dataclass(frozen=True)
class Match:
    """How many of a role's customers are customers of the roles that it is compared with.

    Parameters
    ----------
    role, others
        The role, and those it is compared with.
    rows, customers
        What the role has.
    rows_met, customers_met
        Those of them whose customer the others have too.
    unmet, theirs
        Samples of ids: of the role those that the others don't have, and of the others.
    advice
        Lines of the config that would join more of them; empty where no simple rule does.
    """

    role: str
    others: tuple[str, ...]
    rows: int
    customers: int
    rows_met: int
    customers_met: int
    unmet: tuple[str, ...] = ()
    theirs: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """Share of the role's customers that the others have too."""
        return self.customers_met / self.customers if self.customers else 1.0

    def __str__(self) -> str:
        return str(self.line)

    @property
    def line(self) -> Said:
        """How many of its customers and rows are known from the others."""
        text = said(
            "{role}: {customers_met} of {customers} customers ({share:.1%}) and {rows_met} of {rows} rows are known "
            "from {others}",
            role=role_in_words(self.role),
            customers_met=self.customers_met,
            customers=self.customers,
            share=self.share,
            rows_met=self.rows_met,
            rows=self.rows,
            others=[role_in_words(other) for other in self.others],
        )
        if self.unmet:
            text = together([text, said("not {ids!r}", ids=self.unmet)])
        return text

    @property
    def values(self) -> dict[str, Any]:
        """For manifests and JSON."""
        counts = {"rows": self.rows, "rows_met": self.rows_met}
        people = {"customers": self.customers, "customers_met": self.customers_met}
        return {"compared_with": list(self.others), **counts, **people, "unmet": list(self.unmet)}


def compared(config: Config) -> dict[str, tuple[str, ...]]:
    """Which roles each role is compared with: those that say who is a customer, and the customers source with all.

    Somebody may stand in the customers source and in no other, so it is not compared itself where it does not decide.
    """
    given = tuple(config.sources.given)
    base = config.sources.base(config.churn.kind)
    known = tuple(role for role in dict.fromkeys((base, "customers")) if role in given)
    found = {role: tuple(r for r in known if r != role) for role in given if role not in ("customers",)}
    return {role: others for role, others in found.items() if others}


def matches(ids: Ids, config: Config) -> tuple[Match, ...]:
    """Compare the ids of every role with those of the others; simple rules are tried where few meet."""
    return tuple(_match(role, others, ids, config) for role, others in compared(config).items())


def faults_of_matches(found: Sequence[Match]) -> list[Fault]:
    """A fault for each role of whose customers the others have none."""
    return [
        Fault(
            f"sources.{m.role}",
            f"none of its {m.customers:,} customers is known from {' or '.join(m.others)}: {m.role} has "
            f"{shown(m.unmet)}, {' and '.join(m.others)} {'has' if len(m.others) == 1 else 'have'} {shown(m.theirs)}",
            f"write {' and '.join(m.advice)}"
            if m.advice
            else f"map the same id of a customer in sources.{m.role}.columns.customer_id as in the others",
        )
        for m in found
        if m.customers and not m.customers_met
    ]


def looks_of(found: Sequence[Match], config: Config) -> list[Said]:
    """What a person should look at: roles of whose customers the others have too few."""
    looks = []
    for m in found:
        limit = config.sources.given[m.role].min_known_share
        if 0 < m.share < limit:
            step = said(
                "if that is as it should be, set `sources.{role}.min_known_share` (now {limit:g})",
                role=m.role,
                limit=limit,
            )
            fix = [said("write {lines}, or", lines=[f"`{line}`" for line in m.advice])] if m.advice else []
            looks.append(together([m.line, *fix, step]))
    return looks


def _match(role: str, others: tuple[str, ...], ids: Ids, config: Config) -> Match:
    rows, customers, rows_met, customers_met = (
        ids.counts[f"{role} {name}"] for name in ("rows", "customers", "rows met", "customers met")
    )
    match = Match(role, others, rows, customers, rows_met, customers_met)
    if match.customers_met == match.customers:
        return match
    few = match.share < config.sources.given[role].min_known_share
    advice = _advice(role, others, ids, config) if few else ()
    return replace(
        match,
        unmet=_some(ids.unmet(role, others)),
        theirs=_some(_union([ids[other] for other in others])),
        advice=advice,
    )


def _advice(role: str, others: tuple[str, ...], ids: Ids, config: Config) -> tuple[str, ...]:
    """The lines of the shortest rule by which most of the ids that meet nobody would meet somebody."""
    tried = ids.unmet(role, others).order_by("customer_id").limit(_TRIED)
    count = arrow(tried.aggregate(n=tried.count()))["n"][0].as_py()
    beginnings = _beginnings(_texts(tried)), _beginnings(_texts(_union([ids[o] for o in others])))
    for rules in _rules(*beginnings):
        mine, hers = (Column(column="x", **rule) for rule in rules)
        left = tried.select(id_=tidied(tried.customer_id, mine)).distinct()
        right = _union([ids[other] for other in others])
        right = right.select(id_=tidied(right.customer_id, hers)).distinct()
        joined = left.semi_join(right, "id_")
        if arrow(joined.aggregate(n=joined.count()))["n"][0].as_py() >= max(1, _JOINS * count):
            sides = {role: rules[0], **dict.fromkeys(others, rules[1])}
            return tuple(
                line(name, config.sources.given[name].mapped["customer_id"], **rule)
                for name, rule in sides.items()
                if rule and _changes(ids[name], Column(column="x", **rule))
            )
    return ()


def _rules(own: Sequence[str], theirs: Sequence[str]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """What may be tried, the simplest first: for the role, and for those it is compared with."""
    prefixes = [("", ""), *((p, "") for p in own), *(("", p) for p in theirs)]
    found: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for size in range(_LONGEST_RULE + 1):
        for one, other in prefixes:
            tidyings = size - bool(one or other)
            for names in combinations(TIDYINGS, tidyings) if tidyings >= 0 else ():
                tidy = {"tidy": list(names)} if names else {}
                mine, hers = ({"without_prefix": p} if p else {} for p in (one, other))
                found.append((mine | tidy, hers | tidy))
    return found[1:]  # the first is no rule at all


def _beginnings(ids: Sequence[str]) -> list[str]:
    """What all ids begin with, up to the first digit, and all shorter beginnings of it, the longest last.

    Examples
    --------
    >>> _beginnings(["cus_C01", "cus_C02"])
    ['c', 'cu', 'cus', 'cus_', 'cus_C']
    """
    first, last = (min(ids), max(ids)) if ids else ("", "")  # what these two share all do
    shared = first[
        : next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    ]
    letters = shared[: next((i for i, sign in enumerate(shared) if sign.isdigit()), len(shared))]
    return [letters[:n] for n in range(1, len(letters) + 1)][:_LONGEST_PREFIX]


def _changes(ids: ir.Table, rule: Column) -> bool:
    changed = tidied(ids.customer_id, rule) != ids.customer_id
    return bool(arrow(ids.aggregate(n=changed.sum()))["n"][0].as_py())


def _union(tables: Sequence[ir.Table]) -> ir.Table:
    ids = [table.select("customer_id") for table in tables]
    return ibis.union(*ids, distinct=True) if len(ids) > 1 else ids[0]


def _texts(ids: ir.Table, limit: int = _TRIED) -> list[str]:
    first = ids.select("customer_id").order_by("customer_id").limit(limit)
    return arrow(first)["customer_id"].to_pylist()


def _some(ids: ir.Table) -> tuple[str, ...]:
    return tuple(_texts(ids, SAMPLES))
