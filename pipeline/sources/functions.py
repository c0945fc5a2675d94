"""Functions of a text that an engine calls row by row, where its own functions can't read what people write.

They are asked only for rows that the engine could not read, and each text is computed once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

import ibis
import ibis.expr.datatypes as dtypes
import pyarrow as pa

_REMEMBERED = 100_000


@cache
def on_text(function: Callable[..., Any], kind: str, *settings: Any) -> Callable[[Any], Any]:
    """A function of an expression of text, made of a function of one text and its settings.

    Parameters
    ----------
    function
        Takes a text and the settings; returns None where it can read nothing.
    kind
        Of the result: string, float64 or int64.

    Examples
    --------
    >>> table = ibis.memtable({"text": ["7", None, "x"]})
    >>> on_text(lambda text: int(text) if text.isdigit() else None, "int64")(table.text).to_pyarrow().to_pylist()
    [7, None, None]
    """

    def rows(texts: Any) -> Any:
        # DuckDB hands over a column, Spark one text after the other.
        if texts is None or isinstance(texts, str):
            return _read(function, settings, texts)
        return pa.array([_read(function, settings, text) for text in texts.to_pylist()], pa.string())

    rows.__annotations__ = {"texts": pa.Array, "return": pa.Array}
    key = "_".join("".join(f"{ord(sign):x}" for sign in str(one)) for one in settings)
    name = f"churn_{function.__name__.strip('<>')}_{key}"
    scalar = ibis.udf.scalar.pyarrow(rows, name=name, signature=((dtypes.string,), dtypes.string))
    return lambda text: scalar(text).nullif("").try_cast(kind)


def read_or(value: Any, other: Any) -> Any:
    """The value, and where it is null the other one, which a function of a text makes.

    As a case: what stands twice in a query DuckDB computes once and ahead, of a COALESCE for every row.

    Examples
    --------
    >>> read_or(ibis.memtable({"a": ["x", None]}).a, "y").to_pyarrow().to_pylist()
    ['x', 'y']
    """
    return ibis.ifelse(value.isnull(), other, value)


@lru_cache(_REMEMBERED)  # of the module, for a local one can't be sent to Spark's workers
def _read(function: Callable[..., Any], settings: tuple[Any, ...], text: str | None) -> str | None:
    if text is None:
        return None
    found = function(text, *settings)
    # DuckDB takes no nulls from a function that was given none.
    return "" if found is None else str(found)
