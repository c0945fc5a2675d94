"""The value of a normalised column, made of the columns of the file by the rules of the config."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import ibis
import ibis.expr.types as ir

from configs.sources import Column, Source, Where
from features.dialects import engine_of
from pipeline.sources import amounts
from pipeline.sources.parsing import ZONE, as_number, as_text, as_time, blank_ends, without_nulls

_IDS = ("customer_id", "transaction_id")
_MARKING = ("duckdb", "pyspark")
_TRANSLATING = ("duckdb", "pyspark", "postgres")


@dataclass(frozen=True)
class CellValue:
    """A column's value.

    Parameters
    ----------
    value
        The expression.
    bad
        Where it can't be read; None where that can't happen.
    marks
        What tells, over all rows, how the column is written; see `pipeline.sources.doubts`.
    """

    value: Any
    bad: Any = None
    marks: Mapping[str, Any] = field(default_factory=dict)


def value_of(
    table: ir.Table, name: str, rule: Column, kind: str | None, source: Source, *, trim: bool = True
) -> CellValue:
    """The value of a column that the config maps, of the kind that its role gives it.

    A kind other than text, number and time is that of an attribute: numbers stay numbers, all else is text. Without
    `trim` text is taken as it is, and marked where it has blanks at its ends.
    """
    if rule.constant is not None:
        return CellValue(ibis.literal(_word(rule.constant) if kind == "text" else rule.constant))
    if rule.row_number:
        return CellValue(table["row_"].cast("string"))
    if rule.join:
        raws = [cell(table, c, "text", source) for c in rule.join]
        joined = ibis.literal("-").join([as_text(raw, trim=trim) for raw in raws])
        return CellValue(tidied(joined, rule), marks={} if trim else _ends(raws))
    if rule.product:
        parts = [
            as_number(cell(table, c, "number", source), source.decimal, source.thousands)
            for c in rule.product
        ]
        value = reduce(operator.mul, [part for part, _ in parts])
        bad = reduce(operator.or_, [b for _, b in parts if b is not None], ibis.literal(False))
        return CellValue(_scaled(value, rule), bad)
    raw = cell(table, rule.column, kind if name not in _IDS else "id", source)
    if kind not in ("text", "number", "time"):
        kind = "number" if raw.type().is_numeric() and not raw.type().is_boolean() else "text"
    if kind == "text":
        return CellValue(tidied(as_text(raw, trim=trim), rule), marks={} if trim else _ends([raw]))
    written = raw.type().is_string() and engine_of(raw) in _MARKING
    if kind == "time":
        value, bad = as_time(raw, rule.formats, source.time_zone, source.calendar)
        return CellValue(value, bad, _zones(raw) if written and not rule.formats else {})
    value, bad = as_number(raw, source.decimal, source.thousands)
    return CellValue(_scaled(value, rule), bad, _writing(raw, source) if written else {})


def cell(table: ir.Table, column: str | None, kind: str | None, source: Source) -> Any:
    """A column of the file: null where it is blank, or a word or typed day for an empty cell.

    The usual words count in numbers, dates and ids only: elsewhere 'none' and 'unknown' may be answers.
    """
    raw = table[column]
    if source.null_values and (raw.type().is_temporal() or raw.type().is_numeric()):
        return ibis.ifelse(as_word(raw).isin(source.null_values), None, raw)
    if not raw.type().is_string():
        return raw
    if source.null_values is None:
        # Where other columns have types, an empty id is null; looking for words in all of them would take its time.
        kinds = (of for name, of in table.schema().items() if name != "row_")
        typed = not all(other.is_string() or other.is_floating() for other in kinds)
        if kind not in ("number", "time", "id") or (kind == "id" and typed):
            return raw
    return without_nulls(raw, source.null_values)


def _ends(raws: Sequence[Any]) -> dict[str, Any]:
    """The mark of values that `trim` would change."""
    texts = [raw for raw in raws if raw.type().is_string()]
    return {"ends": reduce(operator.or_, map(blank_ends, texts))} if texts else {}


def as_word(raw: Any) -> Any:
    """A cell as `null_values` names it: a typed day by its date, a whole number without a point, all else as it is."""
    if raw.type().is_temporal() and engine_of(raw) != "sqlite":
        return raw.cast("date").cast("string")
    return as_text(raw)


def is_null(table: ir.Table, rule: Column, source: Source, *, trim: bool = True) -> Any:
    """Where a column that the config maps has no value."""
    empty = [_is_empty(table, c, source, trim=trim) for c in rule.inputs]
    return reduce(operator.or_, empty, ibis.literal(False))


def _is_empty(table: ir.Table, column: str | None, source: Source, *, trim: bool = True) -> Any:
    raw = cell(table, column, "id", source)
    # Only text can be blank; writing times as text to see it would take its time.
    return (as_text(raw, trim=trim) if raw.type().is_string() else raw).isnull()


def _scaled(value: Any, rule: Column) -> Any:
    value = value if rule.scale == 1 else value * rule.scale
    return -value if rule.negate else value


def _zones(raw: Any) -> dict[str, Any]:
    zoned = raw.re_search(ZONE)
    return {"zoned": zoned, "bare": raw.notnull() & ~zoned}


def _writing(raw: Any, source: Source) -> dict[str, Any]:
    # Numbers begin with a digit or a sign: for most rows no currency has to be looked for.
    marks = {"currency": ibis.ifelse(raw.try_cast("float64").isnull(), amounts.currency(raw), None)}
    if source.decimal is None and source.thousands is None:
        pointed, thousandths = amounts.in_thousandths(raw)
        marks |= {"pointed": pointed, "thousandths": thousandths}
    return marks


def test(table: ir.Table, condition: Where, source: Source) -> Any:
    """The condition as an expression; a row where the column is null passes the negative tests only."""
    name = next(iter(condition.model_fields_set - {"column"}))
    wanted = getattr(condition, name)
    if name == "is_null":
        empty = _is_empty(table, condition.column, source)
        return empty if wanted else ~empty
    if name in ("above", "below"):
        raw = cell(table, condition.column, "number", source)
        number = as_number(raw, source.decimal, source.thousands)[0]
        return number > wanted if name == "above" else number < wanted
    text = as_text(table[condition.column])
    words = [_word(one) for one in wanted] if isinstance(wanted, list) else _word(wanted)
    positive = {
        "equals": lambda: text == words,
        "one_of": lambda: text.isin(words),
        "starts_with": lambda: text.substr(0, len(words)) == words,
    }
    if name in positive:
        return positive[name]()
    opposite = {"not_equals": "equals", "none_of": "one_of", "not_starts_with": "starts_with"}[name]
    return ~positive[opposite]().fill_null(False)


def _word(value: str | float) -> str:
    # The config reads 5 as 5.0; the file says 5.
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def tidied(text: Any, rule: Column) -> Any:
    r"""A text as the rule of its column wants it written: renamed, without a prefix, then tidied in a fixed order.

    Examples
    --------
    >>> ids = ibis.memtable({"id": ["cus_0012", "CUS_12", " 7 8 ", "12.0", "000"]}).id
    >>> both = Column(column="id", without_prefix="cus_", tidy=["drop_zeros"])
    >>> tidied(ids, both).to_pyarrow().to_pylist()
    ['12', 'CUS_12', ' 7 8 ', '12.0', '0']
    >>> all_four = Column(column="id", tidy=["drop_blanks", "drop_zeros", "drop_point_zero", "lower"])
    >>> tidied(ids, all_four).to_pyarrow().to_pylist()
    ['cus_0012', 'cus_12', '78', '12', '0']
    >>> ids = ibis.memtable({"id": ["\u06f1\u06f2", "A\uff11", "1\u200b2", "\u0643", "plain"]}).id
    >>> tidied(ids, Column(column="id", tidy=["plain_signs"])).to_pyarrow().to_pylist()
    ['12', 'A1', '12', '\u06a9', 'plain']
    >>> tidied(ids, Column(column="id", rename={"plain": "simple"})).to_pyarrow().to_pylist()[-1]
    'simple'
    """
    if rule.rename:
        text = text.substitute(rule.rename)
    if rule.without_prefix:
        begins = text.startswith(rule.without_prefix)
        text = ibis.ifelse(begins, text.substr(len(rule.without_prefix)), text)
    for name, tidy in TIDYINGS.items():
        if name in rule.tidy:
            text = tidy(text)
    return text


def _without_zeros(text: Any) -> Any:
    short = text.re_replace("^0+", "")
    return ibis.ifelse(text.startswith("0"), ibis.ifelse(short == "", "0", short), text)


def _plain_signs(text: Any) -> Any:
    """Signs that look alike, or that nobody sees, written in one way; few ids have any, so one look passes the rest."""
    if engine_of(text) in _TRANSLATING:
        kept = {sign: stands_for for sign, stands_for in amounts.LOOK_ALIKES.items() if stands_for}
        gone = "".join(sign for sign in amounts.LOOK_ALIKES if sign not in kept)
        plain = text.translate("".join(kept) + gone, "".join(kept.values()))
    else:
        # One step for all signs of a meaning: SQLite reads no expression that is nested as deep as there are signs.
        plain = text
        for stands_for in dict.fromkeys(amounts.LOOK_ALIKES.values()):
            signs = "".join(sign for sign, plainly in amounts.LOOK_ALIKES.items() if plainly == stands_for)
            plain = plain.re_replace(f"[{signs}]", stands_for)
    plain = plain.re_replace(r"[\x00-\x1f\x7f]", "") if engine_of(text) in _MARKING else plain
    return ibis.ifelse(text.re_search("[^ -~]"), plain, text)


TIDYINGS: Mapping[str, Callable[[Any], Any]] = {
    "plain_signs": _plain_signs,
    "drop_blanks": lambda text: text.replace(" ", ""),
    "drop_point_zero": lambda text: ibis.ifelse(text.endswith(".0"), text.substr(0, text.length() - 2), text),
    "drop_zeros": _without_zeros,
    "lower": lambda text: text.lower(),
}
