"""The contract of each role: columns made, typed and checked in one pass over the rows."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir

from configs.errors import Fault
from configs.roles import ROLES, CustomerSource, RoleSource
from configs.sources import Column
from features.dialects import engine_of
from pipeline.languages.said import Said, said
from pipeline.sources import doubts
from pipeline.sources.digests import row_hash
from pipeline.sources.parsing import YEARS
from pipeline.sources.values import CellValue, is_null, test, value_of

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
    marks
        Names of columns that tell how values are written; see `pipeline.sources.doubts`.
    """

    table: ir.Table
    conditions: Mapping[str, Fault]
    columns: tuple[str, ...]
    marks: tuple[str, ...] = ()


def columns_named(source: RoleSource[Any]) -> tuple[str, ...]:
    """The columns of the file that the config names."""
    named = [column for rule in source.mapped.values() for column in rule.inputs]
    if isinstance(source, CustomerSource) and source.latest_by is not None:
        named += source.latest_by.inputs
    return tuple(dict.fromkeys([*named, *(condition.column for condition in source.where)]))


def missing_columns(role: str, source: RoleSource[Any], names: Sequence[str], shown: str) -> list[Fault]:
    """A fault for each column that the config names and a file of those columns does not have."""
    named = [(f"columns.{name}", column) for name, rule in source.mapped.items() for column in rule.inputs]
    named += [("where", condition.column) for condition in source.where]
    if isinstance(source, CustomerSource) and source.latest_by is not None:
        named += [("latest_by", column) for column in source.latest_by.inputs]
    if not names:
        return [Fault(shown, "has no header", "check the export that writes it")]
    wanted = [column for _, column in named]
    if wanted and not set(wanted) & set(names) and (step := _no_header(role, names, wanted)):
        return [Fault(shown, f"has none of the columns {', '.join(dict.fromkeys(wanted))}", step)]
    faults = []
    for place, column in named:
        if column not in names:
            hint = _near(column, names)
            if place == "columns.customer_id" and "churned" in source.mapped:
                hint += "; where no column names the customer, write customer_id: {row_number: true}"
            faults.append(Fault(f"sources.{role}.{place}", f"no column '{column}' in {shown}", hint))
    return faults


def _near(column: str, names: Sequence[str]) -> str:
    # `looks.Dialect` adds their places to names that the header has more than once.
    copies = [name for name in names if re.fullmatch(re.escape(column) + r"_\d+", name, re.IGNORECASE)]
    if len(copies) > 1:
        return f"the header has that name more than once; write {' or '.join(map(repr, copies))}"
    plain = {name.casefold(): name for name in names}
    near = difflib.get_close_matches(column.casefold(), plain, n=1, cutoff=0.4)
    return f"did you mean '{plain[near[0]]}'?" if near else f"it has: {', '.join(names[:12])}"


def _no_header(role: str, names: Sequence[str], wanted: Sequence[str]) -> str:
    """What to do about a first line that tells no column; empty when it seems to tell some."""
    if len(names) == 1 and len(set(wanted)) > 1 and all(column in names[0] for column in wanted):
        sign = re.search(re.escape(wanted[0]) + r"([^\w\s\"']+)", names[0])
        return f"write delimiter: {_quoted(sign[1])} beside sources.{role}.uri" if sign else ""
    if sum(name[:1].isdigit() for name in names) * 2 >= len(names):
        return (
            f"its first line holds values ({', '.join(names[:5])}): write the names of the columns above it"
        )
    return ""


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
    faults += [
        Fault(f"sources.{role}.columns.{name}.row_number", "rows are numbered in files only", "name a column")
        for name, rule in source.mapped.items()
        if rule.row_number and engine != "duckdb"
    ]
    calendar = source.calendar if engine != "duckdb" and times else "gregorian"
    if calendar != "gregorian":
        what = f"is {calendar}, which is read from files only"
        faults.append(Fault(f"sources.{role}.calendar", what, view))
    if source.thousands and engine not in ("duckdb", "pyspark"):
        what = "signs between thousands are read from files only"
        faults.append(
            Fault(f"sources.{role}.thousands", what, "make a view with a typed column and read that")
        )
    if engine == "sqlite" and times and source.time_zone != "UTC":
        what = f"is {source.time_zone}, but SQLite knows no time zones"
        faults.append(Fault(f"sources.{role}.time_zone", what, view))
    return faults


