"""Which role a table plays, and which of its columns plays which part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from configs.roles import ROLES
from pipeline.setup.among_events import event_of
from pipeline.setup.columns import (
    FEW_EMPTY,
    FEW_VALUES,
    RolePart,
    contracts_part,
    customers_part,
    has_decimals,
    is_named_time,
    one_by_one_part,
    ranked,
    span_of,
    time_columns,
)
from pipeline.setup.events import clock_of, events_part
from pipeline.setup.table_words import role_by_name
from pipeline.setup.tables import GivenTable
from pipeline.setup.words import rank
from pipeline.sources.names import words_of
from pipeline.sources.profiles import Profile

FEW_SCORES = 101
_BARE = 6  # the rank of `id` alone, which does not say whose
_EVENTS = ("transactions", "cancellations", "failed_payments", "feedback", "contacts", "usage")


def customer_ids(tables: Sequence[GivenTable], chosen: str | None) -> dict[str, tuple[Profile | None, str]]:
    """Table to the column that says who the customer is, and what is not sure about it.

    A column that several tables share wins over a better name, and where the best names of two tables have no value in
    common, columns that have; of tables with none the flag decides.
    """
    shared = _shared(tables)
    found: dict[str, tuple[Profile | None, str]] = {}
    named: dict[str, list[Profile]] = {}
    for table in tables:
        given = [c for c in table.columns if c.name == chosen]
        if given:
            found[table.name] = given[0], ""
            continue
        names = [c for c in ranked(table, "customer_id", ("number", "text")) if c.filled]
        if role_by_name(table.name) in _EVENTS and role_by_name(table.name) != "contacts":
            # A bare number of the rows of events is theirs, and nobody's who comes again.
            names = [c for c in names if (rank(c.name, "customer_id") or 0) < _BARE or not c.is_unique]
        named[table.name] = names
        best = min(
            names,
            key=lambda c: (rank(c.name, "customer_id") or 0) - 2 * (words_of(c.name) in shared),
            default=None,
        )
        doubt = (
            ""
            if best is None or (rank(best.name, "customer_id") or 0) < 4
            else f"takes {best.name!r} for the customer"
        )
        found[table.name] = (best, doubt)
    known = [who for who, _ in found.values() if who is not None]
    for table in tables:
        if found[table.name][0] is None:
            found[table.name] = _by_key(table, tables) if not known else (None, "")
            if found[table.name][0] is None:
                who, doubt = _by_values(table)
                # Where other tables name the customer, numbers that none of them knows are somebody else's.
                met = not known or any(_meet(who, one) for one in known)
                found[table.name] = (who, doubt) if met else (None, "")
    return found | _by_meeting({name: who for name, (who, _) in found.items()}, named)


def _by_meeting(
    found: Mapping[str, Profile | None], named: Mapping[str, Sequence[Profile]]
) -> dict[str, tuple[Profile | None, str]]:
    """Of tables whose customers nobody else knows: the first columns named like one whose values meet."""
    alone = [
        name
        for name in named
        if not any(_meet(found[name], who) for other, who in found.items() if other != name)
    ]
    pairs: list[dict[str, tuple[Profile | None, str]]] = [
        {one: (a, ""), other: (b, "")}
        for one, other in combinations(alone, 2)
        for a in named[one]
        for b in named[other]
        if _meet(a, b)
    ]
    return pairs[0] if pairs else {}


def _meet(one: Profile | None, other: Profile | None) -> bool:
    """Whether columns have values in common: samples are drawn by their hash, the same ones of the same values."""
    if one is None or other is None:
        return False
    return not {v.strip().casefold() for v in one.samples}.isdisjoint(
        v.strip().casefold() for v in other.samples
    )


def _by_key(table: GivenTable, tables: Sequence[GivenTable]) -> tuple[Profile | None, str]:
    """A column that another table has by the same name and with the same values, once each in one of the two."""
    pairs = [
        (own, other)
        for own in table.columns
        for beside in tables
        for other in beside.columns
        if beside is not table and words_of(own.name) == words_of(other.name)
    ]
    fits = [
        own
        for own, other in pairs
        if own.is_unique != other.is_unique and _may_be_somebody(own) and _meet(own, other)
    ]
    best = max(fits, key=lambda c: c.different, default=None)
    return best, "" if best is None else f"takes {best.name!r} for the customer"


def _may_be_somebody(column: Profile) -> bool:
    """Whether a column holds numbers or names of many, and not those of purchases or of things."""
    others = ("transaction_id", "thing")
    return (
        column.kind in ("text", "number")
        and not column.formats
        and column.different > FEW_VALUES
        and column.empty_share < FEW_EMPTY
        and not has_decimals(column)
        and not _is_measure(column)
        and all(rank(column.name, other) is None for other in others)
    )


def _by_values(table: GivenTable) -> tuple[Profile | None, str]:
    """The first column of many values that come again: in fixed-width files, and where no name helps."""
    bare = "fields" in table.settings
    fits = [
        c
        for c in table.columns
        if _may_be_somebody(c) and (bare or (not c.is_unique and not is_named_time(c.name)))
    ]
    if not fits:
        return None, ""
    best = fits[0]
    return best, "" if table.settings.get("fields") else f"takes {best.name!r} for the customer"


def _is_measure(column: Profile) -> bool:
    """Whether a name says that the column counts or measures something."""
    return any(
        rank(column.name, name) is not None for name in ("amount", "quantity", "value", "score", "points")
    )


def _shared(tables: Sequence[GivenTable]) -> set[str]:
    names = [
        words_of(c.name) for table in tables for c in table.columns if rank(c.name, "customer_id") is not None
    ]
    return {name for name in names if names.count(name) > 1 and name != "id"}


def part_of(table: GivenTable, who: Profile, role: str | None, doubt: str) -> RolePart:
    """The table in its role, given or guessed."""
    found = role or role_of(table, who)
    doubts = [doubt] * bool(doubt)
    if found == "transactions" and who.is_unique and who.rows >= FEW_VALUES:
        doubts.append(
            f"{who.name!r} of {table.name} stands there once each: numbers of purchases, not of customers?"
        )
    if role is None and found == "usage" and role_by_name(table.name) is None and not _is_usage(table, who):
        doubts.append(f"takes {table.name} for usage (--role {table.name}=ROLE)")
    if found == "customers":
        return customers_part(table, who, doubts)
    if found == "contracts":
        return (
            contracts_part(table, who, doubts)
            if "contracts" in ROLES
            else one_by_one_part(table, who, doubts)
        )
    return events_part(table, who, found, doubts)


def role_of(table: GivenTable, who: Profile) -> str:
    """The role of a table by its name, its columns and whether a customer stands there once."""
    named = role_by_name(table.name)
    if named == "contacts" and who.is_unique and ranked(table, "name") and not _is_handled(table, who):
        return "customers"  # people that one can contact, and not what was said to them
    spans = span_of(table, {who.name})
    if named == "contracts" and {"started_at", "ended_at"} <= set(spans):
        return "contracts"
    if not time_columns(table) or (
        who.is_unique
        and (named in (None, "customers", "contracts") or ("ended_at" in spans and named not in _EVENTS))
    ):
        return "customers"
    if {"started_at", "ended_at"} <= set(spans) and named in (None, "contracts", "customers"):
        return "contracts"
    if event_of(table, {who.name}) is not None and named in (None, "usage"):
        return "usage"
    if named in _EVENTS:
        return str(named)
    for concept, found in ROLES_BY_COLUMN.items():
        if _has(table, concept, who):
            return found
    return "transactions" if table.settings.get("fields") or _has_prices(table, who) else "usage"


ROLES_BY_COLUMN = {
    "score": "feedback",
    "bought_at": "transactions",
    "unit_price": "transactions",
    "transaction_id": "transactions",
    "direction": "contacts",
    "agent": "contacts",
    "resolved_at": "contacts",
    "amount": "transactions",
    "channel": "contacts",
}


def _has(table: GivenTable, concept: str, who: Profile) -> bool:
    found = ranked(table, concept, used={who.name})
    if concept == "amount":
        return any(rank(c.name, concept) in (0, 1) and c.kind == "number" for c in found)
    if concept == "score":
        return any(c.kind == "number" and c.different <= FEW_SCORES for c in found)
    if concept == "resolved_at":
        return any(c.kind == "time" for c in found)
    if concept == "bought_at":
        clock = clock_of(table, {who.name})
        return clock is not None and rank(clock.name, concept) is not None
    if concept == "unit_price":
        return any(c.kind == "number" for c in found) and bool(ranked(table, "quantity", ("number",)))
    return any(rank(c.name, concept) == 0 for c in found)


def _has_prices(table: GivenTable, who: Profile) -> bool:
    """Whether each row has a price, and none says that it is anything else than a purchase."""
    prices = [c for c in ranked(table, "unit_price", ("number",)) if has_decimals(c) and c.filled == c.rows]
    return bool(prices) and not _is_usage(table, who)


def _is_handled(table: GivenTable, who: Profile) -> bool:
    """Whether the rows are what our people have dealt with, and not people."""
    return any(_has(table, concept, who) for concept in ("resolved_at", "agent", "direction"))


def _is_usage(table: GivenTable, who: Profile) -> bool:
    return bool(ranked(table, "event", ("text", "flag"), {who.name}))
