"""Which column of a table of events plays which part: purchases, contacts, answers and their like."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from configs.roles import ROLES, RoleColumn
from pipeline.setup.columns import (
    FEW_VALUES,
    RolePart,
    ranked,
    rule_of,
    time_columns,
    writing_of,
)
from pipeline.setup.costs_of_purchases import Cost, cost_of
from pipeline.setup.statuses import given_back, no_sales, not_sold
from pipeline.setup.tables import GivenTable
from pipeline.setup.talks import channel_of, direction_of
from pipeline.sources.ids import NOBODY, SUM_WORDS, are_too_many
from pipeline.sources.profiles import Profile


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
        elif name == "direction" and (way := direction_of(table, used)):
            columns[name] = way[1]
            used.add(way[0].name)
        elif name == "channel" and role == "contacts" and (by := channel_of(table, used)):
            columns[name] = by.name
            used.add(by.name)
    if (
        role == "transactions"
        and "transaction_id" not in columns
        and (numbered := _order_numbers(table, used))
    ):
        columns["transaction_id"] = numbered.name
        used.add(numbered.name)
    where = [{"column": who.name, "is_null": False}] if who.filled < who.rows else []
    where += _guests(table, who)
    cost = Cost()
    if "amount" in ROLES[role].columns:
        cost = cost_of(table, columns.get("transaction_id"), used, needed=role == "transactions")
        read += cost.read
        where += cost.where
    if cost.rule is not None:
        columns["amount"] = cost.rule
    part = RolePart(
        role,
        table,
        columns,
        where=tuple(where),
        settings=writing_of(read),
        doubts=tuple(doubts),
        unsettled=cost.unsettled,
    )
    return _purchases(part, cost, used) if role == "transactions" else part


def _purchases(part: RolePart, cost: Cost, used: Collection[str]) -> RolePart:
    """The part without rows that are no purchases."""
    where, unknown = not_sold(part.table, used)
    where += no_sales(part.table, used)
    document, words = given_back(part.table, used, cost.read[0] if len(cost.read) == 1 else None)
    returned = {"column": document, "one_of": words} if words else None
    if words:
        where.append({"column": document, "none_of": words})
    return replace(
        part, where=(*part.where, *where), unsettled=(*part.unsettled, *unknown), returned=returned
    )


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
    """The condition that leaves out rows of nobody: sums of other rows, and a mark that stands for guests."""
    told = table.rows[who.name].cast("string").strip()
    sums = sorted(v for v in _values(table, told.lower().isin(sorted(SUM_WORDS)), told) if v)
    if sums:
        return [{"column": who.name, "none_of": sums}]
    marks = sorted(value for value in set(who.samples) if value.casefold() in NOBODY)
    if not marks or who.is_unique:
        return []
    rows = table.rows.filter(table.rows[who.name].cast("string").isin(marks)).count().to_pyarrow().as_py()
    return [{"column": who.name, "none_of": marks}] if are_too_many(rows, who.filled, who.different) else []


def _values(table: GivenTable, condition: Any, column: Any) -> list[str]:
    return table.rows.filter(condition).select(v=column).distinct().to_pyarrow()["v"].to_pylist()


def _order_numbers(table: GivenTable, used: Collection[str]) -> Profile | None:
    """A column of numbers of orders that no name tells, such as '#1001' under Name; every row has one."""
    fits = (c for c in table.columns if c.name not in used and c.kind == "text" and c.filled == c.rows)
    return next((c for c in fits if all(re.fullmatch(r"#\w*\d+", value) for value in c.samples)), None)


def clock_of(table: GivenTable, used: Collection[str]) -> Profile | None:
    """The time at which a row occurred."""
    times = [c.name for c in time_columns(table) if c.name not in used]
    ordered = [c for c in ranked(table, "occurred_at") if c.name in times]
    full = [c for c in ordered if c.empty_share == 0] or ordered
    return full[0] if full else next((table.column(name) for name in times), None)
