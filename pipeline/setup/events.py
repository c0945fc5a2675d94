"""Which column of a table of events plays which part: purchases, contacts, answers and their like."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from configs.roles import ROLES, RoleColumn
from pipeline.setup.columns import (
    FEW_VALUES,
    RolePart,
    has_decimals,
    ranked,
    rule_of,
    time_columns,
    writing_of,
)
from pipeline.setup.tables import GivenTable
from pipeline.sources.ids import NOBODY, are_too_many
from pipeline.sources.profiles import Profile

NOT_SOLD = frozenset(
    {
        *("cancelled", "canceled", "refunded", "returned", "storniert", "لغو"),
        *("failed", "declined", "rejected", "void", "voided", "abandoned"),
        *("pending", "unpaid", "open", "offen", "draft"),
        *("closedlost", "closed_lost"),
    }
)


def events_part(table: GivenTable, who: Profile, role: str, doubts: list[str]) -> RolePart:
    """The table as one row an event."""
    columns: dict[str, Any] = {"customer_id": who.name}
    used = {who.name}
    clock = clock_of(table, used)
    if clock is None:
        return RolePart(role, table, columns, doubts=(*doubts, "no column with a time"))
    columns["occurred_at"] = rule_of(clock, time=True)
    used.add(clock.name)
    read = [clock]
    for name, concept, kinds in _PARTS:
        if name not in ROLES[role].columns or name in columns:
            continue
        fits = [c for c in ranked(table, concept, kinds, used) if _plays(c, name, role)]
        if fits:
            columns[name] = rule_of(fits[0], time=fits[0].kind == "time")
            used.add(fits[0].name)
            read.append(fits[0])
    if (
        role == "transactions"
        and "transaction_id" not in columns
        and (numbered := _order_numbers(table, used))
    ):
        columns["transaction_id"] = numbered.name
        used.add(numbered.name)
    where = [{"column": who.name, "is_null": False}] if who.filled < who.rows else []
    where += _guests(table, who)
    if "amount" in ROLES[role].columns:
        amounts = _amount(table, columns, used)
        read += amounts
        where += _first_lines(table, columns, amounts)
    where += _sold(table, role, used)
    return RolePart(role, table, columns, where=tuple(where), settings=writing_of(read), doubts=tuple(doubts))


_PARTS: Sequence[tuple[str, str, tuple[str, ...]]] = (
    ("known_at", "known_at", ("time",)),
    ("resolved_at", "resolved_at", ("time",)),
    ("recovered_at", "recovered_at", ("time",)),
    ("transaction_id", "transaction_id", ("text", "number")),
    ("points", "points", ("number",)),
    ("score", "score", ("number",)),
    ("kind", "kind", ("text",)),
    ("channel", "channel", ("text",)),
    ("direction", "direction", ("text",)),
    ("agent", "agent", ("text", "number")),
    ("topic", "topic", ("text",)),
    ("event", "event", ("text",)),
    ("value", "value", ("number",)),
)


def _is_one_of(column: Profile, declared: RoleColumn) -> bool:
    return not declared.one_of or {value.lower() for value in column.samples} <= set(declared.one_of)


def _plays(column: Profile, name: str, role: str) -> bool:
    """Whether the values of a column can play a part."""
    if not _is_one_of(column, ROLES[role].column(name)):
        return False
    if name in ("topic", "kind", "event", "channel"):
        return column.different <= max(FEW_VALUES * 10, column.filled // 10)
    return name != "transaction_id" or column.empty_share == 0


def _guests(table: GivenTable, who: Profile) -> list[dict[str, Any]]:
    """The condition that leaves out rows of nobody: a mark that stands where the id of a guest would."""
    marks = sorted(value for value in set(who.samples) if value.casefold() in NOBODY)
    if not marks or who.is_unique:
        return []
    rows = table.rows.filter(table.rows[who.name].cast("string").isin(marks)).count().to_pyarrow().as_py()
    return [{"column": who.name, "none_of": marks}] if are_too_many(rows, who.filled, who.different) else []


def _plain_status(word: str) -> str:
    return word.lower().removeprefix("wc-").replace(" ", "_")


def _order_numbers(table: GivenTable, used: Collection[str]) -> Profile | None:
    """A column of numbers of orders that no name tells, such as '#1001' under Name; every row has one."""
    fits = (c for c in table.columns if c.name not in used and c.kind == "text" and c.filled == c.rows)
    return next((c for c in fits if all(re.fullmatch(r"#\w*\d+", value) for value in c.samples)), None)


def _first_lines(
    table: GivenTable, columns: Mapping[str, Any], amounts: Sequence[Profile]
) -> list[dict[str, Any]]:
    """The condition for the lines of an order that have its sum, where the other lines have none."""
    number = columns.get("transaction_id")
    if number is None or len(amounts) != 1:
        return []
    lines = table.column(number)
    if amounts[0].filled == lines.different < lines.rows:
        return [{"column": amounts[0].name, "is_null": False}]
    return []


def clock_of(table: GivenTable, used: Collection[str]) -> Profile | None:
    """The time at which a row occurred."""
    times = [c.name for c in time_columns(table) if c.name not in used]
    ordered = [c for c in ranked(table, "occurred_at") if c.name in times]
    full = [c for c in ordered if c.empty_share == 0] or ordered
    return full[0] if full else next((table.column(name) for name in times), None)


def _amount(table: GivenTable, columns: dict[str, Any], used: set[str]) -> list[Profile]:
    """Map the amount: a column of its own, else quantity times unit price; return what it is read from."""
    fits = ranked(table, "amount", ("number",), used)
    units, prices = (ranked(table, concept, ("number",), used) for concept in ("quantity", "unit_price"))
    price = next((c for c in prices if c not in units), None)
    own = [c for c in fits if not (units and price is c)]
    if own:
        columns["amount"] = own[0].name
        return own[:1]
    if units and price is not None:
        columns["amount"] = {"product": [units[0].name, price.name]}
        return [units[0], price]
    decimals = [c for c in table.columns if c.name not in used and has_decimals(c)]
    if table.settings.get("fields") and decimals:
        columns["amount"] = decimals[-1].name
        return decimals[-1:]
    return []


def _sold(table: GivenTable, role: str, used: Collection[str]) -> list[dict[str, Any]]:
    """The condition that leaves out orders which were not carried out."""
    if role != "transactions":
        return []
    for column in ranked(table, "status", ("text",), used):
        words = sorted(v for v in column.samples if _plain_status(v) in NOT_SOLD)
        if words and len(words) < column.different:
            return [{"column": column.name, "none_of": words}]
    return []
