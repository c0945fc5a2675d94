"""What each source role must have, and the facts derived from its columns.

A role's table is normalised by `pipeline.sources`: these names, these types, times in UTC without a zone. Without
`known_at` every row was known when it occurred.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import ibis
import ibis.expr.types as ir

from features.dialects import engine_of, epoch

ColumnType = Literal["text", "number", "time"]

EVENT: Mapping[str, ColumnType] = {"customer_id": "text", "occurred_at": "time", "known_at": "time"}

ROLES: Mapping[str, Mapping[str, ColumnType]] = {
    "customers": {"customer_id": "text", "started_at": "time", "ended_at": "time", "end_reason": "text"},
    "transactions": {**EVENT, "amount": "number", "transaction_id": "text"},
    "cancellations": {**EVENT, "amount": "number", "transaction_id": "text"},
    "feedback": {**EVENT, "score": "number", "kind": "text"},
    "contacts": {
        **EVENT,
        "channel": "text",
        "direction": "text",
        "agent": "text",
        "topic": "text",
        "resolved_at": "time",
    },
    "usage": {**EVENT, "event": "text", "value": "number"},
}

NOT_NULL = frozenset({"customer_id", "occurred_at", "started_at", "transaction_id"})
NOT_NEGATIVE = {("transactions", "amount"), ("cancellations", "amount")}
ALLOWED: Mapping[tuple[str, str], tuple[str, ...]] = {("contacts", "direction"): ("inbound", "outbound")}

Predicate = Callable[[Any], Any]

# Conditions that statistics may be restricted to, by role. Each names the columns that it reads.
PREDICATES: Mapping[str, Mapping[str, tuple[tuple[str, ...], Predicate]]] = {
    "feedback": {"low": (("score", "low"), lambda t: t.low)},
    "contacts": {
        "inbound": (("direction",), lambda t: t.direction == "inbound"),
        "outbound": (("direction",), lambda t: t.direction == "outbound"),
        "complaint": (("topic",), lambda t: t.topic.lower().contains("complain")),
        "how_to": (("topic",), lambda t: t.topic.lower().like(["%howto%", "%how_to%"])),
        "issue": (("direction", "resolved_at"), lambda t: t.direction == "inbound"),
    },
}


def derived(tables: Mapping[str, ir.Table]) -> dict[str, ir.Table]:
    """Tables of the roles, and those that follow from them.

    `resolutions` is the contacts seen from their other clock: a row occurs when the issue was resolved, so that
    the issues open at t are those opened before t less those resolved before t.
    """
    result = dict(tables)
    contacts = tables.get("contacts")
    if contacts is not None and {"resolved_at", "direction"} <= set(contacts.columns):
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
