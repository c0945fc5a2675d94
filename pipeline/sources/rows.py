"""A look at all rows of a source: what breaks the contract of its role, and what is borne and said."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ibis.expr.types as ir
import yaml

from configs.errors import Fault
from configs.roles import ROLES, RoleSource
from features.dialects import engine_of
from pipeline.languages.said import Said, said, together
from pipeline.sources import contracts, doubts, stand_ins
from pipeline.sources.contracts import SAMPLES, Checked
from pipeline.sources.databases import arrow
from pipeline.sources.guessing import VALUES_SHOWN, advice, is_number, such_as
from pipeline.sources.parts import Parts, answers_of
from pipeline.sources.places import is_table

_DIFFERENT = 1_000
_RENAMED = 10

Place = Callable[[Collection[int]], list[str]]


@dataclass(frozen=True)
class RowsSeen:
    """What a look at the rows found.

    Parameters
    ----------
    rows
        How many there are.
    left_out
        Conditions of rows that are left out, such as `bad_occurred_at`, and how many rows each has.
    bad
        Conditions of rows that are put aside, and the fault that each stands for.
    answers
        What else was asked of the rows, by name.
    blank_ends
        Whether texts that were taken as they are have to be trimmed after all: then nothing else was looked at.
    looks
        What a person should look at.
    """

    rows: int
    faults: list[Fault]
    notes: list[Said] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)
    bad: dict[str, Fault] = field(default_factory=dict)
    answers: Mapping[str, Any] = field(default_factory=dict)
    blank_ends: bool = False
    looks: list[Said] = field(default_factory=list)

    def kept(self, checked: Checked) -> ir.Table:
        """The rows that are not left out."""
        rows = checked.table
        for name in (*self.left_out, *self.bad):
            rows = rows.filter(~rows[name].fill_null(False))
        return rows

    @property
    def rules(self) -> dict[str, int]:
        """Rule to the rows that it leaves out."""
        return {f"no readable {name.removeprefix('bad_')}": n for name, n in self.left_out.items()}


def look(
    role: str,
    source: RoleSource[Any],
    raw: ir.Table,
    checked: Checked,
    place: Place | None = None,
    more: Mapping[str, Any] | None = None,
    *,
    aside: bool = False,
    parts: Parts | None = None,
) -> RowsSeen:
    """The faults of the rows in one pass; a second one, only when there are any, for the row numbers.

    A few values that can't be read in any way are borne, see `Source.max_unreadable_share`. `place` tells file and line
    of rows by their numbers, where there are several files. With `aside` whatever is broken is told, and no fault.
    `more` are aggregates that the same pass answers. What is kept of `parts` of the source's files is not asked again.
    """
    table = checked.table
    counts = {name: table[name].sum() for name in checked.conditions}
    marks = doubts.counts_of(table, list(checked.marks))
    odd = stand_ins.counts_asked(role, source, table)
    asked = {"rows": table.count(), **counts, **marks, **odd, **(more or {})}
    found = answers_of(parts, "look", table, asked)
    answers = {name: found[name] for name in more or {}}
    rows = found["rows"]
    if any(found[mark] for mark in checked.marks if mark.startswith("ends_")):
        return RowsSeen(rows, [], blank_ends=True)
    faults = doubts.faults_of_writing(role, source, found, list(checked.columns))
    looks = stand_ins.odd_values(role, source, raw, table, found)
    broken = {name: fault for name, fault in checked.conditions.items() if found[name]}
    if not broken or not rows:
        return RowsSeen(rows, faults, answers=answers, looks=looks)
    if aside:
        return RowsSeen(rows, faults, bad=broken, looks=looks)
    in_files = engine_of(raw) == "duckdb" and not is_table(source.uris[0])
    table = contracts.checked_rows(role, source, raw, numbered=in_files).table
    notes: list[Said] = []
    left: dict[str, int] = {}
    # Rows that lack several times are left out for the first of them.
    out: Any = None
    for name, fault in broken.items():
        which = _which(table, name, found[name], place) if in_files else whose(table, table[name])
        what = f"{fault.what} in {found[name]} of {rows} rows ({which})"
        column = name.removeprefix("bad_")
        values = _values(table, name)
        kind = ROLES[role].column(column).kind
        line = Fault(
            fault.where, what + such_as(values), _fix(role, source, table, name, values) or fault.fix
        )
        if not _borne(name, found[name], rows, source, line.fix, values):
            faults.append(line)
        elif kind != "time":
            notes.append(
                said("{found}; they count as empty", found=_found(fault, found[name], rows, which, values))
            )
        else:
            mine = checked.table[name].fill_null(False)
            alone = mine if out is None else mine & ~out
            out = mine if out is None else out | mine
            left[name] = int(arrow(checked.table.aggregate(n=alone.sum()))["n"][0].as_py() or 0)
            notes.append(
                said(
                    "{found}; these rows are left out", found=_found(fault, found[name], rows, which, values)
                )
            )
    return RowsSeen(rows, faults, notes, left, answers=answers, looks=looks)


def _found(fault: Fault, count: int, rows: int, which: Said, values: Sequence[str]) -> Said:
    """Where some rows break a rule, which of them, and what stands there."""
    source, _, column = fault.where.rpartition(", column ")
    parts = [
        said("{source}, column {column}", source=source, column=column),
        said("{what} in {n} of {rows} rows ({which})", what=fault.what, n=count, rows=rows, which=which),
    ]
    told = together(parts, ": ")
    return said("{found}, such as {values!r}", found=told, values=values[:VALUES_SHOWN]) if values else told


def _borne(name: str, count: int, rows: int, source: RoleSource[Any], fix: str, values: list[str]) -> bool:
    """Whether a few unreadable values are let pass: never when a line of the config would read them."""
    if not name.startswith("bad_") or count > source.max_unreadable_share * rows:
        return False
    return not fix.startswith("write ") and not any(is_number(value) for value in values)


def _values(table: ir.Table, condition: str) -> list[str]:
    """Some of the different values that can't be read, or that are none of the known ones."""
    kind, _, column = condition.partition("_")
    raw = f"raw_{column}"
    if raw not in table.columns or kind not in ("bad", "other"):
        return []
    bad = table.filter(table[condition])[raw].name("value").as_table().distinct()
    return arrow(bad.order_by("value").limit(_DIFFERENT))["value"].to_pylist()


