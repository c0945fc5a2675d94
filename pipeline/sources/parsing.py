"""From a raw column to text, numbers and times in UTC: never an error for a value, only a mark on its row.

DuckDB and Spark try a cast and give null. PostgreSQL, SQLite and the rest have no such cast: there a pattern that
only readable values have stands before it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import ibis
import ibis.expr.datatypes as dtypes

from features.dialects import engine_of, trimmed
from pipeline.sources import amounts, jalali
from pipeline.sources.amounts import Decimal
from pipeline.sources.functions import on_text, read_or

_DIGIT = "[0-9۰-۹٠-٩०-९]"
ZONE = rf"(?i):{_DIGIT}{{2}}(\.{_DIGIT}+)?\s*([a-z][\w/+-]*|[+-]{_DIGIT}{{2}}(:?{_DIGIT}{{2}}){{0,2}})$"
YEARS = 1900, 9999
UNIX = {"unix_s": 1.0, "unix_ms": 1e3, "unix_us": 1e6, "unix_ns": 1e9}
EXCEL = "excel"
EXCEL_DAYS = 25_569  # from 1899-12-30, its day 0, to 1970-01-01
_NO_DAY = ("0000-00-00", "0000-00-00 00:00:00")  # as MySQL writes it
NULL_WORDS = (
    "na",
    "n/a",
    "#n/a",
    "nan",
    "nat",
    "null",
    "(null)",
    "none",
    "nil",
    "unknown",
    "-",
    "--",
    "\\n",
    *_NO_DAY,
)

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


def as_text(raw: Any, *, trim: bool = True) -> Any:
    """The value as text without blanks around it; a whole number kept as a float is written without its `.0`.

    Without `trim` text stays as it is, for columns in which `blank_ends` finds none.
    """
    # Exports often turn whole-number ids into 17850.0: such an id is 17850.
    if raw.type().is_floating():
        return ibis.ifelse(raw == raw.floor(), raw.cast("int64").cast("string"), raw.cast("string"))
    text = raw.cast("string")
    if not raw.type().is_string() or not trim:
        return text
    if engine_of(raw) != "duckdb":
        return trimmed(text).nullif("")
    return ibis.ifelse(_plain_ends(text), text, trimmed(text).nullif(""))


def blank_ends(text: Any) -> Any:
    """Where `as_text` would trim a text of DuckDB, or take it for none since nothing is left.

    Examples
    --------
    >>> blank_ends(ibis.memtable({"a": ["c 1", "c1 ", "", "é", None]}).a).to_pyarrow().to_pylist()
    [False, True, True, False, False]
    """
    return ibis.ifelse(_plain_ends(text), False, (trimmed(text) != text) | (text == "")).fill_null(False)


def _plain_ends(text: Any) -> Any:
    # Most ids begin and end with a sign of ASCII, and looking at their ends is cheaper than to trim them.
    return text.between("!", "~") & text.reverse().between("!", "~")


def without_nulls(text: Any, words: Sequence[str] | None) -> Any:
    """Text without blanks around it, null where nothing is left or where it is a word for an empty cell.

    Examples
    --------
    >>> table = ibis.memtable({"text": [" 7 ", "N/A", " none", "x"]})
    >>> [without_nulls(table.text, words).to_pyarrow().to_pylist() for words in (None, ["X"])]
    [['7', None, None, 'x'], ['7', 'N/A', 'none', None]]
    """
    known = "|".join(re.escape(word.strip().lower()) for word in (NULL_WORDS if words is None else words))
    # One expression that names its column once: what is made of it names it many times.
    return text.re_replace(rf"(?i)^\s*(?:{known})\s*$|^\s+|\s+$", "").nullif("")


def as_number(raw: Any, decimal: Decimal | None = None, thousands: str | None = None) -> tuple[Any, Any]:
    """The value as float64, and where it can't be read (None where that can't happen)."""
    engine = engine_of(raw)
    if raw.type().is_numeric():
        # A column of SQLite may hold text whatever its type, and a cast would make 0 of it.
        return raw.cast("float64"), raw.typeof().isin(["text", "blob"]) if engine == "sqlite" else None
    text = raw.cast("string")
    if engine in _TRIES:
        value = amounts.number(text, decimal, thousands)
    else:
        point = amounts.point_of(decimal, thousands)
        text = text.strip()
        text = text.replace(".", "").replace(",", ".") if point == "," else text
        value = ibis.ifelse(text.re_search(_NUMBER), text, ibis.null("string")).cast("float64")
    return value, (text.strip() != "").fill_null(False) & value.isnull()


def as_time(raw: Any, formats: Sequence[str], zone: str, calendar: str = "gregorian") -> tuple[Any, Any]:
    """The value as a time in UTC, and where it can't be read or lies outside the years that dates are kept in."""
    engine = engine_of(raw)
    if engine == "sqlite":
        return _in_range(raw, _time_of_sqlite(raw.cast("string").strip()))
    kind = raw.type()
    if kind.is_timestamp() and kind.timezone is not None:
        return _in_range(raw, raw.cast(_MOMENT).cast("timestamp"))
    if kind.is_timestamp() or kind.is_date():
        return _in_range(raw, _to_utc(raw.cast("timestamp"), zone, engine))
    text = raw.cast("string")
    if engine not in _TRIES:
        text = text.strip()
    readings = [_reading(text, fmt, zone, engine) for fmt in formats or (None,)]
    if calendar == "jalali":
        readings = [
            _to_utc(make_timestamp(on_text(jalali.microseconds, "int64", fmt)(text)), zone, engine)
            for fmt in formats or (None,)
            if fmt is None or fmt.startswith("%")
        ] + [_outside(reading, *jalali.JALALI_YEARS) for reading in readings]
    value, bad = _in_range(
        text.strip().nullif(""), ibis.coalesce(*readings) if len(readings) > 1 else readings[0]
    )
    # The engine takes this word for a date.
    return value, bad | (text == "epoch").fill_null(False)


