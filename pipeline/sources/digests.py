"""A digest of a table's rows that does not depend on their order, computed where the table is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import ibis
import ibis.expr.datatypes as dtypes
import ibis.expr.operations as ops
import ibis.expr.types as ir

from features.dialects import duckdb_hash, engine_of

_HALF = 2**32 - 1


@ibis.udf.scalar.builtin(name="hashtextextended", signature=((dtypes.string, dtypes.int64), dtypes.int64))
def _hash_of_postgres(text: Any, seed: Any) -> Any:
    """PostgreSQL's: 64 bits of a text."""


@ibis.udf.scalar.builtin(name="xxhash64", signature=((dtypes.string,), dtypes.int64))
def _hash_of_spark(text: Any) -> Any:
    """Spark's: 64 bits of a text."""


@ibis.udf.scalar.python(name="churn_hash")
def _hash_of_python(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


def digest_parts(rows: ir.Table, where: Any, columns: Sequence[str]) -> dict[str, Any]:
    """Sums over the rows from which `digest` is made; null without rows, or on an engine that has no hash.

    Each of the columns counts. Halves of the hashes are added up, which no order of the rows changes and which, unlike
    their exclusive or, tells a row from the same row twice.
    """
    bits = row_hash(rows, columns)
    if bits is None:
        return {}
    high = (bits >> ibis.literal(32, "int32")) & _HALF
    return {"digest_high": high.sum(where=where), "digest_low": (bits & _HALF).sum(where=where)}


def digest(parts: Mapping[str, Any]) -> str:
    """Sixteen hexadecimal digits that tell two states of a table apart. They are others on another engine."""
    high, low = (int(parts.get(name) or 0) for name in ("digest_high", "digest_low"))
    return f"{((high << 32) ^ low) & (2**64 - 1):016x}"


def _distinguished(column: Any) -> Any:
    """A value as text from which one can tell where it ends, and whether there is one."""
    text = column.cast("string")
    return ibis.coalesce(text.length().cast("string") + ":" + text, "-")


def row_hash(rows: ir.Table, columns: Sequence[str]) -> Any:
    """64 bits of these columns of each row; None on an engine that has no hash."""
    if engine_of(rows) == "duckdb":
        return duckdb_hash(ibis.struct({name: rows[name] for name in columns}))
    return hash_of(ibis.literal("").join([_distinguished(rows[name]) for name in columns]), rows)


def hash_of(text: Any, rows: ir.Table) -> Any:
    """64 bits of a text, by the engine of the table; another engine has another hash, and some have none: None."""
    engine = engine_of(rows)
    if engine == "postgres":
        return _hash_of_postgres(text, 0)
    if engine == "sqlite":
        return _hash_of_python(text)
    if engine == "pyspark":
        return _hash_of_spark(text)
    return text.hash() if rows.get_backend().has_operation(ops.Hash) else None