def _fix(role: str, source: RoleSource[Any], table: ir.Table, condition: str, values: list[str]) -> str:
    """The line of the config that reads the values, and the other ones of the column too."""
    if not values:
        return ""
    kind, _, name = condition.partition("_")
    if kind == "other":
        return _renaming(role, source, name, values)
    column = source.mapped[name].column or ""
    of = ROLES[role].column(name).kind
    raw = table[f"raw_{name}"]
    good = table.filter(~table[condition] & raw.notnull())[f"raw_{name}"].name("value").as_table()
    others = arrow(good.distinct().order_by("value").limit(_DIFFERENT))["value"].to_pylist()
    return advice(name, column, of, values, others)


def _renaming(role: str, source: RoleSource[Any], name: str, values: list[str]) -> str:
    """The line that gives words of another language or system a meaning; of many different ones none is advised."""
    if len(values) > _RENAMED:
        return ""
    known = [word for word in ROLES[role].column(name).one_of if word]
    rule = source.mapped[name]
    written = rule.model_dump(exclude_unset=True, exclude_none=True)
    written["rename"] = {**rule.rename, **dict.fromkeys(values, "...")}
    line = yaml.safe_dump(written, default_flow_style=True, width=10_000, sort_keys=False, allow_unicode=True)
    choices = f"{', '.join(known[:-1])} or {known[-1]}"
    return f"write sources.{role}.columns.{name}: {line.strip()} with {choices} for each ..."


def _which(numbered: ir.Table, condition: str, count: int, place: Place | None) -> Said:
    rows = arrow(numbered.filter(numbered[condition]).limit(SAMPLES).select("row_"))["row_"].to_pylist()
    more = ["..."] * (count > SAMPLES)
    if place is not None:
        return together([*place(rows), *more], ", ")
    return said("data row {rows}", rows=[*map(str, sorted(rows)), *more])


def whose(rows: ir.Table, bad: Any) -> Said:
    """Whose rows these are: where lines may have been joined, and in databases, rows have no numbers."""
    ids = rows.filter(bad).select("customer_id").distinct().order_by("customer_id").limit(SAMPLES)
    return said("customer {ids!r}", ids=arrow(ids)["customer_id"].to_pylist())
