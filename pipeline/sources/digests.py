"""A digest of a table's rows that does not depend on their order, computed where the table is."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import ibis
import ibis.expr.datatypes as dtypes
import ibis.expr.operations as ops
import ibis.expr.types as ir

from features.dialects import duckdb_hash, engine_of


@ibis.udf.scalar.builtin(name="hashtextextended", signature=((dtypes.string, dtypes.int64), dtypes.int64))
def _hash_of_postgres(text: Any, seed: Any) -> Any:
    """PostgreSQL's: 64 bits of a text."""


@ibis.udf.scalar.builtin(name="xxhash64", signature=((dtypes.string,), dtypes.int64))
def _hash_of_spark(text: Any) -> Any:
    """Spark's: 64 bits of a text."""


@ibis.udf.agg.builtin(name="bit_xor", signature=((dtypes.int64,), dtypes.int64))
def _bit_xor_of_spark(bits: Any) -> Any:
    """Spark's; Ibis does not know it."""


@ibis.udf.scalar.python(name="churn_hash")
def _hash_of_python(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


def digest(rows: ir.Table, columns: Sequence[str], where: Any) -> Any:
    """64 bits of the rows' values in those of `columns` that the table has; null without rows.

    The digest tells two states of a table apart. It is another one on another engine.
    """
    present = [rows[name] for name in columns if name in rows.columns]
    engine = engine_of(rows)
    if engine == "duckdb":
        return duckdb_hash(ibis.struct({c.get_name(): c for c in present})).bit_xor(where=where)
    text = ibis.literal("|").join([ibis.coalesce(c.cast("string"), ibis.literal("~")) for c in present])
    bits = hash_of(text, rows)
    if bits is None:
        return ibis.null("int64")
    return _bit_xor_of_spark(bits, where=where) if engine == "pyspark" else bits.bit_xor(where=where)


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
