"""The few expressions that engines spell differently: DuckDB, PostgreSQL, SQLite, Spark, and the rest of Ibis.

Everything else in `features` is plain Ibis. Where an engine has no better way, the plain one stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ibis
import ibis.expr.datatypes as dtypes
import ibis.expr.types as ir

_DECIMAL_LIMIT = 1e17
_WHOLE_LIMIT = 1e12
_TENTH_DECIMAL = 1e10
_NO_LIMIT = 2**62


@ibis.udf.scalar.builtin(name="strftime", signature=((dtypes.string, dtypes.timestamp), dtypes.string))
def _sqlite_strftime(fmt: Any, moment: Any) -> Any:
    """SQLite's: `%s` is whole seconds since 1970, `%f` seconds with their fraction, `%S` without."""


@ibis.udf.scalar.builtin(name="unix_micros", signature=((dtypes.timestamp,), dtypes.int64))
def _spark_unix_micros(moment: Any) -> Any:
    """Spark's: microseconds since 1970."""


@ibis.udf.agg.builtin(name="bit_or", signature=((dtypes.int64,), dtypes.int64))
def _spark_bit_or(bits: Any) -> Any:
    """Spark's; Ibis does not know it."""


def engine_of(expression: Any) -> str:
    """Name of the engine that will run an expression, such as 'duckdb'.

    Examples
    --------
    >>> engine_of(ibis.memtable({"a": [1]}))
    'duckdb'
    """
    return str(expression.get_backend().name)


BLANKS = " \t\n\r\u00a0\u202f\u200b\ufeff"
"""What nobody sees at the ends of a text: blank, tab, line ends, no-break and zero-width space, byte-order mark."""


def trimmed(text: Any) -> Any:
    r"""Text without blanks (`BLANKS`) at its ends.

    Ibis names the blanks to Spark as a list with form feed and vertical tab in it, which Spark reads as the letters f
    and v: 'fair ' would become 'air'. Engines without regular expressions of their own know the plain blanks alone.

    Examples
    --------
    >>> trimmed(ibis.memtable({"a": [" fair\t", "\u00a0x y\u00a0"]}).a).to_pyarrow().to_pylist()
    ['fair', 'x y']
    """
    if engine_of(text) in ("duckdb", "pyspark", "postgres"):
        return text.re_replace(f"^[{BLANKS}]+|[{BLANKS}]+$", "")
    return text.strip()


def epoch(moment: Any, engine: str) -> Any:
    """Seconds since 1970 with their fraction, float64."""
    if engine == "sqlite":
        whole, second, fraction = (
            _sqlite_strftime(part, moment).cast("float64") for part in ("%s", "%S", "%f")
        )
        return whole + (fraction - second)
    if engine == "pyspark":
        return _spark_unix_micros(moment).cast("float64") / 1e6
    # Ibis takes seconds for int32, which neither holds their fractions nor lasts beyond 2038.
    return moment.epoch_seconds().cast("float64")


def duckdb_hash(value: Any) -> Any:
    """64 bits of a value of DuckDB's; what Ibis makes of `.hash()` takes half as long again, by way of bit strings."""

    @ibis.udf.scalar.builtin(name="hash", signature=((value.type(),), dtypes.uint64))
    def bits(value: Any) -> Any: ...

    return bits(value)


def computed_once(rows: ir.Table, engine: str) -> ir.Table:
    """The table, its columns computed once a row.

    SQLite would compute a column anew at each place that reads it, if a limit did not keep it from that.
    """
    return rows.limit(_NO_LIMIT) if engine == "sqlite" else rows


def one_bit(place: Any, engine: str) -> Any:
    """A 64-bit whole number with one bit set.

    DuckDB and SQLite widen the 1 to the type of the place; the others take a place of 32 bits only.
    """
    # A bare 1 is 32 bits wide to Spark.
    one = ibis.literal(1, "int8").cast("int64")
    return one << place.cast("int64" if engine in ("duckdb", "sqlite") else "int32")


def any_bits(bits: Any, where: Any, engine: str) -> Any:
    """The bits that are set in any row."""
    return _spark_bit_or(bits, where=where) if engine == "pyspark" else bits.bit_or(where=where)


def exact_sum(value: Any, where: Any, engine: str) -> Any:
    """The sum to ten decimals, the same for every order of the rows; in floats where numbers are too large."""
    if engine != "sqlite":
        small = value.abs() < _DECIMAL_LIMIT
        exact = ibis.ifelse(small, value, 0.0).cast("decimal(38, 10)").sum(where=where).cast("float64")
        large = ~small if where is None else ~small & where
        return exact + ibis.coalesce(value.sum(where=large), 0.0)
    # SQLite has no decimals: whole part and fraction are added up as whole numbers.
    small = value.abs() < _WHOLE_LIMIT
    near = ibis.ifelse(small, value, 0.0)
    whole = near.cast("int64")
    fraction = ((near - whole) * _TENTH_DECIMAL).round().cast("int64")
    exact = whole.sum(where=where) + fraction.sum(where=where) / _TENTH_DECIMAL
    return exact + ibis.ifelse(small, 0.0, value).sum(where=where)


def in_newest_row(rows: ir.Table, column: str, at: str, known: Any, keys: Sequence[str]) -> Any:
    """The value of a column in the newest known row of each group, null in all other rows.

    Of several rows at one moment that with the largest value counts, so that the order of rows does not matter.
    For engines that can't take the largest of a pair.
    """
    order = [ibis.ifelse(known, 0, 1), rows[at].desc(), rows[column].desc()]
    place = ibis.row_number().over(ibis.window(group_by=[rows[key] for key in keys], order_by=order))
    return ibis.ifelse((place == 0) & known, rows[column], ibis.null(rows[column].type()))


def newest_value(
    rows: ir.Table, column: str, at: str, known: Any, keys: Sequence[str]
) -> tuple[ir.Table, Any]:
    """The value of a column in the newest known row of each group, whatever the order of the rows.

    Returns
    -------
    tuple
        The rows, and what to aggregate of them by the keys. Of several rows at one moment, as in a log of dates, the
        largest value counts, on every engine.

    Examples
    --------
    >>> calls = ibis.memtable({"who": ["a", "a", "a"], "day": [1, 2, 2], "agent": ["Zoe", "Ann", "Bob"]})
    >>> calls, agent = newest_value(calls, "agent", "day", calls.agent.notnull(), ["who"])
    >>> calls.group_by("who").agg(agent=agent).to_pandas().agent.tolist()
    ['Bob']
    """
    if engine_of(rows) == "duckdb":
        pair = ibis.struct({"at": rows[at], "value": rows[column]})
        return rows, rows[column].argmax(pair, where=known)
    rows = rows.mutate(**{f"newest_{column}": in_newest_row(rows, column, at, known, keys)})
    return rows, rows[f"newest_{column}"].max()
