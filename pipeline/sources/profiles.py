"""What stands in the columns of a table: kind, empty cells, range, samples, and how dates and numbers are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from pipeline.sources import amounts, jalali
from pipeline.sources.databases import arrow
from pipeline.sources.guessing import format_lists, time_formats
from pipeline.sources.parsing import as_text, as_time, tidy, without_nulls

_LOOKED_AT = 2_000_000
FROM_DATABASES = 50_000
_SAMPLES = 1_000
_MOST = 0.99
_THREE_DIGITS = 1_000
_EIGHT_DIGITS = 8

_Kind = Literal["time", "number", "flag", "text", "empty"]
_FLAGS = frozenset({"true", "false", "yes", "no", "y", "n", "t", "f", "ja", "nein", "بله", "خیر"})


@dataclass(frozen=True)
class Profile:
    """A column of a table.

    Parameters
    ----------
    kind
        What its values are, whatever the file's type.
    rows, filled, different
        Rows that were looked at, those with a value, and how many values there are.
    low, high
        The smallest and largest value, as text.
    samples
        Different values, drawn by their hash: the same ones in every table that has them.
    formats
        Of times kept as text: the formats that read them; more than one list when day and month can't be told apart.
    calendar
        'jalali' for Persian dates.
    decimal, thousands
        Of numbers kept as text, where the usual reading does not do.
    unsure
        What else the values could mean, for a person; empty where they mean one thing.
    """

    name: str
    kind: _Kind
    rows: int
    filled: int
    different: int
    low: str = ""
    high: str = ""
    samples: tuple[str, ...] = ()
    formats: tuple[tuple[str, ...], ...] = ()
    calendar: str = "gregorian"
    decimal: str | None = None
    thousands: str | None = None
    unsure: str = ""

    @property
    def empty_share(self) -> float:
        """Share of the rows without a value."""
        return 1 - self.filled / self.rows if self.rows else 0.0

    @property
    def is_unique(self) -> bool:
        """Whether no value stands there twice."""
        return self.filled > 0 and self.different == self.filled


def profiles_of(connection: Backend, table: ir.Table) -> tuple[Profile, ...]:
    """Look at the columns of a table; of very long ones at the first rows.

    Parameters
    ----------
    connection
        The local DuckDB.
    table
        On any engine; of a database the first rows are brought here.

    Examples
    --------
    >>> from pipeline.sources.readers import connect_duckdb
    >>> here = connect_duckdb(1)
    >>> rows = here.create_table("rows", {"at": ["31.12.2024", "01.02.2025"], "paid": ["€ 1,50", None]})
    >>> for found in profiles_of(here, rows):
    ...     print(found.name, found.kind, found.filled, found.formats, found.decimal)
    at time 2 (('%d.%m.%Y',),) None
    paid number 1 () ,
    """
    here = table.get_backend() is connection
    rows = table.limit(_LOOKED_AT) if here else ibis.memtable(arrow(table.limit(FROM_DATABASES)))
    texts = {name: _plain(rows, name) for name in table.columns}
    counts: dict[str, Any] = {"rows": rows.count()}
    for i, (name, text) in enumerate(texts.items()):
        typed = rows[name]
        ends = typed if typed.type().is_numeric() or typed.type().is_temporal() else text
        counts |= {f"filled_{i}": text.count(), f"different_{i}": text.nunique()}
        counts |= {f"low_{i}": ends.min().cast("string"), f"high_{i}": ends.max().cast("string")}
    found = connection.to_pyarrow(rows.aggregate(**counts)).to_pylist()[0]
    profiles = []
    for i, (name, text) in enumerate(texts.items()):
        numbers: dict[str, Any] = {key: found[f"{key}_{i}"] or 0 for key in ("filled", "different")}
        ends_ = {key: found[f"{key}_{i}"] or "" for key in ("low", "high")}
        samples = _samples(connection, rows, text)
        told = _told(connection, rows[name].type(), samples)
        profiles.append(
            Profile(name, rows=found["rows"], samples=tuple(samples), **numbers, **{**ends_, **told})
        )
    return tuple(profiles)


def _plain(rows: ir.Table, name: str) -> Any:
    column = rows[name]
    if column.type().is_nested() or column.type().is_binary():
        return ibis.ifelse(column.isnull(), ibis.null("string"), ibis.null("string"))
    return without_nulls(column, None) if column.type().is_string() else as_text(column)


def _samples(connection: Backend, rows: ir.Table, text: Any) -> list[str]:
    values = rows.select(value=text).filter(lambda t: t.value.notnull()).distinct()
    some = values.order_by(values.value.hash(), values.value).limit(_SAMPLES)
    return connection.to_pyarrow(some)["value"].to_pylist()


def _told(connection: Backend, kind: Any, samples: Sequence[str]) -> dict[str, Any]:
    """The kind of a column, and how it is written."""
    if not samples:
        return {"kind": "empty"}
    if kind.is_temporal():
        return {"kind": "time"}
    if kind.is_boolean() or {value.lower() for value in samples} <= _FLAGS:
        return {"kind": "flag"}
    if kind.is_numeric():
        return {"kind": "number", **_as_day_number(samples)}
    if not kind.is_string():
        return {"kind": "text"}
    return _time(connection, samples) or _number(samples) or {"kind": "text"}


def _time(connection: Backend, samples: Sequence[str]) -> dict[str, Any]:
    if not any(sign in value for value in samples[:20] for sign in "-/.:, 年") or _reads(samples, None, None):
        return {}
    if sum(jalali.is_written(amounts.plain(value)) for value in samples) >= _MOST * len(samples):
        return {"kind": "time", "calendar": "jalali"}
    unread = _unread(connection, samples)
    if len(unread) <= (1 - _MOST) * len(samples):
        return {"kind": "time"}
    if len(unread) < len(samples):
        lists = format_lists(samples)
    else:
        formats = _formats_of_most(samples)
        lists = [[fmt] for fmt in formats[:2]] or format_lists(samples)
    if not lists:
        return {}
    unsure = "day and month could be the other way round" if len(lists) > 1 else ""
    return {"kind": "time", "formats": tuple(map(tuple, lists)), "unsure": unsure}


def _formats_of_most(samples: Sequence[str]) -> list[str]:
    """Formats of all samples; a few that are no dates do not hide them."""
    found = time_formats(samples)
    if found or len(samples) < 1 / (1 - _MOST):
        return found
    dates = [value for value in samples if time_formats([value])]
    return time_formats(dates) if len(dates) >= _MOST * len(samples) else []


def _unread(connection: Backend, samples: Sequence[str]) -> list[str]:
    """The values that are no dates as ISO 8601 writes them."""
    table = ibis.memtable({"value": list(samples)})
    value, _ = as_time(connection.create_table("tried", table, temp=True, overwrite=True).value, (), "UTC")
    read = value.as_table().to_pyarrow()[0].to_pylist()
    return [sample for sample, moment in zip(samples, read, strict=True) if moment is None]


def _as_day_number(samples: Sequence[str]) -> dict[str, Any]:
    """The format of numbers that may be dates; whether they are is told by the column's name."""
    formats = time_formats([tidy(value, "%Y") for value in samples])
    return {"formats": (tuple(formats[:1]),)} if formats else {}


