"""Dates that stand for none, and contracts that end before they begin: read as they are, rows would vanish unsaid."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import ibis
import ibis.expr.types as ir
import yaml

from configs.roles import ROLES, RoleSource
from pipeline.languages.names import role_in_words
from pipeline.languages.said import Said, said
from pipeline.sources.databases import arrow
from pipeline.sources.parsing import NULL_WORDS
from pipeline.sources.values import as_word, value_of

DAYS = (dt.date(1900, 1, 1), dt.date(1970, 1, 1))
"""Day 1 of spreadsheets and of many databases, and second 0 of computers."""

_ZONES = dt.timedelta(hours=14)
_SAMPLES = 3


def asked(role: str, source: RoleSource[Any], rows: ir.Table) -> dict[str, Any]:
    """What is counted of normalised rows: of each column of times how many stand for none, and how many end too early.

    Parameters
    ----------
    rows
        With the role's columns. Contracts have a check of their own for those that end too early.
    """
    found = {f"stand_in_{name}": _is_stand_in(rows[name]).sum() for name in _times(role, source, rows)}
    if role == "customers" and {"started_at", "ended_at"} <= set(rows.columns):
        found["backwards"] = (rows.ended_at < rows.started_at).sum()
    return found


def looks(
    role: str, source: RoleSource[Any], raw: ir.Table, rows: ir.Table, found: Mapping[str, Any]
) -> list[Said]:
    """What a person should look at, by the answers to what was `asked`.

    Who has written `null_values` has thought of it: nothing is said of days then.
    """
    told = [
        _stand_in(role, source, raw, rows, name, found[f"stand_in_{name}"])
        for name in _times(role, source, rows)
        if found.get(f"stand_in_{name}")
    ]
    if found.get("backwards"):
        what = said("end before they start, and never count; correct `started_at` or `ended_at`")
        told.append(
            said("{role}: {n} rows {what}", role=role_in_words(role), n=found["backwards"], what=what)
        )
    return told


def _times(role: str, source: RoleSource[Any], rows: ir.Table) -> list[str]:
    if source.null_values is not None:
        return []
    return [
        name for name in source.mapped if name in rows.columns and ROLES[role].column(name).kind == "time"
    ]


def _is_stand_in(moment: Any) -> Any:
    """Whether it is one of the days in some zone of the earth."""
    begins = [dt.datetime.combine(day, dt.time()) for day in DAYS]
    days = [
        moment.between(
            ibis.timestamp((begin - _ZONES).isoformat()), ibis.timestamp((begin + _ZONES).isoformat())
        )
        for begin in begins
    ]
    return ibis.or_(*days).fill_null(False)


def _stand_in(
    role: str, source: RoleSource[Any], raw: ir.Table, rows: ir.Table, name: str, count: int
) -> Said:
    """Which days they are, and the lines of the config for either case."""
    column = source.mapped[name].column
    values = {"role": role_in_words(role), "n": count, "column": f"`{name}`"}
    if column is None:
        return said(
            "{role}: {n} rows have a day in {column} that often stands for none; correct it", **values
        )
    usual = list(NULL_WORDS) if raw[column].type().is_string() else []
    words = _words(source, raw, name, column)
    return said(
        "{role}: {n} rows have a day in {column} that often stands for none, such as {days!r}; if it does write "
        "`{none}`, if it is meant `{meant}`",
        **values,
        days=words,
        none=_line(role, [*usual, *words]),
        meant=_line(role, usual),
    )


def _words(source: RoleSource[Any], raw: ir.Table, name: str, column: str) -> list[str]:
    """Such days as the source writes them, and as `null_values` takes them."""
    value = value_of(raw, name, source.mapped[name], "time", source).value
    found = raw.filter(_is_stand_in(value)).select(word=as_word(raw[column])).distinct()
    return arrow(found.order_by("word").limit(_SAMPLES))["word"].to_pylist()


def _line(role: str, words: list[str]) -> str:
    told = yaml.safe_dump(words, default_flow_style=True, width=10_000, allow_unicode=True).strip()
    return f"sources.{role}.null_values: {told}"
