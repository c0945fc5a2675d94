"""The contract of each role: columns made, typed and checked in one pass over the rows."""

from __future__ import annotations

import difflib
import operator
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import ibis
import ibis.expr.types as ir

from configs.errors import Fault
from configs.roles import ROLES, ColumnType, RoleSource
from configs.sources import Column, Where
from features.dialects import engine_of
from pipeline.sources.parsing import YEARS, ZONE, as_number, as_text, as_time

SAMPLES = 5


@dataclass(frozen=True)
class Checked:
    """A role's table, and the conditions under which a row breaks the contract.

    Parameters
    ----------
    table
        The normalised columns, and a boolean column per condition.
    conditions
        Name of a boolean column -> the fault that it stands for.
    columns
        Names of the normalised columns.
    """

    table: ir.Table
    conditions: Mapping[str, Fault]
    columns: tuple[str, ...]


def missing_columns(role: str, source: RoleSource[Any], raw: ir.Table) -> list[Fault]:
    """A fault for each column that the config names and the file does not have."""
    named = [(f"columns.{name}", column) for name, rule in source.mapped.items() for column in rule.inputs]
    named += [("where", condition.column) for condition in source.where]
    faults = []
    for place, column in named:
        if column not in raw.columns:
            near = difflib.get_close_matches(column, raw.columns, n=1, cutoff=0.4)
            hint = f"did you mean '{near[0]}'?" if near else f"it has: {', '.join(raw.columns[:12])}"
            faults.append(Fault(f"sources.{role}.{place}", f"no column '{column}' in {source.shown}", hint))
    return faults


def unsupported(role: str, source: RoleSource[Any], raw: ir.Table) -> list[Fault]:
    """A fault for each rule of the config that the engine of the table can't follow."""
    engine = engine_of(raw)
    times = [n for n in source.mapped if ROLES[role].column(n).kind == "time"]
    view = "make a view in the database with a typed column in UTC and read that"
    faults = [
        Fault(f"sources.{role}.columns.{name}.format", "a format is read from files only", view)
        for name in times
        if source.mapped[name].format and engine != "duckdb"
    ]
    if engine == "sqlite" and times and source.time_zone != "UTC":
        what = f"is {source.time_zone}, but SQLite knows no time zones"
        faults.append(Fault(f"sources.{role}.time_zone", what, view))
    return faults


def check(role: str, source: RoleSource[Any], raw: ir.Table, *, numbered: bool = False) -> Checked:
    """Normalise the rows of a role that the config's conditions let through.

    With `numbered` there is a column `row_`, the row's number in the files from 1; numbering is slow, so it is
    asked for only to name the rows that break the contract; columns `raw_...` hold what could not be read.
    """
    rows = raw.mutate(row_=ibis.row_number() + 1) if numbered else raw.distinct() if source.distinct else raw
    for condition in source.where:
        rows = rows.filter(_test(rows[condition.column], condition, source.decimal))
    values: dict[str, Any] = {"row_": rows.row_} if numbered else {}
    conditions: dict[str, Fault] = {}
    for name, rule in source.mapped.items():
        declared = ROLES[role].column(name)
        value, bad = _column(rows, rule, declared.kind, source)
        values[name] = value
        where = f"{source.shown}, column {name}"
        if bad is not None:
            values[f"bad_{name}"] = bad
            shape = f"of the form {rule.format}" if rule.format else f"of the years {YEARS[0]} to {YEARS[1]}"
            expected = {"time": f"a date or time {shape}"}.get(declared.kind, "a number")
            conditions[f"bad_{name}"] = Fault(where, f"is not {expected}", "correct it")
            if numbered and rule.column:
                values[f"raw_{name}"] = rows[rule.column].cast("string")
        if declared.filled:
            values[f"null_{name}"] = _is_null(rows, rule) | (value.cast("string") == "")
            conditions[f"null_{name}"] = Fault(
                where, "is empty", f"fill it in, or leave such rows out with sources.{role}.where"
            )
        if declared.one_of:
            values[name] = value.lower()
            values[f"other_{name}"] = ~values[name].isin(declared.one_of)
            conditions[f"other_{name}"] = Fault(where, f"is none of {', '.join(declared.one_of)}")
    if "known_at" in values:
        values["known_at"] = ibis.coalesce(values["known_at"], values["occurred_at"])
    columns = tuple(n for n in values if n != "row_" and not n.startswith("raw_") and n not in conditions)
    return Checked(rows.select(**values), conditions, columns)


def one_row_a_transaction(role: str, table: ir.Table) -> ir.Table:
    """Lines that share customer and transaction become one row: first time, sum of what adds up."""
    rest = {"known_at": table.known_at.max()} if "known_at" in table.columns else {}
    rest |= {name: table[name].sum() for name in table.columns if ROLES[role].column(name).adds_up}
    return table.group_by("customer_id", "transaction_id").agg(occurred_at=table.occurred_at.min(), **rest)