def _reading(text: Any, fmt: str | None, zone: str, engine: str) -> Any:
    """The time that a text shows in one format, in UTC; null where it does not have the format."""
    if fmt in UNIX:
        return make_timestamp((amounts.number(text, None, None) * (1e6 / UNIX[fmt])).try_cast("int64"))
    if fmt == EXCEL:
        # Five decimals of a day are a second.
        seconds = ((amounts.number(text, None, None) - EXCEL_DAYS) * 86_400).round()
        return _to_utc(make_timestamp((seconds * 1e6).try_cast("int64")), zone, engine)
    if fmt:
        tidied = on_text(tidy, "string", fmt)(text)
        value = read_or(try_strptime(text, fmt), try_strptime(tidied, tidy_format(fmt)))
        return value if "%z" in fmt or "%Z" in fmt else _to_utc(value, zone, engine)
    # A cast to a time without zone would drop the zone of the text instead of applying it.
    if engine in _TRIES:
        moment = read_or(text.try_cast(_MOMENT), on_text(tidy, "string", None)(text).try_cast(_MOMENT))
    else:
        moment = ibis.ifelse(text.re_search(_TIME), text, ibis.null("string")).cast(_MOMENT)
    value = moment.cast("timestamp")
    return value if zone == "UTC" else ibis.ifelse(text.re_search(ZONE), value, _to_utc(value, zone, engine))


# What is written differently and means the same: pattern, what stands for it.
_TIDY = (
    (r"\s+", " "),
    (r"(?i)\b(a|p)\.\s?m\b\.?", r"\1m"),
    (r"(?i)\bsept\b", "Sep"),
    (r"(\.[0-9]{6})[0-9]+", r"\1"),
)
_TO_OFFSET = (r"(:[0-9.]+)\s?(?:Z|UTC|GMT)$", r"\1+0000")
_NO_BLANK = (r"\s([+-][0-9]{2}:?[0-9]{2})$", r"\1")


def tidy(text: str, fmt: str | None) -> str:
    """A date's text in ASCII digits, with single blanks and offsets that the engine takes.

    Examples
    --------
    >>> tidy("۲۰۲۴-۰۱-۳۱  7:05 p.m.", "%Y"), tidy("2024-01-31 10:00:00 -0500", None), tidy("10:00Z", "%H:%M%z")
    ('2024-01-31 7:05 pm', '2024-01-31 10:00:00-0500', '10:00+0000')
    """
    text = amounts.plain(text)
    for pattern, new in _TIDY if fmt and "%z" not in fmt else (*_TIDY, _TO_OFFSET, _NO_BLANK):
        text = re.sub(pattern, new, text)
    return text


def tidy_format(fmt: str) -> str:
    """The format of tidy texts."""
    return re.sub(r"\s+", " ", fmt).replace(" %z", "%z")


def _outside(moment: Any, first: int, last: int) -> Any:
    return ibis.ifelse(moment.year().between(first, last), None, moment)


def _time_of_sqlite(text: Any) -> Any:
    """SQLite keeps times as text in more than one form, whatever the column's type, and reads more than dates.

    It is asked about the day first: it takes 'now', bare numbers and February 30 for dates too.
    """
    day = text.substr(0, 10)
    exists = day == strftime_of_sqlite("%Y-%m-%d", day, "+0 days")
    return ibis.ifelse(exists, text, ibis.null("string")).cast("timestamp")


def _in_range(raw: Any, value: Any) -> tuple[Any, Any]:
    first, last = ibis.timestamp(f"{YEARS[0]}-01-01"), ibis.timestamp(f"{YEARS[1]}-12-31 23:59:59.999999")
    fits = value.between(first, last)
    # Beyond the range no engine but its own can hold the value: 'infinity', years before Christ.
    return ibis.ifelse(fits, value, None), raw.notnull() & ~fits.fill_null(False)


def _to_utc(local: Any, zone: str, engine: str) -> Any:
    if zone == "UTC":
        return local
    moment = from_zone_of_spark(local, zone) if engine == "pyspark" else from_zone(zone, local)
    return moment.cast("timestamp")
