"""What follows from the columns of the roles: conditions on their rows, and further tables.

A role's table is normalised by `pipeline.sources.opening`: the names and types of `configs.roles`, times in UTC without
a zone. Without `known_at` every row was known when it occurred.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import ibis
import ibis.expr.types as ir

from features import contracts
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
    "contract_changes": {
        "up": (("change",), lambda t: t.change > 0),
        "down": (("change",), lambda t: t.change < 0),
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


def by_us(contacts: ir.Table) -> ir.BooleanValue:
    """Whether each contact was made by us: one that does not say its direction starts a rest, and was made.

    Examples
    --------
    >>> contacts = ibis.memtable({"direction": [None, "inbound", "outbound"]})
    >>> by_us(contacts).to_pyarrow().to_pylist()
    [True, False, True]
    """
    if "direction" not in contacts.columns:
        return ibis.literal(True)
    return contacts.direction.cast("string").fill_null("outbound") == "outbound"


_SPAN = frozenset({"paid_at", "started_at", "ended_at"})
# The source that each derived role is made of, and its columns beside those of every event.
DERIVED: Mapping[str, tuple[str, frozenset[str]]] = {
    "our_people": ("contacts", frozenset({"agent"})),
    "their_people": ("contacts", frozenset({"contact_person"})),
    "resolutions": ("contacts", frozenset({"direction", "resolved_at"})),
    "recoveries": ("failed_payments", frozenset({"recovered_at"})),
    "contract_starts": ("contracts", _SPAN),
    "contract_terms": ("contracts", _SPAN | {"term_ends_at"}),
    "contract_ends": ("contracts", _SPAN),
    "contract_changes": ("contracts", _SPAN | {"level", "grace_days"}),
    "contract_trials": ("contracts", _SPAN | {"tried"}),
    "contract_pauses": ("contracts", _SPAN | {"paused_at"}),
    "contract_resumptions": ("contracts", _SPAN | {"paused_at", "resumed_at"}),
}
OF_CONTRACTS: Mapping[str, Callable[[ir.Table], ir.Table]] = {
    "contract_starts": contracts.starts,
    "contract_terms": contracts.contract_terms,
    "contract_ends": contracts.ends,
    "contract_changes": contracts.changes,
    "contract_trials": contracts.trials,
    "contract_pauses": contracts.pauses,
    "contract_resumptions": contracts.resumptions,
}


def derived(tables: Mapping[str, ir.Table]) -> dict[str, ir.Table]:
    """Tables of the roles, and those that follow from them.

    `resolutions` is the contacts seen from their other clock: a row occurs when the issue was resolved, so that
    the issues open at t are those opened before t less those resolved before t. In the same way `recoveries` is the
    failed payments at the time at which they were paid after all. `our_people` and `their_people` have a row for each
    person on a side, at the moment at which the first contact with the person was known. What follows from contracts is
    said in `features.contracts`.
    """
    result = dict(tables)
    for role, (source, columns) in DERIVED.items():
        rows = tables.get(source)
        if rows is None or not columns <= set(rows.columns):
            continue
        if role in ("our_people", "their_people"):
            (person,) = columns
            result[role] = _people(rows, person)
        elif role in OF_CONTRACTS:
            result[role] = OF_CONTRACTS[role](rows)
        elif role == "resolutions":
            result[role] = _settled(rows.filter(rows.direction == "inbound"), "resolved_at")
        else:
            result[role] = _settled(rows, "recovered_at")
    return result


def _settled(rows: ir.Table, time: str) -> ir.Table:
    """A row for each that is settled, at the time at which it was, with the days that it took."""
    engine = engine_of(rows)
    done = rows.filter(rows[time].notnull())
    known = {"known_at": ibis.greatest(done.known_at, done[time])} if "known_at" in rows.columns else {}
    wait = (epoch(done[time], engine) - epoch(done.occurred_at, engine)) / 86_400.0
    return done.select(
        customer_id=done.customer_id,
        occurred_at=ibis.greatest(done.occurred_at, done[time]),
        **known,
        wait_days=ibis.greatest(wait, 0.0),
    )


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
        source, made_of = (role, frozenset[str]()) if role in tables else DERIVED[role]
        columns = read.setdefault(source, {"customer_id", "occurred_at", "known_at"})
        columns |= made_of
        for stat in stats[role]:
            columns |= {stat.column, *(PREDICATES[role][stat.where][0] if stat.where else ())}
    return {role: [c for c in tables[role].columns if c in columns] for role, columns in read.items()}