def left_out(source: RoleSource[Any], rows: ir.Table) -> list[Any]:
    """How many rows each condition of the config leaves out: those that an earlier one leaves out are not its own."""
    counts = []
    kept: Any = ibis.literal(True)
    for condition in source.where:
        passes = test(rows, condition, source).fill_null(False)
        counts.append((kept & ~passes).sum())
        kept = kept & passes
    return counts


def checked_rows(
    role: str,
    source: RoleSource[Any],
    raw: ir.Table,
    *,
    numbered: bool = False,
    hashed: bool = False,
    said: bool = False,
    trim: bool = True,
) -> Checked:
    """Normalise the rows of a role that the config's conditions let through.

    With `numbered` there is a column `row_`, the row's number in the files from 1; numbering is slow, so it is
    asked for only to name the rows that break the contract; columns `raw_...` hold what could not be read.
    With `said` there are columns `said_0` and so on: the source's columns as text, in their order.
    With `hashed` there is a column `hash_` of all columns of the source, on engines that have a hash.
    Without `trim` texts are as they stand there, and marked where they have blanks at their ends.
    """
    counted = numbered or any(rule.row_number for rule in source.mapped.values())
    rows = raw.mutate(row_=ibis.row_number() + 1) if counted else raw.distinct() if source.distinct else raw
    for condition in source.where:
        rows = rows.filter(test(rows, condition, source))
    if isinstance(source, CustomerSource) and source.latest_by is not None:
        rows = _latest(source, source.latest_by, rows)
    values: dict[str, Any] = {"row_": rows.row_} if numbered else {}
    if said:
        values |= {f"said_{i}": rows[name].cast("string") for i, name in enumerate(raw.columns)}
    if hashed and (bits := row_hash(rows, rows.columns)) is not None:
        values["hash_"] = bits
    conditions: dict[str, Fault] = {}
    made: dict[str, CellValue] = {}
    for name, rule in source.mapped.items():
        made[name] = value_of(rows, name, rule, ROLES[role].column(name).kind, source, trim=trim)
        more, faults = _checked(role, source, rows, name, rule, made[name], numbered=numbered, trim=trim)
        values |= more
        conditions |= faults
    if "known_at" in values:
        values["known_at"] = ibis.coalesce(values["known_at"], values["occurred_at"])
    columns = tuple(
        n
        for n in values
        if n not in ("row_", "hash_") and not n.startswith(("raw_", "said_")) and n not in conditions
    )
    marks = doubts.writing_marks(made)
    return Checked(rows.select(**values, **marks), conditions, columns, tuple(marks))


def _checked(
    role: str,
    source: RoleSource[Any],
    rows: ir.Table,
    name: str,
    rule: Column,
    found: CellValue,
    *,
    numbered: bool,
    trim: bool,
) -> tuple[dict[str, Any], dict[str, Fault]]:
    """A normalised column with the conditions under which a row breaks its contract, and their faults by name."""
    declared, where = ROLES[role].column(name), f"{source.shown}, column {name}"
    values: dict[str, Any] = {name: found.value}
    conditions: dict[str, Fault] = {}
    raw = rows[rule.column].cast("string") if numbered and rule.column else None
    if found.bad is not None:
        values[f"bad_{name}"] = found.bad
        conditions[f"bad_{name}"] = Fault(where, _unlike(declared.kind, rule.formats), "correct it")
        if raw is not None:
            values[f"raw_{name}"] = raw
    if declared.filled:
        empty = is_null(rows, rule, source, trim=trim)
        if declared.kind == "text":
            empty |= (found.value == "").fill_null(False)
        values[f"null_{name}"] = empty
        fix = f"fill it in, or leave such rows out by {_filled(role, source, rule)}"
        conditions[f"null_{name}"] = Fault(where, EMPTY, fix)
    if declared.one_of:
        values[name] = found.value.lower()
        values[f"other_{name}"] = ~values[name].isin(declared.one_of)
        known = [word for word in declared.one_of if word]
        conditions[f"other_{name}"] = Fault(where, _none_of(known))
        if raw is not None:
            values[f"raw_{name}"] = raw.strip()
    return values, conditions