def _number(samples: Sequence[str]) -> dict[str, Any]:
    codes = sum(len(value) > 1 and value[0] == "0" and value[1].isdigit() for value in samples)
    if codes > (1 - _MOST) * len(samples):
        # Leading zeros: a code, not a number - unless eight digits are a day.
        return {}
    if _reads(samples, None, None):
        if _in_thousandths(samples):
            unsure = "1.250 could also be one and a quarter"
            return {"kind": "number", "thousands": ".", "unsure": unsure}
        return {"kind": "number", **_as_day_number(samples)}
    for decimal, thousands in ((None, ","), (",", None), (None, ".")):
        if _reads(samples, decimal, thousands):
            both = thousands == "," and _reads(samples, ",", None)
            unsure = "1,250 could also be one and a quarter" if both else ""
            return {"kind": "number", "decimal": decimal, "thousands": thousands, "unsure": unsure}
    return {}


def _reads(samples: Sequence[str], decimal: Any, thousands: str | None) -> bool:
    read = sum(amounts.amount_in(value, decimal, thousands) is not None for value in samples)
    return read >= _MOST * len(samples)


def _in_thousandths(samples: Sequence[str]) -> bool:
    """Whether every number with a point has three digits behind it."""
    pointed = [value for value in samples if "." in value]
    parts = [value.strip().lstrip("+-").partition(".") for value in pointed]
    return bool(parts) and all(
        len(behind) == 3 and behind.isdigit() and before.isdigit() and 0 < int(before) < _THREE_DIGITS
        for before, _, behind in parts
    )
