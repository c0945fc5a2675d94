"""From a raw column to text, numbers and times in UTC: never an error for a value, only a mark on its row.

DuckDB and Spark try a cast and give null. PostgreSQL, SQLite and the rest have no such cast: there a pattern that
only readable values have stands before it.
"""

from __future__ import annotations

from typing import Any

import ibis
import ibis.expr.datatypes as dtypes

from features.dialects import engine_of

ZONE = r"(?i):\d{2}(\.\d+)?\s*([a-z][\w/+-]*|[+-]\d{2}(:?\d{2}){0,2})$"
YEARS = 1900, 9999
UNIX = {"unix_s": 1.0, "unix_ms": 1e3}

_MOMENT = dtypes.Timestamp(timezone="UTC")
_TRIES = ("duckdb", "pyspark")
_NUMBER = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,2})?$"
_YEAR = r"(?:[1-9]\d{3}|0[1-9]\d\d|00[1-9]\d|000[1-9])"
_LEAP = r"(?:\d\d(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
_DAY = (
    rf"(?:{_YEAR}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)"
    rf"|02-(?:0[1-9]|1\d|2[0-8]))|{_LEAP}-02-29)"
)
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(?:\s?(?:Z|UTC|[+-](?:0\d|1[0-4])(?::?[0-5]\d)?))?"
_TIME = rf"^{_DAY}(?:[ T]{_CLOCK})?$"


@ibis.udf.scalar.builtin(signature=((dtypes.string, dtypes.string), dtypes.timestamp))
def try_strptime(text: Any, fmt: Any) -> Any:
    """DuckDB's: null where the text does not have the format."""


@ibis.udf.scalar.builtin(signature=((dtypes.int64,), dtypes.timestamp))
def make_timestamp(micros: Any) -> Any:
    """DuckDB's: microseconds since 1970."""


@ibis.udf.scalar.builtin(name="timezone", signature=((dtypes.string, dtypes.timestamp), _MOMENT))
def from_zone(zone: Any, local: Any) -> Any:
    """The moment at which clocks in the zone show a local time, as DuckDB and PostgreSQL call it."""


@ibis.udf.scalar.builtin(name="to_utc_timestamp", signature=((dtypes.timestamp, dtypes.string), _MOMENT))
def from_zone_of_spark(local: Any, zone: Any) -> Any:
    """The moment at which clocks in the zone show a local time, as Spark calls it."""


@ibis.udf.scalar.builtin(
    name="strftime", signature=((dtypes.string, dtypes.string, dtypes.string), dtypes.string)
)
def strftime_of_sqlite(fmt: Any, text: Any, modifier: Any) -> Any:
    """SQLite's: with any modifier 2024-02-30 becomes March 1."""


def as_text(raw: Any) -> Any:
    """The value as text; a whole number kept as a float is written without its `.0`."""
    # Exports often turn whole-number ids into 17850.0: such an id is 17850.
    if raw.type().is_floating():
        return ibis.ifelse(raw == raw.floor(), raw.cast("int64").cast("string"), raw.cast("string"))
    return raw.cast("string")


def as_number(raw: Any, decimal: str = ".") -> tuple[Any, Any]:
    """The value as float64, and where it can't be read (None where that can't happen)."""
    engine = engine_of(raw)
    if raw.type().is_numeric():
        # A column of SQLite may hold text whatever its type, and a cast would make 0 of it.
        return raw.cast("float64"), raw.typeof().isin(["text", "blob"]) if engine == "sqlite" else None
    text = with_point(raw.cast("string").strip(), decimal)
    if engine in _TRIES:
        value = text.try_cast("float64")
    else:
        value = ibis.ifelse(text.re_search(_NUMBER), text, ibis.null("string")).cast("float64")
    return value, raw.notnull() & value.isnull()


def with_point(text: Any, decimal: str) -> Any:
    """A number's text with a decimal point: 1.234,5 becomes 1234.5 where a comma is the decimal sign."""
    return text.replace(".", "").replace(",", ".") if decimal == "," else text


def as_time(raw: Any, fmt: str | None, zone: str) -> tuple[Any, Any]:
    """The value as a time in UTC, and where it can't be read or lies outside the years that dates are kept in."""
    engine = engine_of(raw)
    if engine == "sqlite":
        return _in_range(raw, _time_of_sqlite(raw.cast("string").strip()))
    kind = raw.type()
    if kind.is_timestamp() and kind.timezone is not None:
        return _in_range(raw, raw.cast(_MOMENT).cast("timestamp"))
    if kind.is_timestamp() or kind.is_date():
        return _in_range(raw, _to_utc(raw.cast("timestamp"), zone, engine))
    text = raw.cast("string").strip()
    if fmt in UNIX:
        return _in_range(
            raw, make_timestamp((text.try_cast("float64") * (1e6 / UNIX[fmt])).try_cast("int64"))
        )
    if fmt:
        value = try_strptime(text, fmt)
        zoned = ibis.literal("%z" in fmt)
    else:
        # A cast to a time without zone would drop the zone of the text instead of applying it.
        if engine in _TRIES:
            moment = text.try_cast(_MOMENT)
        else:
            moment = ibis.ifelse(text.re_search(_TIME), text, ibis.null("string")).cast(_MOMENT)
        value = moment.cast("timestamp")
        zoned = text.re_search(ZONE)
    return _in_range(raw, value if zone == "UTC" else ibis.ifelse(zoned, value, _to_utc(value, zone, engine)))


def _time_of_sqlite(text: Any) -> Any:
    """SQLite keeps times as text in more than one form, whatever the column's type, and reads more than dates.

    It is asked about the day first: it takes 'now', bare numbers and February 30 for dates too.
    """
    day = text.substr(0, 10)
    exists = day == strftime_of_sqlite("%Y-%m-%d", day, "+0 days")
    return ibis.ifelse(exists, text, ibis.null("string")).cast("timestamp")


def _in_range(raw: Any, value: Any) -> tuple[Any, Any]:
    first, last = ibis.timestamp(f"{YEARS[0]}-01-01"), ibis.timestamp(f"{YEARS[1]}-12-31 23:59:59.999999")
    return value, raw.notnull() & ~value.between(first, last).fill_null(False)


def _to_utc(local: Any, zone: str, engine: str) -> Any:
    if zone == "UTC":
        return local
    moment = from_zone_of_spark(local, zone) if engine == "pyspark" else from_zone(zone, local)
    return moment.cast("timestamp")