def _latest(source: CustomerSource, latest_by: Column, rows: ir.Table) -> ir.Table:
    """The newest row of each customer, by the column that the config names; of two as new, always the same one."""
    who = value_of(rows, "customer_id", source.columns.customer_id, "text", source).value
    when = value_of(rows, "latest_by", latest_by, "time", source).value
    # A row whose time can't be read is older than every other.
    known = ibis.ifelse(when.notnull(), 1, 0)
    others = [rows[name].cast("string") for name in rows.columns if name not in ("row_", "filename")]
    order = [ibis.desc(known), ibis.desc(when), *map(ibis.desc, others)]
    numbered = rows.mutate(place_=ibis.row_number().over(group_by=who, order_by=order))
    nobody = is_null(numbered, source.columns.customer_id, source)  # each of these is a fault of its own
    return numbered.filter((numbered.place_ == 0) | nobody).drop("place_")


def _filled(role: str, source: RoleSource[Any], rule: Column) -> str:
    """The line of the config that leaves out rows without a value; after the conditions that there are."""
    asked = ", ".join(f"{{column: {_quoted(name)}, is_null: false}}" for name in rule.inputs)
    return f"sources.{role}.where: [{'..., ' if source.where else ''}{asked}]"


EMPTY = said("is empty")


def _none_of(known: Sequence[str]) -> Said:
    return said("is none of {values}", values=known)


def _unlike(kind: str, formats: Sequence[str]) -> Said:
    """What a value is not that can't be read."""
    if kind != "time":
        return said("is not a number")
    if formats:
        return said("is not a date or time of the form {form}", form=" or ".join(formats))
    return said(
        "is not a date or time of the years {first} to {last}", first=str(YEARS[0]), last=str(YEARS[1])
    )


def _quoted(name: str) -> str:
    """A name as YAML reads it in a list."""
    return "'" + name.replace("'", "''") + "'"


def one_row_a_transaction(role: str, table: ir.Table) -> ir.Table:
    """Lines that share customer and transaction become one row: first time, sum of what adds up."""
    rest = {"known_at": table.known_at.max()} if "known_at" in table.columns else {}
    rest |= {name: table[name].sum() for name in table.columns if ROLES[role].column(name).adds_up}
    return table.group_by("customer_id", "transaction_id").agg(occurred_at=table.occurred_at.min(), **rest)


def whole_row_checks(
    role: str, source: RoleSource[Any], rows: ir.Table, columns: Sequence[str] | None = None
) -> dict[str, tuple[Any, Fault]]:
    """Checks that wait until lines are joined: name -> (where a row breaks it, the fault)."""
    checks: dict[str, tuple[Any, Fault]] = {}
    for name in rows.columns if columns is None else columns:
        where = f"{source.shown}, column {name}"
        if ROLES[role].column(name).not_negative:
            fix = f"leave returns out with sources.{role}.where, or give them to sources.cancellations"
            checks[f"negative_{name}"] = rows[name] < 0, Fault(where, said("is negative"), fix)
        if rows[name].type().is_floating():
            # Not a number is above every number.
            endless = rows[name].abs() > sys.float_info.max
            what = said("is infinite or not a number")
            checks[f"infinite_{name}"] = endless, Fault(where, what, "correct it")
    return checks
