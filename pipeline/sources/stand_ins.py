"""Dates and scores that stand for none, and contracts that end before they begin.

Read as they are, customers would vanish and means would be of codes, unsaid.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from functools import partial
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

EMPTY_DAYS = (dt.date(1900, 1, 1), dt.date(1970, 1, 1))
"""Day 1 of spreadsheets and of many databases, and second 0 of computers."""

EMPTY_BELOW, EMPTY_ABOVE = (-999, -99, -9, -1), (99, 999, 9999)
"""What surveys write where nobody answered, below the answers and above them."""

_HIGHEST = 10
_ZONES = dt.timedelta(hours=14)
_SAMPLES = 5


def counts_asked(role: str, source: RoleSource[Any], rows: ir.Table) -> dict[str, Any]:
    """What is counted of normalised rows: of times and scores how many stand for none, and how many end too early.

    Parameters
    ----------
    rows
        With the role's columns. Contracts have a check of their own for those that end too early.
    """
    found = {f"stand_in_{name}": _is_stand_in(rows[name]).sum() for name in _times(role, source, rows)}
    for name in _scores(role, source, rows):
        below, above = rows[name].isin(EMPTY_BELOW), rows[name].isin(EMPTY_ABOVE)
        found |= {f"below_{name}": below.sum(), f"above_{name}": above.sum()}
        found |= {f"low_{name}": rows[name].min(where=~below), f"high_{name}": rows[name].max(where=~above)}
    if role == "customers" and {"started_at", "ended_at"} <= set(rows.columns):
        found["backwards"] = (rows.ended_at < rows.started_at).sum()
    return found


def odd_values(
    role: str, source: RoleSource[Any], raw: ir.Table, rows: ir.Table, found: Mapping[str, Any]
) -> list[Said]:
    """What a person should look at, by the answers to what was asked.

    Who has written `null_values` has thought of it: nothing is said of days then.
    """
    told = []
    for name in _times(role, source, rows):
        if found[f"stand_in_{name}"]:
            told.append(_stand_in(role, source, raw, name, found[f"stand_in_{name}"], _is_stand_in))
    for name in _scores(role, source, rows):
        low, high = found[f"low_{name}"], found[f"high_{name}"]
        below, above = found[f"below_{name}"], found[f"above_{name}"]
        # A code is one where the answers lie apart from it: 99 may be an answer of a hundred points.
        below = below if low is not None and low >= 0 else 0
        above = above if high is not None and high <= _HIGHEST else 0
        if below or above:
            codes = (*(EMPTY_BELOW if below else ()), *(EMPTY_ABOVE if above else ()))
            told.append(_stand_in(role, source, raw, name, below + above, partial(_is_one_of, codes)))
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


def _scores(role: str, source: RoleSource[Any], rows: ir.Table) -> list[str]:
    return ["score"] if role == "feedback" and source.null_values is None and "score" in rows.columns else []


def _is_stand_in(moment: Any) -> Any:
    """Whether it is one of the days in some zone of the earth."""
    begins = [dt.datetime.combine(day, dt.time()) for day in EMPTY_DAYS]
    ends = [((begin - _ZONES).isoformat(), (begin + _ZONES).isoformat()) for begin in begins]
    days = [moment.between(ibis.timestamp(low), ibis.timestamp(high)) for low, high in ends]
    return ibis.or_(*days).fill_null(False)


def _is_one_of(codes: Sequence[int], value: Any) -> Any:
    return value.isin(codes)


def _stand_in(
    role: str, source: RoleSource[Any], raw: ir.Table, name: str, count: int, stands_in: Callable[[Any], Any]
) -> Said:
    """Which values they are, and the lines of the config for either case."""
    column = source.mapped[name].column
    values = {"role": role_in_words(role), "n": count, "column": f"`{name}`"}
    if column is None:
        return said(
            "{role}: {n} rows have a value in {column} that often stands for none; correct it", **values
        )
    usual = list(NULL_WORDS) if raw[column].type().is_string() else []
    words = _words(role, source, raw, name, column, stands_in)
    return said(
        "{role}: {n} rows have a value in {column} that often stands for none, such as {samples!r}; if it does write "
        "`{none}`, if it is meant `{meant}`",
        **values,
        samples=words,
        none=_line(role, [*usual, *words]),
        meant=_line(role, usual),
    )


def _words(
    role: str, source: RoleSource[Any], raw: ir.Table, name: str, column: str, stands_in: Callable[[Any], Any]
) -> list[str]:
    """Such values as the source writes them, and as `null_values` takes them."""
    kind = ROLES[role].column(name).kind
    value = value_of(raw, name, source.mapped[name], kind, source).value
    found = raw.filter(stands_in(value)).select(word=as_word(raw[column])).distinct()
    return arrow(found.order_by("word").limit(_SAMPLES))["word"].to_pylist()


def _line(role: str, words: list[str]) -> str:
    told = yaml.safe_dump(words, default_flow_style=True, width=10_000, allow_unicode=True).strip()
    return f"sources.{role}.null_values: {told}"
