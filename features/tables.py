"""What follows from the columns of the roles: conditions on their rows, and further tables.

A role's table is normalised by `pipeline.sources.opening`: the names and types of `configs.roles`, times in UTC without
a zone. Without `known_at` every row was known when it occurred.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import ibis
import ibis.expr.types as ir

from features.dialects import engine_of, epoch
from features.panel import Stat

Predicate = Callable[[Any], Any]

# Conditions that statistics may be restricted to, by role. Each names the columns that it reads.
PREDICATES: Mapping[str, Mapping[str, tuple[tuple[str, ...], Predicate]]] = {
    "transactions": {"redeemed": (("points",), lambda t: t.points < 0)},
    "feedback": {
        "low": (("score", "low"), lambda t: t.low),
        "unscored": (("unscored",), lambda t: t.unscored),
    },
    "contacts": {
        "inbound": (("direction",), lambda t: t.direction == "inbound"),
        "outbound": (("direction",), lambda t: t.direction == "outbound"),
        "complaint": (("complaint",), lambda t: t.complaint),
        "how_to": (("topic",), lambda t: t.topic.lower().like(["%howto%", "%how_to%"])),
        "issue": (("direction", "resolved_at"), lambda t: t.direction == "inbound"),
    },
}


def complaints(contacts: ir.Table, topics: Sequence[str]) -> ir.BooleanValue:
    """Whether each contact is a complaint: it did not come from us, and its topic contains one of the texts.

    Examples
    --------
    >>> topics, sides = ["Complaint", "Beschwerde", "complaint"], [None, "inbound", "outbound"]
    >>> contacts = ibis.memtable({"topic": topics, "direction": sides})
    >>> complaints(contacts, ["complain", "beschwerde"]).to_pyarrow().to_pylist()
    [True, True, False]
    """
    if "topic" not in contacts.columns:
        return ibis.literal(False)
    topic = contacts.topic.cast("string").lower()
    told = ibis.or_(*(topic.contains(text.lower()) for text in topics), False)
    if "direction" in contacts.columns:
        told &= contacts.direction.cast("string").fill_null("inbound") == "inbound"
    return told.fill_null(False)


# The columns of the contacts that each derived role is made of, beside those of every event.
DERIVED: Mapping[str, frozenset[str]] = {
    "our_people": frozenset({"agent"}),
    "their_people": frozenset({"contact_person"}),
    "resolutions": frozenset({"direction", "resolved_at"}),
}


def derived(tables: Mapping[str, ir.Table]) -> dict[str, ir.Table]:
    """Tables of the roles, and those that follow from them.

    `resolutions` is the contacts seen from their other clock: a row occurs when the issue was resolved, so that
    the issues open at t are those opened before t less those resolved before t. `our_people` and `their_people`
    have a row for each person on a side, at the moment at which the first contact with the person was known.
    """
    result = dict(tables)
    contacts = tables.get("contacts")
    if contacts is None:
        return result
    for role in ("our_people", "their_people"):
        (person,) = DERIVED[role]
        if person in contacts.columns:
            result[role] = _people(contacts, person)
    if DERIVED["resolutions"] <= set(contacts.columns):
        engine = engine_of(contacts)
        inbound = contacts.filter(contacts.direction == "inbound", contacts.resolved_at.notnull())
        known = (
            {"known_at": ibis.greatest(inbound.known_at, inbound.resolved_at)}
            if "known_at" in contacts.columns
            else {}
        )
        result["resolutions"] = inbound.select(
            customer_id=inbound.customer_id,
            occurred_at=ibis.greatest(inbound.occurred_at, inbound.resolved_at),
            **known,
            wait_days=ibis.greatest(
                (epoch(inbound.resolved_at, engine) - epoch(inbound.occurred_at, engine)) / 86_400.0, 0.0
            ),
        )
    return result


def _people(contacts: ir.Table, person: str) -> ir.Table:
    # The first moment of knowledge, not of the contact: an older contact that is entered later moves nothing.
    named = contacts.filter(contacts[person].notnull())
    clocks = [named[c] for c in ("occurred_at", "known_at") if c in named.columns]
    known = ibis.greatest(*clocks) if len(clocks) > 1 else clocks[0]
    return named.group_by("customer_id", person).agg(occurred_at=known.min()).drop(person)


def columns_read(
    tables: Mapping[str, ir.Table], roles: Collection[str], stats: Mapping[str, Collection[Stat]]
) -> dict[str, list[str]]:
    """The columns of each source that the statistics of some roles, derived ones among them, read.

    Examples
    --------
    >>> schema = {"customer_id": "string", "occurred_at": "timestamp", "channel": "string", "agent": "string"}
    >>> contacts = ibis.table(schema, name="contacts")
    >>> columns_read({"contacts": contacts}, ["our_people"], {"our_people": {Stat("count")}})
    {'contacts': ['customer_id', 'occurred_at', 'agent']}
    """
    read: dict[str, set[str]] = {}
    for role in roles:
        source = role if role in tables else "contacts"
        columns = read.setdefault(source, {"customer_id", "occurred_at", "known_at"})
        columns |= DERIVED.get(role, frozenset())
        for stat in stats[role]:
            columns |= {stat.column, *(PREDICATES[role][stat.where][0] if stat.where else ())}
    return {role: [c for c in tables[role].columns if c in columns] for role, columns in read.items()}