def whole_row_checks(role: str, source: RoleSource[Any], rows: ir.Table) -> dict[str, tuple[Any, Fault]]:
    """Checks that wait until lines are joined: name -> (where a row breaks it, the fault)."""
    checks: dict[str, tuple[Any, Fault]] = {}
    for name in rows.columns:
        where = f"{source.shown}, column {name}"
        if ROLES[role].column(name).not_negative:
            fix = f"leave returns out with sources.{role}.where, or give them to sources.cancellations"
            checks[f"negative_{name}"] = rows[name] < 0, Fault(where, "is negative", fix)
        if rows[name].type().is_floating():
            # Not a number is above every number.
            endless = rows[name].abs() > sys.float_info.max
            checks[f"infinite_{name}"] = endless, Fault(where, "is infinite or not a number", "correct it")
    return checks


def mixed_zones(role: str, source: RoleSource[Any], raw: ir.Table) -> dict[str, tuple[Any, Any]]:
    """For each time kept as text: how many rows carry a zone, and how many do not."""
    result = {}
    for name, rule in source.mapped.items():
        if (
            ROLES[role].column(name).kind == "time"
            and rule.column
            and raw[rule.column].type().is_string()
            and not rule.format
        ):
            text = raw[rule.column]
            zoned = text.strip().re_search(ZONE)
            result[name] = (zoned.sum(), (text.notnull() & ~zoned).sum())
    return result


def _is_null(table: ir.Table, rule: Column) -> Any:
    return reduce(operator.or_, [table[c].isnull() for c in rule.inputs], ibis.literal(False))


def _column(table: ir.Table, rule: Column, kind: ColumnType, source: RoleSource[Any]) -> tuple[Any, Any]:
    """The value of a column, and where it can't be read (None where that can't happen)."""
    if rule.constant is not None:
        value = ibis.literal(rule.constant)
        return (value.cast("string") if kind == "text" else value), None
    if rule.join:
        return tidied(ibis.literal("-").join([as_text(table[c]).strip() for c in rule.join]), rule), None
    if rule.product:
        parts = [as_number(table[c], source.decimal) for c in rule.product]
        value = reduce(operator.mul, [p for p, _ in parts])
        bad = reduce(operator.or_, [b for _, b in parts if b is not None], ibis.literal(False))
    else:
        raw = table[rule.column]
        if kind == "as it stands":
            kind = "number" if raw.type().is_numeric() and not raw.type().is_boolean() else "text"
        if kind == "text":
            return tidied(as_text(raw).strip(), rule), None
        if kind == "time":
            return as_time(raw, rule.format, source.time_zone)
        value, bad = as_number(raw, source.decimal)
    return (-value if rule.negate else value), bad


def tidied(text: Any, rule: Column) -> Any:
    """A text as the rule of its column wants it written: without a prefix, then tidied in a fixed order.

    Examples
    --------
    >>> ids = ibis.memtable({"id": ["cus_0012", "CUS_12", " 7 8 ", "12.0", "000"]}).id
    >>> both = Column(column="id", without_prefix="cus_", tidy=["drop_zeros"])
    >>> tidied(ids, both).to_pyarrow().to_pylist()
    ['12', 'CUS_12', ' 7 8 ', '12.0', '0']
    >>> all_four = Column(column="id", tidy=["drop_blanks", "drop_zeros", "drop_point_zero", "lower"])
    >>> tidied(ids, all_four).to_pyarrow().to_pylist()
    ['cus_0012', 'cus_12', '78', '12', '0']
    """
    if rule.without_prefix:
        begins = text.startswith(rule.without_prefix)
        text = ibis.ifelse(begins, text.substr(len(rule.without_prefix)), text)
    for name, tidy in TIDYINGS.items():
        if name in rule.tidy:
            text = tidy(text)
    return text


def _without_zeros(text: Any) -> Any:
    short = text.re_replace("^0+", "")
    return ibis.ifelse(short == "", text.substr(0, 1), short)


TIDYINGS: Mapping[str, Callable[[Any], Any]] = {
    "drop_blanks": lambda text: text.replace(" ", ""),
    "drop_point_zero": lambda text: ibis.ifelse(text.endswith(".0"), text.substr(0, text.length() - 2), text),
    "drop_zeros": _without_zeros,
    "lower": lambda text: text.lower(),
}


def _wanted(value: str | float) -> str:
    # The config reads 5 as 5.0; the file says 5.
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _test(column: Any, condition: Where, decimal: str) -> Any:
    """The condition as an expression; a row where the column is null passes the negative tests only."""
    name = next(iter(condition.model_fields_set - {"column"}))
    value = getattr(condition, name)
    if name == "is_null":
        return column.isnull() if value else column.notnull()
    if name in ("above", "below"):
        number = as_number(column, decimal)[0]
        return number > value if name == "above" else number < value
    text = as_text(column)
    wanted = [_wanted(v) for v in value] if isinstance(value, list) else _wanted(value)
    positive = {
        "equals": lambda: text == wanted,
        "one_of": lambda: text.isin(wanted),
        "starts_with": lambda: text.substr(0, len(wanted)) == wanted,
    }
    if name in positive:
        return positive[name]()
    opposite = {"not_equals": "equals", "none_of": "one_of", "not_starts_with": "starts_with"}[name]
    return ~positive[opposite]().fill_null(False)
