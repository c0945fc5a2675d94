"""Purchases among the events of a log: rows of another role in the same table."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from pipeline.setup.columns import RolePart, ranked
from pipeline.setup.events import events_part
from pipeline.setup.table_words import is_purchase
from pipeline.setup.tables import GivenTable
from pipeline.sources.profiles import Profile


def event_of(table: GivenTable, used: Collection[str]) -> Profile | None:
    """The column that tells purchases from views, clicks and the like; None where no row or every row is a purchase."""
    columns = ranked(table, "event", ("text",), used)
    return next((c for c in columns if 0 < len(purchases_of(c)) < c.different), None)


def purchases_of(column: Profile) -> list[str]:
    """The values of a column that stand for purchases."""
    return sorted(value for value in column.samples if is_purchase(value))


def with_purchases(part: RolePart) -> list[RolePart]:
    """A part, and the purchases among its events of use where there are any."""
    who = part.columns.get("customer_id")
    event = event_of(part.table, {who}) if part.role == "usage" and isinstance(who, str) else None
    if event is None:
        return [part]
    bought = events_part(part.table, part.table.column(str(who)), "transactions", [])
    only = {"column": event.name, "one_of": purchases_of(event)}
    # Many come, look and never buy: their ids are known from nowhere else, and need not be.
    return [
        replace(part, settings={**part.settings, "min_known_share": 0.0}),
        replace(bought, where=(*bought.where, only)),
    ]
