"""The past of a source, day by day, from its own rows: one group-by where the rows are, one more for each category."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from configs.arrays import Floats
from configs.roles import ROLES
from features.dialects import engine_of, epoch
from features.snapshots import DAY
from pipeline.sources.databases import arrow
from pipeline.sources.opening import Sources

# A year to compare with, and the weeks that each of its days is compared with.
DAYS = 427
HOURS = 24
# Columns of people, and ids: no categories, and not to be kept with a model. And what is true on the export's day only.
UNWATCHED = frozenset({"customer_id", "agent", "contact_person", "transaction_id", "contract_id", "status"})
# Of more rows the different customers of an hour are counted approximately, where the engine can.
EXACT = 5_000_000
_MOST_VALUES = 50
_EPOCH = dt.date(1970, 1, 1)


@dataclass(frozen=True)
class Number:
    """A column of numbers, day by day.

    Parameters
    ----------
    known, sizes, logs
        Shape (days,): values that are there; those that are not 0; the sum of the logarithms of their sizes.
    """

    known: Floats
    sizes: Floats
    logs: Floats


@dataclass(frozen=True)
class History:
    """A source by the day on which its rows arrived: when they occurred, or became known if that was later.

    A day's figures therefore never change afterwards, and what was known at any earlier night follows from them.

    Parameters
    ----------
    first
        The day of the first of the figures.
    rows
        Shape (days,): rows a day.
    visits
        Shape (days,): different customers of each hour of the day, added up.
    hours
        Shape (days, 24): rows by the hour in which they occurred, UTC.
    present
        Column to values that are there, shape (days,), of columns that may be empty.
    numbers
        Column to its sizes.
    categories
        Column to (values, counts of shape (days, values)).
    dated
        Whether the rows have a clock; else they all stand on one day.
    """

    role: str
    first: dt.date
    rows: Floats
    visits: Floats
    hours: Floats
    present: Mapping[str, Floats] = field(default_factory=dict)
    numbers: Mapping[str, Number] = field(default_factory=dict)
    categories: Mapping[str, tuple[tuple[str, ...], Floats]] = field(default_factory=dict)
    dated: bool = True

    @property
    def newest(self) -> dt.date:
        """The day of the newest row."""
        return self.first + dt.timedelta(days=int(np.flatnonzero(self.rows)[-1]))

    def until(self, day: dt.date) -> History:
        """The history as the night of a day saw it: the figures of the days before."""
        return self.between(self.first, day)

    def between(self, start: dt.date, end: dt.date) -> History:
        """The figures of the days `[start, end)`."""
        part = slice(max((start - self.first).days, 0), max((end - self.first).days, 0))
        return replace(
            self,
            first=max(start, self.first),
            rows=self.rows[part],
            visits=self.visits[part],
            hours=self.hours[part],
            present={c: x[part] for c, x in self.present.items()},
            numbers={c: Number(x.known[part], x.sizes[part], x.logs[part]) for c, x in self.numbers.items()},
            categories={c: (names, x[part]) for c, (names, x) in self.categories.items()},
        )


def history_of(
    role: str,
    table: ir.Table,
    as_of: dt.date,
    attributes: Sequence[str] = (),
    *,
    days: int = DAYS,
    rows: int = 0,
) -> History | None:
    """The history of a role's rows up to a date; None where there is no row in all of these days.

    Parameters
    ----------
    table
        The rows that are known at the date, on any engine; of the customers source all, else those of so many days.
    attributes
        Of the customers.
    rows
        How many there are, about.
    """
    engine, clock = engine_of(table), ROLES[role].clock
    dated, watched = clock in table.columns, _watched(role, table, attributes)
    marked = table.mutate(day_=_day(table, clock, engine)) if dated else table.mutate(day_=_number(as_of) - 1)
    if dated:
        oldest = _number(as_of) - days
        marked = marked.filter(marked.day_ >= oldest) if role != "customers" else marked
        marked = marked.filter(marked.day_ < _number(as_of))
    numbers = [c for c in watched if table[c].type().is_numeric()]
    found = _sums(marked, clock if dated else None, watched, numbers, nearly=rows > EXACT)
    if found.empty:
        return None
    first, size = int(found["day_"].min()), _number(as_of) - int(found["day_"].min())
    place = (found["day_"] - first).to_numpy(np.int64)

    def daily(column: str) -> Floats:
        values = found[column].to_numpy(np.float64, na_value=0.0)
        return np.bincount(place, np.nan_to_num(values), size).astype(np.float64)

    by_hour = np.zeros((size, HOURS))
    np.add.at(by_hour, (place, found["hour_"].to_numpy(np.int64)), found["rows_"].to_numpy(np.float64))
    texts = [c for c in watched if table[c].type().is_string() or table[c].type().is_boolean()]
    return History(
        role,
        _EPOCH + dt.timedelta(days=first),
        daily("rows_"),
        daily("visits_"),
        by_hour,
        {c: daily(f"known_{c}") for c in watched},
        {c: Number(daily(f"known_{c}"), daily(f"sizes_{c}"), daily(f"logs_{c}")) for c in numbers},
        {c: x for c in texts if (x := _category(marked, c, first, size)) is not None},
        dated,
    )


def _number(day: dt.date) -> int:
    return (day - _EPOCH).days


def _day(table: ir.Table, clock: str, engine: str) -> Any:
    """The day of arrival, counted from 1970."""
    moment = epoch(table[clock], engine)
    if "known_at" in table.columns:
        moment = ibis.greatest(moment, ibis.coalesce(epoch(table.known_at, engine), moment))
    return (moment / DAY).floor().cast("int64")


def _watched(role: str, table: ir.Table, attributes: Sequence[str]) -> list[str]:
    """The columns that are told when their row is: what becomes known later looks emptier the newer it is."""
    own = ROLES[role].columns
    told = [c for c, fact in own.items() if fact.kind in ("number", "text") and not fact.known_at]
    return [c for c in (*told, *attributes) if c in table.columns and c not in UNWATCHED]


def _sums(
    marked: ir.Table, clock: str | None, watched: Sequence[str], numbers: Sequence[str], *, nearly: bool
) -> pd.DataFrame:
    engine = engine_of(marked)
    hour: Any = ibis.literal(0)
    if clock is not None:
        moment = epoch(marked[clock], engine)
        hour = ((moment - (moment / DAY).floor() * DAY) / 3_600).floor().cast("int64")
    rows = marked.mutate(hour_=hour)
    who = rows.customer_id
    sums: dict[str, Any] = {
        "rows_": rows.count(),
        "visits_": who.approx_nunique() if nearly and engine in ("duckdb", "pyspark") else who.nunique(),
    }
    for column in watched:
        sums[f"known_{column}"] = rows[column].count()
    for column in numbers:
        value = rows[column].cast("float64")
        size = ibis.ifelse(value != 0, value.abs(), ibis.null("float64"))
        sums[f"sizes_{column}"] = size.count()
        sums[f"logs_{column}"] = size.ln().sum()
    return arrow(rows.group_by("day_", "hour_").agg(**sums)).to_pandas()


def _category(marked: ir.Table, column: str, first: int, size: int) -> tuple[tuple[str, ...], Floats] | None:
    """Rows by day and value; None for free text, which has more values than a category can have."""
    named = marked.filter(marked[column].notnull()).mutate(value_=marked[column].cast("string"))
    some = arrow(named.select("value_").distinct().limit(_MOST_VALUES + 1))
    if not 0 < some.num_rows <= _MOST_VALUES:
        return None
    found = arrow(named.group_by("day_", "value_").agg(rows_=named.count())).to_pandas()
    values = tuple(sorted(found["value_"].unique()))
    counts = np.zeros((size, len(values)))
    column_of = pd.Index(values).get_indexer(found["value_"])
    np.add.at(
        counts, ((found["day_"] - first).to_numpy(np.int64), column_of), found["rows_"].to_numpy(np.float64)
    )
    return values, counts


def histories(sources: Sources, as_of: dt.date) -> list[History]:
    """The histories of all sources that have rows."""
    found = (
        history_of(
            role,
            table,
            as_of,
            sources.attributes if role == "customers" else (),
            rows=sources.fingerprints.get(role, {}).get("rows", 0),
        )
        for role, table in sources.tables.items()
    )
    return [history for history in found if history is not None]
